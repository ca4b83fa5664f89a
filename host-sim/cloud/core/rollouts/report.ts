import type { Members } from "./members";
import type { Counts, Member, Rollout } from "./rollout";

/** What a rollout has come to. Times are milliseconds since 1970, durations milliseconds. */
export interface RolloutReport {
  readonly counts: Counts;
  readonly waves: readonly Counts[];
  /** From push to success. */
  readonly durations:
    | { readonly p50: number; readonly p90: number; readonly p99: number; readonly longest: number }
    | undefined;
  /** Most frequent first. */
  readonly failures: readonly { readonly reason: string; readonly count: number }[];
  /** How many had been asked, had succeeded and had failed at each time; for a chart. */
  readonly timeline: readonly Point[];
}

export interface Point {
  readonly at: number;
  readonly asked: number;
  readonly success: number;
  readonly failure: number;
}

const POINTS_MAX = 200;
const REASONS_MAX = 20;

export function reportOf(rollout: Rollout, members: Members, now: number): RolloutReport {
  const list = members.list();
  return {
    counts: members.counts(),
    waves: rollout.waves.map((_, wave) => members.countsOf(wave)),
    durations: durations(list),
    failures: failures(list),
    timeline: timeline(rollout, list, now),
  };
}

/** The value that `share` of the sorted values do not exceed (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

function durations(members: readonly Member[]): RolloutReport["durations"] {
  const times = members
    .flatMap(({ status, took }) => (status === "success" && took !== undefined ? [took] : []))
    .sort((a, b) => a - b);
  if (times.length === 0) return undefined;
  return {
    p50: percentile(times, 0.5),
    p90: percentile(times, 0.9),
    p99: percentile(times, 0.99),
    longest: times.at(-1)!,
  };
}

function failures(members: readonly Member[]): RolloutReport["failures"] {
  const counts = new Map<string, number>();
  for (const { status, code, message } of members) {
    if (status !== "failure") continue;
    const reason = `${code === undefined ? "" : `${code}: `}${message || "no reason given"}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, REASONS_MAX);
}

/** Steps that lie close together are one point, so that any number of devices makes a chart of bounded size. */
function timeline(rollout: Rollout, members: readonly Member[], now: number): Point[] {
  const start = rollout.startedAt;
  if (start === undefined) return [];
  const end = Math.max(start + 1, rollout.finishedAt ?? now);
  const steps: { at: number; asked: number; success: number; failure: number }[] = Array.from(
    { length: POINTS_MAX + 1 },
    (_, index) => ({
      at: Math.round(start + ((end - start) * index) / POINTS_MAX),
      asked: 0,
      success: 0,
      failure: 0,
    }),
  );
  const slot = (at: number): number =>
    Math.min(POINTS_MAX, Math.max(0, Math.ceil(((at - start) / (end - start)) * POINTS_MAX)));
  for (const { status, pushedAt, finishedAt } of members) {
    if (pushedAt !== undefined) steps[slot(pushedAt)]!.asked++;
    if (finishedAt === undefined) continue;
    if (status === "success") steps[slot(finishedAt)]!.success++;
    if (status === "failure") steps[slot(finishedAt)]!.failure++;
  }
  for (let index = 1; index < steps.length; index++) {
    const [before, step] = [steps[index - 1]!, steps[index]!];
    step.asked += before.asked;
    step.success += before.success;
    step.failure += before.failure;
  }
  return steps.filter(
    (step, index) =>
      index === 0 || index === POINTS_MAX || changes(steps[index - 1]!, step) || changes(step, steps[index + 1]!),
  );
}

function changes(a: Point, b: Point): boolean {
  return a.asked !== b.asked || a.success !== b.success || a.failure !== b.failure;
}
