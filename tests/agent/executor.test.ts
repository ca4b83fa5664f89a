/** Effects on the ports: what each one calls, and what is answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ports } from "../../src/ports";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { Executor } from "../../src/agent/executor";
import { SECTOR } from "../../src/constants";
import type { ModuleInstaller } from "../../src/modules/installer";
import { image } from "../job/job-desk";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

function boardPorts(): Ports {
  const board = new MemoryBoard({ factoryImage: image("0.1.0"), table: partitionTableFor(4 << 20) });
  board.powerOn();
  return board.ports as unknown as Ports;
}

class Installer implements ModuleInstaller {
  readonly capacity = SECTOR;
  readonly calls: string[] = [];
  begin({ version, size }: { version: string; size: number }, offset: number): void {
    this.calls.push(`begin ${version} ${size} ${offset}`);
  }
  write(offset: number): void {
    this.calls.push(`write ${offset}`);
  }
  equals(offset: number): boolean {
    this.calls.push(`equals ${offset}`);
    return true;
  }
  read(offset: number, into: Uint8Array): void {
    this.calls.push(`read ${offset}`);
    into.fill(0x55);
  }
  finish(): void {}
  abort(): void {
    this.calls.push("abort");
    throw new Error("busy");
  }
}

const assets = { type: "open-part", part: "assets", version: "a1", size: 100, offset: 0 } as const;

test("a module's effects go to the installer that is open, the firmware's to flash", () => {
  const installer = new Installer();
  const ports = boardPorts();
  const executor = new Executor(ports, new Uint8Array(SECTOR), new Map([["assets", installer]]));
  const bytes = new Uint8Array(4);
  executor.execute(assets);
  executor.execute({ type: "write", offset: 0, bytes, part: true });
  assert.deepEqual(executor.execute({ type: "compare", offset: 0, bytes, erased: 0, part: true }), {
    type: "compared",
    equal: true,
  });
  assert.deepEqual(executor.execute({ type: "read", from: "part", offset: 8, length: 2 }), {
    type: "bytes",
    bytes: Uint8Array.of(0x55, 0x55),
  });
  assert.deepEqual(installer.calls, ["begin a1 100 0", "write 0", "equals 0", "read 8"]);
  executor.execute({ type: "erase", sector: 0 });
  executor.execute({ type: "write", offset: 0, bytes });
  assert.deepEqual(executor.execute({ type: "read", from: "target", offset: 0, length: 5 }), {
    type: "bytes",
    bytes: Uint8Array.of(0, 0, 0, 0, 0xff),
  });
  assert.deepEqual(executor.execute({ type: "read", from: "running", offset: 0, length: 1 }), {
    type: "bytes",
    bytes: Uint8Array.of(0xe9),
  });
  assert.equal(installer.calls.length, 4);
});

test("after an abort no module is open, whatever its installer thinks of that", () => {
  const installer = new Installer();
  const executor = new Executor(boardPorts(), new Uint8Array(SECTOR), new Map([["assets", installer]]));
  assert.throws(() => executor.installer, /no module is open/);
  executor.execute(assets);
  assert.equal(executor.installer, installer);
  executor.execute({ type: "abort-part", part: "assets" });
  assert.equal(installer.calls.at(-1), "abort");
  assert.throws(() => executor.installer, /no module is open/);
  assert.throws(
    () => executor.execute({ type: "write", offset: 0, bytes: new Uint8Array(1), part: true }),
    /no module is open/,
  );
  assert.throws(() => executor.execute({ ...assets, part: "mcu" }), /this firmware has no module "mcu"/);
  assert.throws(() => executor.installer, /no module is open/);
});

test("a compare looks at the erased bytes before it as well", () => {
  const ports = boardPorts();
  const executor = new Executor(ports, new Uint8Array(SECTOR));
  const bytes = new Uint8Array(8).fill(3);
  const equal = (erased: number): unknown => executor.execute({ type: "compare", offset: 16, bytes, erased });
  executor.execute({ type: "erase", sector: 0 });
  executor.execute({ type: "write", offset: 16, bytes });
  assert.deepEqual(equal(16), { type: "compared", equal: true });
  executor.execute({ type: "write", offset: 0, bytes: Uint8Array.of(0x7f) });
  assert.deepEqual(
    [equal(16), equal(0)],
    [
      { type: "compared", equal: false },
      { type: "compared", equal: true },
    ],
  );
});

test("a store that throws is an empty one at power-on", () => {
  const fails = (): never => {
    throw new Error("worn out");
  };
  const ports = {
    ...boardPorts(),
    store: { getNumber: fails, getBytes: fails, setNumber: fails, setBytes: fails, delete: fails },
  } as unknown as Ports;
  const { part, ...records } = new Executor(ports, new Uint8Array(SECTOR)).snapshot();
  assert.deepEqual([...new Set([...Object.values(records), ...Object.values(part ?? {})])], [undefined]);
});
