import { Script, createContext } from "node:vm";
import type { Context } from "node:vm";
import { TURN_TIME } from "./engine";
import type { Engine, EngineEnd, EngineOptions, TurnMeter } from "./engine";

/** Node itself, in this process: the same firmware, a hundred times as quick to start, without XS's counters. */
export const createNodeEngine = (options: EngineOptions): Engine => new NodeEngine(options);

const CALL = new Script("handleCommand(message)");

class NodeEngine implements Engine {
  readonly #context: Context;
  readonly #turnTime: number;
  readonly ended: Promise<EngineEnd>;
  #resolveEnd!: (end: EngineEnd) => void;
  #ended = false;

  constructor(options: EngineOptions) {
    this.#turnTime = options.turnTime ?? TURN_TIME;
    this.ended = new Promise((resolve) => (this.#resolveEnd = resolve));
    const issueCommand = (request: ArrayBuffer): ArrayBuffer => {
      const reply = this.#ended ? undefined : options.answer(new Uint8Array(request));
      // Firmware whose power is off does nothing more: whatever it tries in the rest of this turn fails.
      if (reply === undefined || this.#ended) throw new Error("the board is off");
      return buffer(reply);
    };
    this.#context = createContext({ issueCommand });
  }

  async run(source: string): Promise<TurnMeter | undefined> {
    return this.#guard(() =>
      new Script(source, { filename: "firmware.js" }).runInContext(this.#context, { timeout: this.#turnTime }),
    );
  }

  async turn(message: Uint8Array): Promise<TurnMeter | undefined> {
    return this.#guard(() => {
      this.#context["message"] = buffer(message);
      CALL.runInContext(this.#context, { timeout: this.#turnTime });
    });
  }

  stop(): void {
    this.#finish({ cause: "stopped", message: "stopped" });
  }

  #guard(work: () => void): TurnMeter | undefined {
    if (this.#ended) return undefined;
    try {
      work();
    } catch (error) {
      const hung = (error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
      this.#finish(
        hung
          ? { cause: "watchdog", message: `one turn took more than ${this.#turnTime} ms` }
          : { cause: "exception", message: String(error) },
      );
    }
    return this.#ended ? undefined : { compute: 0, heapSlots: 0, allocated: 0 };
  }

  #finish(end: EngineEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resolveEnd(end);
  }
}

/** A copy of just these bytes: a Buffer of Node's is a window into a pool. */
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
