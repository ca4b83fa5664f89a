/** A JavaScript engine that runs one boot of a board's firmware: XS in a process of its own, or Node in this one. */

/** What one turn cost. Node's engine does not count. */
export interface TurnMeter {
  /** Bytecodes executed. */
  readonly compute: number;
  /** Slots in use after the turn (of 16 bytes on a chip). */
  readonly heapSlots: number;
  /** Bytes the engine holds from the system. */
  readonly allocated: number;
}

/** Why an engine runs no more. */
export interface EngineEnd {
  /**
   * "stopped": by `stop`. "exception": thrown out of the bundle or of a turn, or the engine gave up (memory, stack).
   * "watchdog": a turn that does not end. "crash": the engine itself failed.
   */
  readonly cause: "stopped" | "exception" | "watchdog" | "crash";
  readonly message: string;
}

/** Carries out one request of the firmware (`issueCommand`). Undefined: the engine was stopped meanwhile. */
export type Answer = (request: Uint8Array) => Uint8Array | undefined;

export interface Engine {
  /** Evaluates the firmware. Settles when that is done or the engine has ended; never rejects. Once. */
  run(source: string): Promise<TurnMeter | undefined>;
  /**
   * Calls the firmware's `handleCommand` with a message. One at a time, after `run`. Undefined: the engine has ended.
   */
  turn(message: Uint8Array): Promise<TurnMeter | undefined>;
  /** Ends the engine at once, also in the middle of a turn. Idempotent. */
  stop(): void;
  readonly ended: Promise<EngineEnd>;
}

export interface EngineOptions {
  readonly answer: Answer;
  /** What the engine itself prints (an abort's reason, for one), line by line. */
  onOutput?(line: string): void;
  /** Bytecodes that one turn may take. Default: `TURN_BYTECODES`. */
  readonly turnBytecodes?: number;
  /** Address space of the engine's process, bytes, where the system limits it. Default: no limit. */
  readonly memory?: number;
  /** Wall clock that one turn may take, ms. Read at the start of each turn. Default: `TURN_TIME`. */
  readonly turnTime?: number;
}

export type CreateEngine = (options: EngineOptions) => Engine;

/**
 * A chip's task watchdog fires after 5 s (CONFIG_ESP_TASK_WDT_TIMEOUT_S). At 1 to 5 million bytecodes per second that
 * is less than 25 million. Forty times as many are certainly a hang, and take the host a few seconds.
 */
export const TURN_BYTECODES = 1_000_000_000;
/** The second limit, ms: long, since a loaded host must not cause rollbacks. */
export const TURN_TIME = 30_000;
