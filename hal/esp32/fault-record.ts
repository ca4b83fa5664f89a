/**
 * Why the last run ended. In a release build an uncaught exception restarts the chip without output. Here its text is
 * stored in NVS first, and reported at the next start with the reset reason. A restart without announcement and without
 * text is reported too: exhausted memory or stack ends so, because no JavaScript can run any more.
 */
import { decodeUtf8, encodeUtf8 } from "../../src/util/utf8";
import type { ResetReason, Store } from "../../src/ports";

/** 1 from a start on, 0 from a wanted restart on. */
const KEY_RUNNING = "running";
const KEY_FAULT = "fault";
/** Length of the text, characters. */
const TEXT_MAX = 160;

export class FaultRecord {
  readonly #store: Store;
  #recorded = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Call it once at start. Returns one line on a run that ended by a fault, else undefined. A store that fails does not
   * stop the start.
   */
  begin(reason: ResetReason): string | undefined {
    let told: string | undefined;
    try {
      const text = this.#store.getBytes(KEY_FAULT);
      const running = this.#store.getNumber(KEY_RUNNING) === 1;
      told = text === undefined ? silent(reason, running) : `${decodeUtf8(text)} (${reason} reset)`;
      this.#store.delete(KEY_FAULT);
      this.#store.setNumber(KEY_RUNNING, 1);
    } catch {
      // The device starts without the report.
    }
    return told;
  }

  /** The run is about to end by `error`. The first error of a run is kept: those that follow are its consequences. */
  record(version: string, why: string, error: unknown): void {
    if (this.#recorded) return;
    this.#recorded = true;
    try {
      this.#store.setBytes(KEY_FAULT, encodeUtf8(`${version}: ${why}: ${String(error)}`.slice(0, TEXT_MAX)));
    } catch {
      // Memory may be exhausted.
    }
  }

  /** Call it before a wanted restart. It does nothing after `record`, because an error caused that restart. */
  leave(): void {
    if (this.#recorded) return;
    try {
      this.#store.setNumber(KEY_RUNNING, 0);
    } catch {
      // The next start reports a restart without announcement.
    }
  }
}

/** `globalThis`, as the SDK's fxAbort looks the hook up. A return value of false tells it to go on. */
export interface AbortHost {
  abort?: (why: string, error: unknown) => boolean | undefined;
}

export interface AbortHookOptions {
  readonly faults: FaultRecord;
  readonly version: string;
  /** Restarts the chip; does not return on one. */
  restart(): void;
  log(line: string): void;
}

/**
 * Installs the hook that XS calls before it gives up (manifest: `defines.xs.abortHook`). The hook restarts the chip
 * itself: after it has returned, fxAbort of SDK 8.2.3 (xs/platforms/esp/xsPlatform.c) reads `message` of an exception
 * that it has set to undefined, throws a TypeError out of that, and calls the hook again until the native stack
 * overflows. A rejected promise that nobody handled does not end the run: without the hook it goes unnoticed.
 */
export const installAbortHook = (host: AbortHost, { faults, version, restart, log }: AbortHookOptions): void => {
  host.abort ??= (why, error) => {
    if (why === "unhandled rejection") {
      log(`unhandled rejection: ${String(error)}`);
      return false;
    }
    faults.record(version, why, error);
    try {
      restart();
    } catch {
      // The engine ends the run then.
    }
    return undefined;
  };
};

const silent = (reason: ResetReason, running: boolean): string | undefined => {
  switch (reason) {
    case "watchdog":
    case "panic":
    case "brown-out":
      return `${reason} reset`;
    case "software":
      return running ? "software reset that nobody announced (memory or stack exhausted?)" : undefined;
    default:
      return undefined;
  }
};
