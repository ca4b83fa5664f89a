/**
 * How late a server does what it does. Its parts answer by themselves: what one of them does stays in order, and what
 * two of them do may change places. So the answer to a question, a change that is pushed, and a chunk overtake one
 * another, as they do behind the real server's queues (facts 16 and 29).
 */

export interface Lag {
  /** What one step takes, ms. */
  milliseconds(): number;
  after(milliseconds: number, run: () => void): void;
}

/**
 * `assign`: attributes follow the assignment. `push`: a connection hears of them. `read`, `save`: the device's questions
 * and its own attributes. `answer`, `bind`, `chunk`: what goes to a connection.
 */
type Part = "assign" | "push" | "read" | "save" | "answer" | "bind" | "chunk";

export class Queues {
  readonly #lag: Lag | undefined;
  /** Steps that are not done yet, by part and by what they are for. */
  readonly #waiting = new Map<Part, WeakMap<object, (() => void)[]>>();

  /** Without a lag everything is done at once. */
  constructor(lag: Lag | undefined) {
    this.#lag = lag;
  }

  /** `of`: a device or a connection; for one of them a part keeps its order. */
  run(part: Part, of: object, step: () => void): void {
    if (this.#lag === undefined) return step();
    const lines = this.#waiting.get(part) ?? new WeakMap<object, (() => void)[]>();
    this.#waiting.set(part, lines);
    const line = lines.get(of) ?? [];
    lines.set(of, line);
    line.push(step);
    // Whichever time comes first is that of the step that has waited longest.
    this.#lag.after(this.#lag.milliseconds(), () => line.shift()!());
  }
}
