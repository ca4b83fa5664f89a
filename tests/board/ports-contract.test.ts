/** The simulated board's ports, in memory and in a file, pass the suites that every implementation passes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResetReason } from "../../src/ports";
import type { StoragePorts } from "../../hal/model-chip/board-ports";
import { boardPorts } from "../../hal/model-chip/board-ports";
import { OWN_BOOTLOADER, STOCK_BOOTLOADER } from "../../hal/model-chip/bootloader";
import { nodeExpander } from "../../host-sim/board/node-expander";
import { FileCells } from "../../host-sim/board/file-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { Slots } from "../../hal/model-chip/slots";
import { startChip } from "../../hal/model-chip/start-up";
import type { RtcMemory } from "../../hal/model-chip/start-up";
import type { BootBench } from "../contract/boot";
import { bootContract } from "../contract/boot";
import { expanderContract } from "../contract/expander";
import { flashContract } from "../contract/flash";
import { retainedContract } from "../contract/retained";
import { runCases } from "../contract/run-cases";
import { storeContract } from "../contract/store";
import { firmware, smallTable } from "./firmware";

interface Bench extends BootBench {
  readonly ports: StoragePorts;
}

function memoryBench(bootloader = OWN_BOOTLOADER): Bench {
  const board = new MemoryBoard({
    factoryImage: firmware("1.0.0"),
    table: smallTable(),
    bootloader,
    expander: nodeExpander,
  });
  board.powerOn();
  return {
    bootloader: bootloader.rollsBack ? "rollback" : "stock",
    get ports() {
      return board.ports;
    },
    get boot() {
      return board.ports.boot;
    },
    get flash() {
      return board.ports.flash;
    },
    image: firmware,
    restart: (reason) => void board.powerOn(reason),
    wantsRestart: () => board.restartWanted !== undefined,
  };
}

/** Opens the file anew at each start, as a new process would. */
function fileBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-board-"));
  const path = join(folder, "flash.bin");
  const table = smallTable();
  const factory = FileCells.create(path, table.end);
  flashFactory(new FlashChip(factory), table, firmware("1.0.0"));
  factory.close();
  let cells: FileCells;
  let ports: StoragePorts;
  let wanted = false;
  const rtc: RtcMemory = {};
  const restart = (resetReason: ResetReason = "power-on"): void => {
    cells?.close();
    cells = FileCells.open(path);
    wanted = false;
    const chip = new FlashChip(cells);
    const read = PartitionTable.read(chip);
    const slots = new Slots(chip, read, 0);
    const parts = { chip, table: read, slots, rtc, rtcTime: () => 0 };
    const { boot: result, ...started } = startChip(parts, resetReason);
    if (result.bricked !== undefined) throw new Error(result.bricked);
    ports = boardPorts({
      ...parts,
      ...started,
      running: result.slot === "ota_0" ? 0 : 1,
      expander: nodeExpander,
      restart: () => (wanted = true),
    });
  };
  restart();
  return {
    get ports() {
      return ports;
    },
    get boot() {
      return ports.boot;
    },
    get flash() {
      return ports.flash;
    },
    image: firmware,
    restart,
    wantsRestart: () => wanted,
    close() {
      cells.close();
      rmSync(folder, { recursive: true });
    },
  };
}

for (const [name, make] of [
  ["board in memory", () => memoryBench()],
  ["board in memory with the stock bootloader", () => memoryBench(STOCK_BOOTLOADER)],
  ["board in a file", fileBench],
] as const) {
  runCases(`${name}, flash`, flashContract(make));
  runCases(`${name}, boot`, bootContract(make));
  runCases(`${name}, expander`, expanderContract(make));
  runCases(
    `${name}, retained memory`,
    retainedContract(() => {
      const bench = make();
      return {
        get retained() {
          return bench.ports.retained;
        },
        restart: (reason) => bench.restart(reason),
        close: () => bench.close?.(),
      };
    }),
  );
  runCases(
    `${name}, store`,
    storeContract(() => {
      const bench = make();
      return {
        get store() {
          return bench.ports.store;
        },
        restart() {
          bench.restart();
          return bench.ports.store;
        },
        close: () => bench.close?.(),
      };
    }),
  );
}
