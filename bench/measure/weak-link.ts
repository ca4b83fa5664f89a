/** The agent and the other strategies over the same lines with the same breaks, and over power cuts. */
import { runPeer } from "../peers/run";
import { STRATEGIES } from "../peers/strategies";
import type { Strategy } from "../peers/strategies";
import { runUpdate } from "../simulation/update";
import type { RunOptions } from "../simulation/update";
import { LINES, RESET_EVERY, ideal } from "./lines";
import type { NamedLine } from "./lines";

export const AGENT = "xs-ota";

export interface Outcome {
  readonly name: string;
  readonly like: string;
  /** Of all runs. */
  readonly finished: boolean;
  /** Means over the seeds. */
  readonly seconds: number;
  /** Times the ideal. */
  readonly ratio: number;
  readonly worstRatio: number;
  readonly again: number;
  readonly worstAgain: number;
  readonly requests: number;
  readonly flashRatio: number;
  readonly nvsEntries: number;
  readonly nvsErases: number;
  readonly failures: number;
}

type One = Pick<ReturnType<typeof runPeer>, "finished" | "downloadMs" | "again" | "requests" | "flash" | "failures">;

function one(strategy: Strategy | undefined, options: RunOptions): One {
  return strategy === undefined ? { ...runUpdate(options), failures: 0 } : runPeer(strategy, options);
}

export function everybody(
  size: number,
  line: NamedLine,
  seeds: readonly number[],
  cuts: readonly number[],
  floor: number,
): Outcome[] {
  const best = ideal(size, line);
  return [undefined, ...STRATEGIES].map((strategy) => {
    const runs = seeds.map((seed) => one(strategy, { size, line, seed, cuts }));
    const mean = (of: (run: One) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
    return {
      name: strategy?.name ?? AGENT,
      like: strategy?.like ?? "",
      finished: runs.every((run) => run.finished),
      seconds: mean((run) => run.downloadMs) / 1000,
      ratio: mean((run) => run.downloadMs) / best,
      worstRatio: Math.max(...runs.map((run) => run.downloadMs)) / best,
      again: Math.round(mean((run) => run.again)),
      worstAgain: Math.max(...runs.map((run) => run.again)),
      requests: mean((run) => run.requests),
      flashRatio: mean((run) => run.flash.milliseconds) / floor,
      nvsEntries: mean((run) => run.flash.nvsEntries),
      nvsErases: mean((run) => run.flash.nvsErases),
      failures: mean((run) => run.failures),
    };
  });
}

export interface WeakLink {
  readonly line: NamedLine;
  readonly steady: readonly Outcome[];
  readonly resets: readonly Outcome[];
}

export function weakLink(
  size: number,
  seeds: readonly number[],
  floor: number,
  lines: readonly NamedLine[] = LINES,
): WeakLink[] {
  return lines.map((line) => ({
    line,
    steady: everybody(size, line, seeds.slice(0, 1), [], floor),
    resets: everybody(size, { ...line, resetEvery: RESET_EVERY }, seeds, [], floor),
  }));
}

/** The power is cut once, at a share of the file. */
export const CUTS = [0.1, 0.5, 0.9] as const;

export function powerCuts(
  size: number,
  seeds: readonly number[],
  floor: number,
  line: NamedLine = LINES[1]!,
): { readonly cut: number; readonly outcomes: readonly Outcome[] }[] {
  return CUTS.map((cut) => ({ cut, outcomes: everybody(size, line, seeds, [cut], floor) }));
}
