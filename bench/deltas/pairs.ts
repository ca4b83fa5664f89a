/** Parts of containers beside the patches of other tools, over pairs of consecutive builds in a folder. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expandPart } from "../../host-sim/delta/expand";
import { encodePart } from "../../host-sim/delta/part";
import type { Bar } from "../bars";
import { table } from "../output/table";
import type { Cell } from "../output/table";
import { installedTools, patchSize } from "./tools";
import type { Tool } from "./tools";

export interface Pair {
  readonly old: string;
  readonly file: string;
  /** Of the new image. */
  readonly size: number;
  /** Bytes of the part from the old image, of the compressed whole, and of the patch of each tool. */
  readonly part: number;
  readonly whole: number;
  readonly patches: readonly number[];
}

/** A build without a change of source differs by its time and its digests: about 0.14 % in a part. */
const REBUILD = 0.003;
const MEDIAN_BAR = 0.025;
const QUARTILE_BAR = 0.06;
/** Pairs that a statement needs. */
const PAIRS_LEAST = 25;

/** The files of `folder` in the order of their names, each with the one before. Equal ones are left out. */
export function measurePairs(folder: string, say: (line: string) => void): { pairs: Pair[]; tools: Tool[] } {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".bin"))
    .sort();
  if (names.length < 2) throw new Error(`${folder}: no two files *.bin`);
  const tools = installedTools();
  const pairs: Pair[] = [];
  names.slice(1).forEach((name, index) => {
    const before = names[index]!;
    const [old, file] = [before, name].map((each) => new Uint8Array(readFileSync(join(folder, each))));
    if (Buffer.compare(old!, file!) === 0) return;
    const part = encodePart(file!, old).bytes;
    if (Buffer.compare(expandPart(part, old!, file!.length), file!) !== 0)
      throw new Error(`${name}: the part from ${before} does not make it`);
    const pair = {
      old: before,
      file: name,
      size: file!.length,
      part: part.length,
      whole: encodePart(file!, undefined).bytes.length,
      patches: tools.map((tool) => patchSize(tool, join(folder, before), join(folder, name))),
    };
    pairs.push(pair);
    say(`${before} to ${name}: ${percent(pair.part / pair.size)} of ${pair.size} bytes`);
  });
  return { pairs, tools };
}

const isChange = ({ part, size }: Pair): boolean => part > REBUILD * size;

/** The value below which that share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  return low + (high - low) * (at - Math.floor(at));
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

export function pairBars(pairs: readonly Pair[]): Bar[] {
  const shares = pairs.filter(isChange).map(({ part, size }) => part / size);
  const bar = (what: string, share: number, limit: number): Bar => {
    const value = quantile(shares, share);
    return { what, value: shares.length < PAIRS_LEAST ? Infinity : value, limit, text: percent(value) };
  };
  return [
    bar(`part of a container, median of ${shares.length} changes`, 0.5, MEDIAN_BAR),
    bar("part of a container, 75th percentile", 0.75, QUARTILE_BAR),
  ];
}

/** Of the pairs with a change of source: shares of the image, then each pair. */
export function pairTables(pairs: readonly Pair[], tools: readonly Tool[]): string {
  const changes = pairs.filter(isChange);
  const columns: (readonly [string, (pair: Pair) => number])[] = [
    ["part of a container", ({ part }) => part],
    ...tools.map(({ name }, index) => [name, ({ patches }: Pair) => patches[index]!] as const),
    ["compressed whole", ({ whole }) => whole],
  ];
  const shares = columns.map(([name, of]): Cell[] => {
    const values = changes.map((pair) => of(pair) / pair.size);
    return [name, ...[0.25, 0.5, 0.75, 0.9, 1].map((share) => percent(quantile(values, share)))];
  });
  const rows = pairs.map((pair): Cell[] => [
    `${pair.old} ${pair.file}${isChange(pair) ? "" : ", a rebuild"}`,
    pair.size,
    ...columns.map(([, of]) => of(pair)),
  ]);
  return [
    `${changes.length} pairs of builds with a change of source, of ${pairs.length} that differ. Shares of the new image:`,
    table(["", "p25", "median", "p75", "p90", "most"], shares),
    "Bytes:",
    table(["old and new", "image", ...columns.map(([name]) => name)], rows),
  ].join("\n\n");
}
