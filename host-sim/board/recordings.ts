/** The recordings of a board's failures: files of its folder for `xs-ota replay`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const RECORDINGS = "recordings";
/** The latest ones are kept. */
const KEPT = 8;
const NAME = /^[0-9]{6}-[0-9a-f]{6}\.xsr$/;

/** Writes one, and returns its path in the folder. Throws what the file system throws. */
export function keepRecording(folder: string, recording: Uint8Array, reference: string): string {
  const place = join(folder, RECORDINGS);
  mkdirSync(place, { recursive: true });
  const before = readdirSync(place)
    .filter((name) => NAME.test(name))
    .sort();
  const number = before.length === 0 ? 1 : Number(before.at(-1)!.slice(0, 6)) + 1;
  const name = `${String(number % 1_000_000).padStart(6, "0")}-${reference}.xsr`;
  writeFileSync(join(place, name), recording);
  for (const old of before.slice(0, Math.max(0, before.length + 1 - KEPT))) rmSync(join(place, old), { force: true });
  return `${RECORDINGS}/${name}`;
}
