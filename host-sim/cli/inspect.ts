import type { Command } from "commander";
import { join } from "node:path";
import { WEAR_FILE, openFlashOf } from "../board/board-folder";
import { describe } from "../board/describe";
import { readWear } from "../board/wear-file";
import { orFail } from "./errors";
import { jobOf } from "./inspect-job";
import { report } from "./inspect-words";
import type { Inspection } from "./inspect-words";

/** `xs-ota inspect`. */
export function register(program: Command): void {
  program
    .command("inspect")
    .summary("tell what is in a simulated board's flash")
    .description(
      "Tells what is in a simulated board's flash: partitions, boot entries, slots, the update in hand. Changes nothing.",
    )
    .requiredOption("--state <folder>", "the board's folder")
    .option("--json", "as one JSON object")
    .action(orFail(run));
}

function run({ state, json }: { readonly state: string; readonly json?: boolean }): void {
  const inspection = inspect(state);
  process.stdout.write(json === true ? `${JSON.stringify(inspection)}\n` : report(inspection));
}

/** Throws one line if the folder holds no board. */
export function inspect(folder: string): Inspection {
  const { chip, table, close } = openFlashOf(folder);
  try {
    const { flashSize, boot, slots, store } = describe(chip);
    const partitions = table.partitions.map((partition) => ({
      ...partition,
      wear: readWear(join(folder, WEAR_FILE), partition.address, partition.size),
    }));
    return { flashSize, partitions, boot, slots, ...jobOf(store) };
  } finally {
    close();
  }
}
