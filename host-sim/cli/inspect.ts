import type { Command } from "commander";
import { join } from "node:path";
import { isContainer } from "../../src/container/format";
import { WEAR_FILE, openFlashOf } from "../board/board-folder";
import { describe } from "../board/describe";
import { readWear } from "../board/wear-file";
import { orFail } from "./errors";
import { describeContainer } from "./inspect-container";
import { describeImage } from "./inspect-image";
import { jobOf } from "./inspect-job";
import { report } from "./inspect-words";
import type { Inspection } from "./inspect-words";
import { readFirmwareFile } from "./signing/firmware-file";

/** `xs-ota inspect`. */
export function register(program: Command): void {
  program
    .command("inspect")
    .summary("tell what is in a simulated board's flash, or in a firmware file")
    .description(
      "Tells what is in a simulated board's flash: partitions, boot entries, slots, the update in hand. " +
        "Or what a firmware file is: of an image the version and product, of a container of xs-ota pack its parts, " +
        "for which images, with sizes. Changes nothing.",
    )
    .argument("[file]", "an image or a container")
    .option("--state <folder>", "the folder of a simulated board")
    .option("--json", "the board as one JSON object")
    .action(orFail(run));
}

function run(file: string | undefined, { state, json }: { readonly state?: string; readonly json?: boolean }): void {
  if ((file === undefined) === (state === undefined))
    throw new Error("name a firmware file, or a board's folder with --state");
  if (file !== undefined) return void process.stdout.write(describeFile(readFirmwareFile(file), file));
  const inspection = inspect(state!);
  process.stdout.write(json === true ? `${JSON.stringify(inspection)}\n` : report(inspection));
}

function describeFile(bytes: Uint8Array, path: string): string {
  try {
    return isContainer(bytes) ? describeContainer(bytes) : describeImage(bytes);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws one line if the folder holds no board. */
export function inspect(folder: string): Inspection {
  const { chip, table, close } = openFlashOf(folder);
  try {
    const { flashSize, boot, bootloader, slots, store, settings } = describe(chip);
    const partitions = table.partitions.map((partition) => ({
      ...partition,
      wear: readWear(join(folder, WEAR_FILE), partition.address, partition.size),
    }));
    return { flashSize, partitions, boot, bootloader, slots, ...jobOf(store), settings };
  } finally {
    close();
  }
}
