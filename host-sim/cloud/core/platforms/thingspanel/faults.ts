import type { Task } from "../../devices/tasks";

/**
 * Faults of the real servers, found by running them. Each is off unless it is named, so that a test or a person can see
 * what a device makes of it.
 *
 * - `endless-push`: v0 pushes at every wrong version report. Otherwise three times, as its code means to.
 * - `failed-row`: v0 files every report under an old failed task of that module, so later tasks never end. Setting the
 *   failed one to cancelled is the only way out.
 * - `concurrent`: messages that come within HOLD of one another are handled in the opposite order.
 * - `open-tasks`: a new task leaves the one before open.
 * - `range-200`: v0 answers a range with status 200.
 * - `empty-200`: v0 answers for a missing file with status 200 and nothing else.
 * - `panic`: v1's backend crashes on a report without an open task. It hears nothing until it was started again.
 */
export type ServerFault = (typeof SERVER_FAULTS)[number];

export const SERVER_FAULTS = [
  "endless-push",
  "failed-row",
  "concurrent",
  "open-tasks",
  "range-200",
  "empty-200",
  "panic",
] as const;

/** Milliseconds: a device that leaves more between two messages has them handled in its order. */
export const HOLD = 300;
/** Milliseconds until a crashed backend runs again. */
export const RESTART = 2_000;

export class ServerFaults {
  readonly #named: ReadonlySet<ServerFault>;
  readonly #after: (milliseconds: number, run: () => void) => void;
  #held: (() => void)[] = [];
  #crashed = false;

  constructor(named: readonly ServerFault[], after: (milliseconds: number, run: () => void) => void) {
    this.#named = new Set(named);
    this.#after = after;
  }

  has(fault: ServerFault): boolean {
    return this.#named.has(fault);
  }

  /** Handles a message, as the backend comes to it. */
  schedule(handle: () => void): void {
    if (this.#crashed) return;
    if (!this.has("concurrent")) return handle();
    this.#held.push(handle);
    if (this.#held.length > 1) return;
    this.#after(HOLD, () => {
      const held = this.#held.reverse();
      this.#held = [];
      for (const one of held) one();
    });
  }

  /** A report that no open task is waiting for. */
  unexpected(): void {
    if (!this.has("panic")) return;
    this.#crashed = true;
    this.#held = [];
    this.#after(RESTART, () => (this.#crashed = false));
  }

  /** The old failed task that swallows a report. `failed`: the server's state of one. */
  swallowing(tasks: readonly Task[], failed: number, isSameModule: (task: Task) => boolean): Task | undefined {
    return this.has("failed-row") ? tasks.find((task) => task.state === failed && isSameModule(task)) : undefined;
  }
}
