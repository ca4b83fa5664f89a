import type { Command } from "commander";
import { join } from "node:path";
import { isContainer } from "../../src/container/format";
import { WEAR_FILE, openFlashOf } from "../board/board-folder";
import { describe } from "../board/describe";
import { readWear } from "../board/wear-file";
import { describeDump } from "../dump/describe-dump";
import { isFlash } from "../dump/table";
import { chipName } from "../../hal/model-chip/chips";
import { orFail } from "./errors";
import { describeContainer } from "./inspect-container";
import { describeImage } from "./inspect-image";
import { jobOf } from "./inspect-job";
import { report } from "./inspect-words";
import type { BoardInspection, Inspection } from "./inspect-words";
import { readFirmwareFile } from "./signing/firmware-file";

/** `xs-ota inspect`. */
export function register(program: Command): void {
  program
    .command("inspect")
    .summary("tell what is in a board's flash, or in a firmware file")
    .description(
      "Tells what is in a board's flash: partitions, boot entries, slots, trial, the update in hand, the last fault, and " +
        "the names of settings without their values. A simulated board is a folder, a real one the file that " +
        "esptool read-flash 0 ALL flash.bin makes. Or what a firmware file is: of an image the version and product, of a " +
        "container of xs-ota pack its parts, for which images, with sizes. Changes nothing.",
    )
    .argument("[file]", "a dump of a real board's flash, an image or a container")
    .option("--state <folder>", "the folder of a simulated board")
    .option("--json", "the board as one JSON object")
    .action(orFail(run));
}

function run(file: string | undefined, { state, json }: { readonly state?: string; readonly json?: boolean }): void {
  if ((file === undefined) === (state === undefined))
    throw new Error("name a firmware file, or a board's folder with --state");
  const bytes = file === undefined ? undefined : readFirmwareFile(file);
  if (bytes !== undefined && !isFlash(bytes)) return void process.stdout.write(describeFile(bytes, file!));
  const inspection = bytes === undefined ? inspect(state!) : inspectDump(bytes, file!);
  process.stdout.write(json === true ? `${JSON.stringify(inspection)}\n` : report(inspection));
}

/** Throws one line if the file is no flash that can be read. */
export function inspectDump(bytes: Uint8Array, path: string): Inspection {
  try {
    const { flashSize, partitions, boot, bootloader, slots, store, settings, lastRun, notes, chip } =
      describeDump(bytes);
    return {
      flashSize,
      ...(chip === undefined ? {} : { chip: chipName(chip) }),
      notes,
      partitions,
      boot,
      bootloader,
      slots,
      ...jobOf(store),
      settings,
      lastRun,
    };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

function describeFile(bytes: Uint8Array, path: string): string {
  try {
    return isContainer(bytes) ? describeContainer(bytes) : describeImage(bytes);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws one line if the folder holds no board. */
export function inspect(folder: string): BoardInspection {
  const { chip, table, close } = openFlashOf(folder);
  try {
    const { flashSize, boot, bootloader, slots, store, settings, lastRun } = describe(chip);
    const partitions = table.partitions.map((partition) => ({
      ...partition,
      wear: readWear(join(folder, WEAR_FILE), partition.address, partition.size),
    }));
    return { flashSize, partitions, boot, bootloader, slots, ...jobOf(store), settings, lastRun };
  } finally {
    close();
  }
}
