/** The figures that the project promises, beside those measured. */
import type { Cell } from "./output/table";
import type { WindowRow } from "./measure/receive-windows";
import { WINDOWS } from "./measure/receive-windows";
import type { LeastHeap } from "./measure/least-heap";
import type { Outcome, WeakLink } from "./measure/weak-link";
import { AGENT } from "./measure/weak-link";
import type { Work } from "./measure/work";
import type { FlashSummary } from "./simulation/device";
import type { RunResult } from "./simulation/update";

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
  readonly update: RunResult;
  readonly work: Work;
  readonly weak: readonly WeakLink[];
  readonly cuts: readonly { readonly outcomes: readonly Outcome[] }[];
  readonly windows: readonly WindowRow[];
  readonly leastHeap: readonly LeastHeap[];
}

const MIB = 1 << 20;
/** A sector, and what may be in flight. */
const LOST_BY_A_CUT = 4_096 + 16_384;

export function bars({ size, update, work, weak, cuts, windows, leastHeap }: Measured): Bar[] {
  return [
    ...flashBars(size, update.flash),
    ...networkBars(size, update, cuts, windows),
    count("bytecodes per KiB downloaded", perKiB(work, work.bytecodes.downloading), 3_000),
    ...heapBars(work),
    ...leastHeap
      .filter(({ name }) => name === SMALL_RECORDS)
      .map(({ name, bytes }) => count(`least heap for an update, ${name}, bytes`, bytes, 48_000)),
    ...weak.flatMap((each) => lineBars(each, windows)),
    ...windowBars(windows),
  ];
}

/** Of bench/least-heap.json. */
const SMALL_RECORDS = "TLS, records of 4 KiB";

const count = (what: string, value: number, limit: number): Bar => ({
  what,
  value,
  limit,
  text: value.toLocaleString("en-US"),
});

export const perKiB = (work: Work, value: number): number => Math.round(value / work.kibibytes);

function flashBars(size: number, flash: FlashSummary): Bar[] {
  const sectors = Math.ceil(size / 4096);
  const seconds = (flash.milliseconds / 1000) * (MIB / size);
  return [
    { what: "flash time of 1 MiB, s", value: seconds, limit: 4.8, text: seconds.toFixed(2) },
    count("erases of the slot beyond one for each sector", flash.erases - sectors, 0),
    count("NVS entries of an update beyond one for each sector", flash.nvsEntries - sectors, 64),
  ];
}

/** Bytes of the heads of answers. */
export const headBytes = (size: number, { file, again }: RunResult): number => file.sent - again - size;

function networkBars(size: number, update: RunResult, cuts: Measured["cuts"], windows: Measured["windows"]): Bar[] {
  const heads = Math.round((headBytes(size, update) * MIB) / size);
  const again = Math.max(...cuts.map(({ outcomes }) => ours(outcomes).worstAgain));
  return [
    count("bytes of HTTP response heads for 1 MiB", heads, 4_000),
    count("bytes fetched again after a power cut at 10, 50 or 90 %, at most", again, LOST_BY_A_CUT),
    ...WINDOWS.map((window) =>
      count(
        `bytes at risk of a power cut at any moment, window ${window.toLocaleString("en-US")}`,
        Math.max(...windows.filter((row) => row.window === window).map(({ atRisk }) => atRisk)),
        LOST_BY_A_CUT,
      ),
    ),
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

function lineBars({ line, steady, resets }: WeakLink, windows: readonly WindowRow[]): Bar[] {
  const [calm, broken] = [ours(steady), ours(resets)];
  if (line.rate <= 32 * 1024)
    return [
      ratio(`${line.name}: completion over the ideal`, calm.ratio, 1.03),
      ratio(`${line.name}, a break every 20 s: completion over the ideal`, broken.ratio, 1.08),
      ...rivalBars(line.name, broken, resets),
    ];
  // On a fast line the window and the time of erasing bound everybody.
  const stream = windows.find((row) => row.line.name === line.name)!.ratios[1]!;
  return [ratio(`${line.name}, a break every 20 s: completion over a stream without`, broken.ratio / stream, 1.25)];
}

/** Below the stream that erases as the agent does, by so much of the ideal, in the default window. */
const BELOW_STREAM = 0.05;
/** In the widest window, by line. */
const WIDE: { readonly [line: string]: number } = { "64 KiB/s": 1.06, "256 KiB/s": 1.1 };

function windowBars(rows: readonly WindowRow[]): Bar[] {
  return rows.flatMap(({ line, window, ratios }) => {
    const wide = WIDE[line.name];
    const [agent, stream] = [ratios[0]!, ratios[1]!];
    const name = `${line.name}, window ${window.toLocaleString("en-US")}: completion over the ideal`;
    if (wide === undefined) return [];
    if (window === WINDOWS[0])
      return [ratio(`${name}; a stream with blocks less ${BELOW_STREAM}`, agent, stream - BELOW_STREAM)];
    return window === WINDOWS.at(-1) ? [ratio(name, agent, wide)] : [];
  });
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
    Number.isInteger(bar.limit) ? bar.limit : bar.limit.toFixed(bar.limit > 10 ? 1 : 3),
    holds(bar) ? "holds" : "MISSED",
  ]);
}
