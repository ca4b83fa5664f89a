/** `npm run bench:deltas`: what updates by containers cost, and how small their parts are for the builds in a folder. */
import { fileURLToPath } from "node:url";
import { barRows, holds } from "../bars";
import type { Bar } from "../bars";
import { between } from "../output/document";
import { table } from "../output/table";
import { CODE_BAR, RAM_BAR, decoderSizes, decoderTable, ramOf } from "./decoder";
import type { DecoderSize } from "./decoder";
import { measurePairs, pairBars, pairTables } from "./pairs";
import { deltaBars, deltaTable, measureDeltas } from "./updates";

const HELP = `usage: npm run bench:deltas [-- options]

Updates by containers beside those by plain images, on the line and the flash of npm run bench, and the size of the chip's decoder.
The last line is the result. Exit status 1: a bar is missed.

  --pairs FOLDER   only this: FOLDER holds builds of one firmware as files *.bin, in the order of their names. Each is compared with
                   the one before: the part of a container beside the patches of bsdiff, xdelta3 and detools, as far as they are installed
  --docs           also writes the tables into docs/BENCH.md
  --help
`;

interface Result {
  /** Of the marks in the document. */
  readonly name: string;
  readonly text: string;
  readonly bars: readonly Bar[];
}

function updates(): Result {
  const rows = measureDeltas();
  const sizes = decoderSizes();
  const bars = [...deltaBars(rows), ...sizes.slice(0, 1).flatMap(decoderBars)];
  return { name: "deltas", text: [deltaTable(rows), decoderTable(sizes)].join("\n\n"), bars };
}

function decoderBars(size: DecoderSize): Bar[] {
  const bar = (what: string, value: number, limit: number): Bar => ({
    what: `${what}, bytes (${size.target})`,
    value,
    limit,
    text: value.toLocaleString("en-US"),
  });
  return [bar("code of the decoder", size.code, CODE_BAR), bar("system heap while expanding", ramOf(size), RAM_BAR)];
}

function pairs(folder: string): Result {
  const { pairs: measured, tools } = measurePairs(folder, (line) => void process.stderr.write(`${line}\n`));
  return { name: "pairs", text: pairTables(measured, tools), bars: pairBars(measured) };
}

function main(words: readonly string[]): void {
  const others = words.filter((word) => word !== "--docs");
  const folder = others[0] === "--pairs" && others.length === 2 ? others[1] : undefined;
  if (others.length > 0 && folder === undefined) return void process.stdout.write(HELP);
  const { name, text, bars } = folder === undefined ? updates() : pairs(folder);
  const whole = `${text}\n\n${table(["promise", "measured", "bar", ""], barRows(bars))}`;
  if (words.includes("--docs"))
    between(fileURLToPath(new URL("../../docs/BENCH.md", import.meta.url)), name, `\n${whole}\n`);
  process.stdout.write(`${whole}\n\n`);
  const missed = bars.filter((bar) => !holds(bar));
  console.log(
    `${missed.length === 0 ? "ok" : "missed"}: ${bars.map(({ what, text: value }) => `${what} ${value}`).join(", ")}`,
  );
  if (missed.length > 0) process.exitCode = 1;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
