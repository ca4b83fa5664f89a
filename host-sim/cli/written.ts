import { statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { readText } from "../board/config/text-file";

/** Milliseconds: as long as a cloud may take to start on a busy machine. */
const WAIT_MAX = 60_000;
const LOOK_EVERY = 100;

/**
 * Waits while the file is empty. A shell makes the file of `xs-ota cloud > device.json &` before the cloud writes into
 * it. Rejects with one line if nobody does.
 */
export async function written(path: string, say: (line: string) => void): Promise<void> {
  for (let waited = 0; isEmpty(path); waited += LOOK_EVERY) {
    if (waited === 0) say(`${path} is empty: waiting for it to be written`);
    if (waited >= WAIT_MAX) throw new Error(`${path} is empty`);
    await setTimeout(LOOK_EVERY);
  }
}

/** False for what is no plain file: a pipe can be read once only. */
function isEmpty(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true && readText(path).trim() === "";
}
