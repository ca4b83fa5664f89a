import type { Engine, EngineEnd, EngineOptions, TurnMeter } from "./engine";
import { TURN_BYTECODES, TURN_TIME } from "./engine";
import { TOO_MUCH_COMPUTATION, WORKER_EXIT, XsWorker } from "./xs-worker";

/** XS in a worker process. Throws if the worker was never built. */
export const createXsEngine = (options: EngineOptions): Engine => new XsEngine(options);

class XsEngine implements Engine {
  readonly #worker: XsWorker;
  readonly #options: EngineOptions;
  readonly ended: Promise<EngineEnd>;
  #resolveEnd!: (end: EngineEnd) => void;
  /** Set before the process is gone. */
  #end: EngineEnd | undefined;
  #finishTurn: ((meter: TurnMeter | undefined) => void) | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => (this.#resolveEnd = resolve));
    this.#worker = new XsWorker({
      turnBytecodes: options.turnBytecodes ?? TURN_BYTECODES,
      memory: options.memory,
      onCommand: options.answer,
      onMeter: (meter) => this.#finish(meter),
      onThrown: (message) => this.#abort({ cause: "exception", message }),
      onExit: (code, how) => this.#exited(code, how),
      onOutput: (line) => options.onOutput?.(line),
    });
  }

  run(source: string): Promise<TurnMeter | undefined> {
    return this.#begin(() => this.#worker.evaluate(source));
  }

  turn(message: Uint8Array): Promise<TurnMeter | undefined> {
    return this.#begin(() => this.#worker.command(message));
  }

  stop(): void {
    this.#abort({ cause: "stopped", message: "stopped" });
  }

  #begin(send: () => void): Promise<TurnMeter | undefined> {
    if (this.#end !== undefined) return Promise.resolve(undefined);
    if (this.#finishTurn !== undefined) throw new Error("engine: a turn is under way");
    const { turnTime = TURN_TIME } = this.#options;
    return new Promise((resolve) => {
      this.#finishTurn = resolve;
      this.#watchdog = setTimeout(
        () => this.#abort({ cause: "watchdog", message: `one turn took more than ${turnTime} ms` }),
        turnTime,
      );
      send();
    });
  }

  #finish(meter: TurnMeter | undefined): void {
    clearTimeout(this.#watchdog);
    const finish = this.#finishTurn;
    this.#finishTurn = undefined;
    finish?.(meter);
  }

  #abort(end: EngineEnd): void {
    this.#end ??= end;
    clearTimeout(this.#watchdog);
    this.#worker.kill();
  }

  #exited(code: number | null, how: string | null): void {
    const reason = code === null ? String(how) : (WORKER_EXIT[code] ?? `exit code ${code}`);
    if (code === TOO_MUCH_COMPUTATION) this.#end ??= { cause: "watchdog", message: reason };
    else
      this.#end ??= {
        cause: code !== null && code in WORKER_EXIT ? "exception" : "crash",
        message: `the engine ended: ${reason}`,
      };
    this.#finish(undefined);
    this.#resolveEnd(this.#end);
  }
}
