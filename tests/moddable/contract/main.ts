/**
 * The contract suites of the storage ports, run by the SDK's engine against the simulated device's chip in a real file.
 * One JSON line per case.
 */
import { Directory, File } from "file";
import { FileCells } from "xs-ota/hal/moddable-sim/file-cells";
import { Process } from "xs-ota/hal/moddable-sim/process";
import { makeImage, manufacture, start } from "xs-ota/hal/moddable-sim/chip";
import { bootContract } from "contract/boot";
import type { BootBench } from "contract/boot";
import type { Case } from "contract/cases";
import { expanderContract } from "contract/expander";
import { flashContract } from "contract/flash";
import { storeContract } from "contract/store";

type StartedChip = ReturnType<typeof start>;

const folder = Process.environment("XS_OTA_SIM") ?? "";
const path = `${folder}/contract.bin`;
const FLASH = 4 << 20;
/** Larger than a sector. */
const IMAGE = 10_000;

interface Bench extends BootBench {
  readonly chip: StartedChip;
  close(): void;
}

function bench(): Bench {
  let cells = FileCells.create(path, FLASH);
  manufacture(cells, makeImage("1.0.0", IMAGE));
  let wanted = false;
  const power = (): StartedChip => start(cells, "power-on", () => (wanted = true));
  let chip = power();
  return {
    get chip() {
      return chip;
    },
    get boot() {
      return chip.boot;
    },
    get flash() {
      return chip.flash;
    },
    image: (version) => makeImage(version, IMAGE),
    restart(reason = "power-on") {
      cells.close();
      cells = new FileCells(path);
      wanted = false;
      chip = start(cells, reason, () => (wanted = true));
    },
    wantsRestart: () => wanted,
    close() {
      cells.close();
      File.delete(path);
    },
  };
}

const store = () => {
  const board = bench();
  return {
    get store() {
      return board.chip.store;
    },
    restart() {
      board.restart();
      return board.chip.store;
    },
    close: () => board.close(),
  };
};

const suites: { readonly [name: string]: readonly Case[] } = {
  flash: flashContract(bench),
  boot: bootContract(bench),
  expander: expanderContract(bench),
  store: storeContract(store),
};

Directory.create(folder);
for (const [name, cases] of Object.entries(suites)) {
  for (const { title, run } of cases) {
    let error: string | undefined;
    try {
      run();
    } catch (thrown) {
      error = String(thrown);
    }
    trace(`${JSON.stringify({ suite: name, title, error })}\n`);
  }
}
trace(`${JSON.stringify({ done: true })}\n`);
