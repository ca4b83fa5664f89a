/**
 * Rollouts in groups (fact 46): the next group begins when enough of the one before succeeded; more errors than the
 * threshold pause it. The real server looks once a second, so a group begins a little after the report that let it.
 */
import type { Action, DistributionSet, Target } from "./model";
import { OperatorError } from "./repository";
import type { Repository } from "./repository";

export interface RolloutRequest {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly set: DistributionSet;
  readonly groups: number;
  /** Percent of a group; reached or more. */
  readonly success: number;
  /** Percent of a group; more than it. */
  readonly error: number;
}

export interface Rollout extends RolloutRequest {
  readonly id: bigint;
  status: "ready" | "running" | "paused" | "finished";
  readonly actions: readonly (readonly Action[])[];
  /** Groups that have begun. */
  begun: number;
  /** An error beyond this group's threshold was answered by a person's "resume". */
  resumedIn: number;
}

/** Milliseconds between two looks (fact 46: a group came 1 s after its condition was met). */
const LOOK = 1_000;

export class Rollouts {
  readonly #repository: Repository;
  readonly #rollouts = new Map<bigint, Rollout>();
  #lookedAt = -Infinity;

  constructor(repository: Repository, rollouts: readonly Rollout[] = []) {
    this.#repository = repository;
    for (const rollout of rollouts) this.#rollouts.set(rollout.id, rollout);
  }

  get all(): readonly Rollout[] {
    return [...this.#rollouts.values()];
  }

  create(request: RolloutRequest): Rollout {
    const { targets, groups, set } = request;
    if (targets.length === 0) throw new OperatorError(400, "no target matches the filter");
    if (groups < 1 || groups > targets.length) throw new OperatorError(400, "as many groups as targets at most");
    const size = Math.ceil(targets.length / groups);
    const actions = Array.from({ length: groups }, (_, group) =>
      targets.slice(group * size, (group + 1) * size).map((target) => this.#repository.schedule(target, set)),
    );
    const id = BigInt(this.#rollouts.size + 1);
    const rollout: Rollout = { ...request, id, status: "ready", actions, begun: 0, resumedIn: -1 };
    this.#rollouts.set(id, rollout);
    return rollout;
  }

  start(rollout: Rollout): void {
    if (rollout.status !== "ready") throw new OperatorError(400, "the rollout is not ready");
    rollout.status = "running";
    this.#beginNext(rollout);
  }

  /** Goes on with the next group; those that failed get nothing anew. */
  resume(rollout: Rollout): void {
    if (rollout.status !== "paused") throw new OperatorError(400, "the rollout is not paused");
    rollout.status = "running";
    rollout.resumedIn = rollout.begun - 1;
    this.#beginNext(rollout);
  }

  rollout(id: string): Rollout {
    const rollout = this.#rollouts.get(BigInt(id));
    if (rollout === undefined) throw new OperatorError(404, `rollout ${id} does not exist`);
    return rollout;
  }

  /** Called with every request: the scheduler of the real server runs by itself. */
  look(): void {
    const now = this.#repository.now();
    if (now - this.#lookedAt < LOOK) return;
    this.#lookedAt = now;
    for (const rollout of this.#rollouts.values()) if (rollout.status === "running") this.#evaluate(rollout);
  }

  perStatus({ actions, begun }: Rollout): Record<string, number> {
    const counts: Record<string, number> = {
      notstarted: 0,
      scheduled: 0,
      running: 0,
      error: 0,
      finished: 0,
      cancelled: 0,
    };
    actions.forEach((group, index) => {
      for (const { status } of group) {
        const state = index >= begun ? "scheduled" : (OVER[status] ?? "running");
        counts[state]!++;
      }
    });
    return counts;
  }

  #evaluate(rollout: Rollout): void {
    const { actions, begun, success, error, resumedIn } = rollout;
    const group = actions[begun - 1]!;
    const share = (status: Action["status"]): number =>
      (group.filter((action) => action.status === status).length / group.length) * 100;
    if (resumedIn < begun - 1 && share("error") > error) {
      rollout.status = "paused";
      return;
    }
    if (begun < actions.length) {
      if (share("finished") >= success) this.#beginNext(rollout);
    } else if (actions.flat().every(({ active }) => !active)) rollout.status = "finished";
  }

  #beginNext(rollout: Rollout): void {
    const group = rollout.actions[rollout.begun];
    if (group === undefined) return;
    rollout.begun++;
    for (const action of group) this.#repository.begin(action);
  }
}

const OVER: Readonly<Record<string, string>> = {
  finished: "finished",
  downloaded: "finished",
  error: "error",
  canceled: "cancelled",
};
