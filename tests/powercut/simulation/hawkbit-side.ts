/**
 * The update server of a scenario on hawkBit: the double with its records, one action for each push of the operator, and
 * what the device has said of each. Forked with the simulation.
 */
import { HawkbitDouble } from "../../doubles/hawkbit/server";
import type { Action, SoftwareModule } from "../../doubles/hawkbit/model";
import type { CloudSide } from "./cloud-side";
import { servedOf } from "./push";
import type { Scenario } from "./scenarios";

export const HAWKBIT_DEVICE = {
  server: "http://cloud",
  controllerId: "board",
  targetToken: "c2VjcmV0",
  part: "firmware",
} as const;

/** Of the simulation's time 0, ms since 1970. */
const EPOCH = Date.UTC(2026, 10, 30);

export type End = "success" | "failure" | "canceled";

export class HawkbitSide {
  readonly double: HawkbitDouble;
  /** Ids of the actions, in the order of the cloud's tasks. */
  readonly actions: string[] = [];
  /** What the device has said of an action's end. */
  readonly ends = new Map<string, End>();
  /** Actions that the operator has cancelled once. */
  readonly #cancelled = new Set<string>();
  /** Those of the pushes, in their order; shared by all forks. */
  readonly #modules: readonly SoftwareModule[];

  private constructor(double: HawkbitDouble, modules: readonly SoftwareModule[]) {
    this.double = double;
    this.#modules = modules;
  }

  /** Undefined for a scenario on another platform. */
  static begin({ platform, pushes }: Scenario, now: () => number): HawkbitSide | undefined {
    if (platform !== "hawkbit") return undefined;
    const double = new HawkbitDouble({ now: () => EPOCH + now() });
    const { repository } = double;
    repository.settings.targetTokens = true;
    repository.createTarget(HAWKBIT_DEVICE.controllerId, HAWKBIT_DEVICE.targetToken);
    const modules = pushes.map((push) => {
      const module = repository.createModule("app", push.offer.version, HAWKBIT_DEVICE.part);
      repository.addArtifact(module, "app.bin", servedOf(push));
      return module;
    });
    return new HawkbitSide(double, modules);
  }

  fork(now: () => number): HawkbitSide {
    const copy = new HawkbitSide(
      this.double.fork(() => EPOCH + now()),
      this.#modules,
    );
    // Each request is checked when it arrives.
    copy.double.exchanges.length = 0;
    copy.actions.push(...this.actions);
    for (const [id, end] of this.ends) copy.ends.set(id, end);
    for (const id of this.#cancelled) copy.#cancelled.add(id);
    return copy;
  }

  /** Assigns what the operator has pushed since the last time. */
  assign({ tasks }: CloudSide): void {
    const { repository } = this.double;
    for (const { push } of tasks.slice(this.actions.length)) {
      const module = this.#modules[push]!;
      // A set of its own, or the server takes an image that runs for assigned already.
      const set = repository.createSet(`app ${this.actions.length}`, module.version, [module]);
      this.actions.push(String(repository.assign(repository.target(HAWKBIT_DEVICE.controllerId), set)!.id));
    }
  }

  /** Of the task with this number. */
  action(task: number): Action {
    return this.double.repository.actionOf(HAWKBIT_DEVICE.controllerId, this.actions[task]!);
  }

  /** Index of the push whose file has this path. */
  pushAt(target: string): number {
    return Number(/\/softwaremodules\/(\d+)\/artifacts\//.exec(target)?.[1] ?? 0) - 1;
  }

  /** The operator takes the action of this task back, once. */
  cancel(task: number): void {
    const action = this.action(task);
    const id = String(action.id);
    if (this.#cancelled.has(id) || !action.active || action.status === "canceling") return;
    this.#cancelled.add(id);
    this.double.repository.cancel(action, false);
  }
}
