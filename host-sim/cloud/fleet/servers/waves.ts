import type { FleetStatistics } from "../statistics";
import type { FleetRollout, RolloutPlan } from "./server";

/** What a wave run asks of a server that has no rollouts of its own. */
export interface WaveSteps {
  /** Offers the image to one more wave. */
  release(wave: number): Promise<void>;
  /** Nobody else begins. */
  halt(): Promise<void>;
}

interface Wave {
  readonly upTo: number;
  /** Numbers of devices. */
  readonly members: readonly number[];
  releasedAt?: number;
}

type Counts = FleetRollout["counts"];

/** Waves for a server without rollouts: the next one follows when the one before has ended, unless too many failed. */
export class WaveRun {
  readonly #waves: readonly Wave[];
  readonly #limit: number;
  readonly #steps: WaveSteps;
  #released = 0;
  #reason: string | undefined;

  constructor(
    members: readonly (readonly number[])[],
    { waves = [100], failureLimit = 100 }: RolloutPlan,
    steps: WaveSteps,
  ) {
    this.#waves = members.map((each, index) => ({ upTo: waves[index]!, members: each }));
    this.#limit = failureLimit;
    this.#steps = steps;
  }

  async begin(): Promise<void> {
    const wave = this.#waves[this.#released]!;
    await this.#steps.release(this.#released++);
    wave.releasedAt = Date.now();
  }

  async look(statistics: FleetStatistics): Promise<FleetRollout> {
    const asked = this.#waves.slice(0, this.#released).flatMap(({ members }) => members);
    const { success, failure } = count(asked, statistics, true);
    if (this.#reason === undefined && failure > (asked.length * this.#limit) / 100) {
      await this.#steps.halt();
      this.#reason = `${failure} of ${asked.length} devices asked have failed, more than ${this.#limit} %`;
    }
    const isOver = success + failure === asked.length;
    if (this.#reason === undefined && isOver && this.#released < this.#waves.length) await this.begin();
    return this.#view(statistics);
  }

  #view(statistics: FleetStatistics): FleetRollout {
    const waves = this.#waves.map(({ upTo, members, releasedAt }, index) => ({
      upTo,
      size: members.length,
      ...(releasedAt === undefined ? {} : { releasedAt }),
      counts: count(members, statistics, index < this.#released),
    }));
    const sum = (key: keyof Counts): number => waves.reduce((total, { counts }) => total + counts[key], 0);
    const counts = {
      pending: sum("pending"),
      pushed: sum("pushed"),
      upgrading: sum("upgrading"),
      success: sum("success"),
      failure: sum("failure"),
      cancelled: 0,
    };
    if (this.#reason !== undefined) return { state: "halted", reason: this.#reason, counts, waves };
    const all = waves.reduce((total, { size }) => total + size, 0);
    return { state: counts.success + counts.failure === all ? "finished" : "running", counts, waves };
  }
}

function count(members: readonly number[], statistics: FleetStatistics, released: boolean): Counts {
  const counts: Counts = { pending: 0, pushed: 0, upgrading: 0, success: 0, failure: 0, cancelled: 0 };
  for (const member of members) {
    const state = statistics.stateOf(member);
    if (state === "done") counts.success++;
    else if (state === "fail") counts.failure++;
    else if (state !== "off" && state !== "connecting" && state !== "idle") counts.upgrading++;
    else if (released) counts.pushed++;
    else counts.pending++;
  }
  return counts;
}

/** The devices of each wave, where any order will do. */
export function inOrder(devices: number, waves: readonly number[] = [100]): number[][] {
  const ends = waves.map((percent) => Math.round((devices * percent) / 100));
  return ends.map((end, index) => {
    const from = ends[index - 1] ?? 0;
    return Array.from({ length: end - from }, (_, at) => from + at);
  });
}
