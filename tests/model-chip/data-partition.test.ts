/**
 * Data partitions, on the board and through the bridge, pass the suite that every flash passes, and touch nothing else.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Flash, Ports } from "../../src/ports";
import { BridgeHost } from "../../host-sim/board/bridge-host";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { bridgePorts } from "../../host-sim/board/firmware/bridge-ports";
import { flashContract } from "../contract/flash";
import { runCases } from "../contract/run-cases";
import { firmware } from "../board/firmware";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const made = new MemoryBoard({ factoryImage: firmware("1.0.0"), table: partitionTableFor(4 << 20) });

function started(): MemoryBoard {
  const board = made.fork();
  board.powerOn();
  return board;
}

/** What firmware on the board sees. */
function bridged(board: MemoryBoard): { partition(label: string): Flash } {
  const host = new BridgeHost({ ports: board.ports as unknown as Ports, configuration: "{}", onEvent: () => {} });
  return bridgePorts((request) => new Uint8Array(host.answer(new Uint8Array(request))).buffer, "1.0.0");
}

runCases(
  "data partition of the board",
  flashContract(() => ({ flash: started().ports.partition("assets") })),
);
runCases(
  "data partition through the bridge",
  flashContract(() => ({ flash: bridged(started()).partition("assets") })),
);

test("a write to a data partition changes only that partition, at its address in the chip", () => {
  const board = started();
  const { address, size } = board.table.data("assets");
  const flash = bridged(board).partition("assets");
  assert.equal(flash.size, size);
  const touched: number[] = [];
  board.chip.onOperation = (operation) => void touched.push(operation.address);
  flash.erase(0);
  flash.write(8, Uint8Array.of(1, 2, 3));
  flash.erase(size / 4096 - 1);
  assert.deepEqual(touched, [address, address + 8, address + size - 4096]);
});

test("a partition of the system is no data partition, nor is one that does not exist", () => {
  for (const open of [started().ports, bridged(started())]) {
    for (const label of ["nvs", "otadata", "phy_init"])
      assert.throws(() => open.partition(label), { message: `partition ${label} is the system's own` });
    for (const label of ["ota_0", "ota_1", "elsewhere", ""])
      assert.throws(() => open.partition(label), { message: `no data partition ${label}` });
  }
});
