/** What the project promises of itself, against what was measured. */
import type { Cell } from "./output/table";
import type { Outcome, WeakLink } from "./measure/weak-link";
import { AGENT } from "./measure/weak-link";
import type { Work } from "./measure/work";
import type { FlashSummary } from "./world/device";

export interface Bar {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly text: string;
}

/** Bytes of a slot on a chip of 32 bits, and in the engine of the desk. */
export const SLOT_BYTES = { chip: 16, desk: 32 } as const;
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
  const sectors = Math.ceil(size / 4096);
  const found: Bar[] = [
    {
      what: "flash time over the floor",
      value: flash.milliseconds / floor,
      limit: 1.1,
      text: `${(flash.milliseconds / floor).toFixed(3)} x`,
    },
    {
      what: "erases of the slot beyond one for each sector",
      value: flash.erases - sectors,
      limit: 0,
      text: String(flash.erases - sectors),
    },
    {
      what: "NVS entries of an update beyond one for each sector",
      value: flash.nvsEntries - sectors,
      limit: 64,
      text: String(flash.nvsEntries - sectors),
    },
    {
      what: `heap above idle while downloading, bytes (slots of ${SLOT_BYTES.chip})`,
      value: (work.heap.peak - work.heap.idle) * SLOT_BYTES.chip,
      limit: 8_192,
      text: String((work.heap.peak - work.heap.idle) * SLOT_BYTES.chip),
    },
    {
      what: "slots that an update leaves behind, over the runs after the first",
      value: growth(work),
      limit: 0,
      text: String(growth(work)),
    },
  ];
  for (const { line, stream, steady, resets } of weak) {
    const [calm, broken] = [ours(steady), ours(resets)];
    // On a fast line the window and the time of erasing bound everybody: the bar is what a bare stream takes on it.
    const slow = line.rate <= 32 * 1024;
    const [best, name] = slow ? [calm.seconds / calm.ratio, "the ideal"] : [stream, "a bare stream"];
    found.push({
      what: `${line.name}: completion over ${name}`,
      value: calm.seconds / best,
      limit: 1.1,
      text: `${(calm.seconds / best).toFixed(3)} x`,
    });
    found.push({
      what: `${line.name}, a break every 20 s: completion over ${name}`,
      value: broken.seconds / best,
      limit: 1.25,
      text: `${(broken.seconds / best).toFixed(3)} x`,
    });
    if (!slow) continue;
    const rivals = resets.filter((each) => each !== broken);
    const [again, quickest] = [
      Math.min(...rivals.map((each) => each.again)),
      Math.min(...rivals.map((each) => each.seconds)),
    ];
    found.push({
      what: `${line.name} with breaks: bytes fetched again, against the best of the others`,
      value: broken.again,
      limit: again,
      text: broken.again.toLocaleString("en-US"),
    });
    found.push({
      what: `${line.name} with breaks: seconds, against the best of the others`,
      value: broken.seconds,
      limit: quickest,
      text: broken.seconds.toFixed(1),
    });
  }
  return found;
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
