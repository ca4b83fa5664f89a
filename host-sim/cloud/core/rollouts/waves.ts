import type { Members } from "./members";
import { isOver, type Rollout, type Wave } from "./rollout";

const WAVES_MAX = 20;

/** Throws one line unless the percentages rise up to 100. */
export function checkWaves(upTo: readonly number[]): void {
  const rising = upTo.every((percent, index) => percent > (upTo[index - 1] ?? 0));
  if (!rising || upTo.at(-1) !== 100) throw new Error("waves are rising percentages, and the last one is 100");
  if (upTo.length > WAVES_MAX) throw new Error(`at most ${WAVES_MAX} waves`);
}

/** How many devices each wave has: at least one while there are any, rounded up, so that the first is never empty. */
export function planWaves(upTo: readonly number[], devices: number): Wave[] {
  let planned = 0;
  return upTo.map((percent) => {
    const size = Math.ceil((devices * percent) / 100) - planned;
    planned += size;
    return { upTo: percent, size };
  });
}

/** The wave of each device, in order. */
export function waveOf(waves: readonly Wave[], position: number): number {
  let end = 0;
  for (const [index, { size }] of waves.entries()) {
    end += size;
    if (position < end) return index;
  }
  return waves.length - 1;
}

export function releasedWaves(rollout: Rollout): number {
  return rollout.waves.filter(({ releasedAt }) => releasedAt !== undefined).length;
}

export type Decision =
  | { readonly next: "wait" }
  | { readonly next: "release" }
  | { readonly next: "finish" }
  | { readonly next: "halt"; readonly reason: string };

/**
 * What becomes of a rollout now.
 *
 * It halts as soon as more than the allowed share of the devices asked so far have failed; neither those that are
 * offline nor those that were called off count among them. A wave goes out when nobody in those before it is at work
 * any more and somebody in the latest has a result; devices that are offline are not waited for.
 */
export function decide(rollout: Rollout, members: Members): Decision {
  if (isOver(rollout) || rollout.state === "scheduled") return { next: "wait" };
  const released = releasedWaves(rollout);
  const { pending, pushed, upgrading, success, failure, cancelled } = members.counts(released);
  const final = success + failure + cancelled;
  if (members.size === final) return { next: "finish" };
  if (rollout.state === "halted") return { next: "wait" };
  // Those that are offline must not make the share of failures look small: they count once they are asked.
  const asked = success + failure + pushed + upgrading + pending - members.waiting;
  const limit = rollout.failureLimit;
  const fresh = failure - rollout.forgiven;
  if (limit !== undefined && fresh > 0 && fresh * 100 > limit * asked) {
    return { next: "halt", reason: `${failure} of ${asked} devices failed, and ${limit} % may` };
  }
  if (released === rollout.waves.length || pushed + upgrading > 0) return { next: "wait" };
  if (released === 0) return { next: "release" };
  const latest = members.countsOf(released - 1);
  const answered = latest.success + latest.failure + latest.cancelled > 0;
  const empty = rollout.waves[released - 1]!.size === 0;
  return answered || empty ? { next: "release" } : { next: "wait" };
}
