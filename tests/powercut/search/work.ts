/** One piece of a search: plain data, small enough that a worker needs seconds for it. */
import { parseCase } from "./case-line";
import type { Density } from "../simulation/faults";
import { exhaust, replay, sample, wear } from "./search";
import type { Setting, Sink } from "./search";
import type { Tally } from "../checks/tally";
import { count, emptyTally, pointOf } from "../checks/tally";

export type Work =
  /** Every cut, and with further densities every sequence of cuts. `points`: counts distinct single cuts. */
  | {
      readonly kind: "exhaust";
      readonly setting: Setting;
      readonly densities: readonly Density[];
      readonly strides?: readonly number[];
      readonly part: { readonly index: number; readonly of: number };
      readonly points?: boolean;
    }
  | {
      readonly kind: "sample";
      readonly setting: Setting;
      readonly seed: number;
      readonly count: number;
      readonly depth: number;
    }
  /** Cases one by one. */
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  | { readonly kind: "wear"; readonly setting: Setting; readonly seeds: number; readonly stride: number };

export function carryOut(work: Work): Tally {
  const tally = emptyTally();
  if (work.kind === "lines") {
    for (const line of work.lines) {
      const which = parseCase(line);
      count(tally, which, replay(which));
    }
    return tally;
  }
  const { setting } = work;
  const sink: Sink = (result) => count(tally, setting, result);
  switch (work.kind) {
    case "exhaust": {
      const { densities, strides, part } = work;
      exhaust(setting, { densities, part, ...(strides === undefined ? {} : { strides }) }, (result) => {
        sink(result);
        const [cut, ...more] = result.cuts;
        if (work.points === true && more.length === 0 && cut !== undefined && result.point?.operation !== undefined)
          tally.points.push(pointOf(result.point.operation, cut.fault));
      });
      break;
    }
    case "sample":
      sample(setting, work.seed, work.count, work.depth, sink);
      break;
    case "wear":
      wear(setting, ["n", "s"], work.seeds, work.stride, sink);
      break;
  }
  return tally;
}
