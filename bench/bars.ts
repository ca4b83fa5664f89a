/** The figures that the project promises, beside those measured. */
import type { Cell } from "./output/table";
import type { Outcome, WeakLink } from "./measure/weak-link";
import { AGENT } from "./measure/weak-link";
import type { Work } from "./measure/work";
import type { FlashSummary } from "./simulation/device";

export interface Bar {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly text: string;
}

/** Bytes of a slot on a chip of 32 bits, and in the engine of the host. */
export const SLOT_BYTES = { chip: 16, host: 32 } as const;
export const SECTOR_BUFFER = 4_096;

export const holds = ({ value, limit }: Bar): boolean => value <= limit;

export interface Measured {
  readonly size: number;
  readonly floor: number;
  readonly flash: FlashSummary;
  readonly work: Work;
  readonly weak: readonly WeakLink[];
}

export function bars({ size, floor, flash, work, weak }: Measured): Bar[] {
  return [...flashBars(size, floor, flash), ...heapBars(work), ...weak.flatMap(lineBars)];
}

function flashBars(size: number, floor: number, flash: FlashSummary): Bar[] {
  const sectors = Math.ceil(size / 4096);
  const count = (what: string, value: number, limit: number): Bar => ({ what, value, limit, text: String(value) });
  return [
    // 4.8 s for 1 MiB.
    ratio("flash time over the floor", flash.milliseconds / floor, 1.157),
    count("erases of the slot beyond one for each sector", flash.erases - sectors, 0),
    count("NVS entries of an update beyond one for each sector", flash.nvsEntries - sectors, 64),
  ];
}

function heapBars(work: Work): Bar[] {
  const above = (work.heap.peak - work.heap.idle) * SLOT_BYTES.chip;
  const left = growth(work);
  return [
    {
      what: `heap above idle while downloading, bytes (slots of ${SLOT_BYTES.chip})`,
      value: above,
      limit: 8_192,
      text: String(above),
    },
    {
      what: "slots that an update leaves behind, over the runs after the first",
      value: left,
      limit: 0,
      text: String(left),
    },
  ];
}

function lineBars({ line, stream, steady, resets }: WeakLink): Bar[] {
  const [calm, broken] = [ours(steady), ours(resets)];
  // On a fast line the window and the time of erasing bound everybody: the bar is what a bare stream takes on it.
  const slow = line.rate <= 32 * 1024;
  const [best, name] = slow ? [calm.seconds / calm.ratio, "the ideal"] : [stream, "a bare stream"];
  const found = [
    ratio(`${line.name}: completion over ${name}`, calm.seconds / best, 1.1),
    ratio(`${line.name}, a break every 20 s: completion over ${name}`, broken.seconds / best, 1.25),
  ];
  return slow ? [...found, ...rivalBars(line.name, broken, resets)] : found;
}

function rivalBars(line: string, broken: Outcome, all: readonly Outcome[]): Bar[] {
  const rivals = all.filter((each) => each !== broken);
  return [
    {
      what: `${line} with breaks: bytes fetched again, against the best of the others`,
      value: broken.again,
      limit: Math.min(...rivals.map((each) => each.again)),
      text: broken.again.toLocaleString("en-US"),
    },
    {
      what: `${line} with breaks: seconds, against the best of the others`,
      value: broken.seconds,
      limit: Math.min(...rivals.map((each) => each.seconds)),
      text: broken.seconds.toFixed(1),
    },
  ];
}

function ratio(what: string, value: number, limit: number): Bar {
  return { what, value, limit, text: `${value.toFixed(3)} x` };
}

export function growth(work: Work): number {
  const { afterEach } = work.heap;
  return (afterEach.at(-1) ?? 0) - (afterEach[1] ?? afterEach[0] ?? 0);
}

export function ours(outcomes: readonly Outcome[]): Outcome {
  return outcomes.find(({ name }) => name === AGENT)!;
}

export function barRows(all: readonly Bar[]): Cell[][] {
  return all.map((bar) => [
    bar.what,
    bar.text,
    Number.isInteger(bar.limit) ? bar.limit : bar.limit.toFixed(bar.limit > 10 ? 1 : 2),
    holds(bar) ? "holds" : "MISSED",
  ]);
}
