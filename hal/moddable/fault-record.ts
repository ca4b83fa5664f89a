/**
 * Why the last run ended. In a release build an uncaught exception restarts the chip without output. Here its text is
 * stored in NVS first, and reported at the next start with the reset reason. A restart without announcement and without
 * text is reported too: exhausted memory or stack ends so, because no JavaScript can run any more. For firmware on trial
 * the record also holds what it waited for.
 */
import { decodeUtf8, encodeUtf8 } from "../../src/util/utf8";
import type { Boot, ResetReason, Store } from "../../src/ports";

/** NVS namespace of the record. */
export const LAST_RUN = "xs-ota-run";
/** How far the run has come: the values of Run. */
const KEY_RUNNING = "running";
const KEY_FAULT = "fault";
/** "VERSION: STAGE" of a trial under way. */
const KEY_STAGE = "stage";
const Run = Object.freeze({
  /** A restart was wanted. */
  left: 0,
  running: 1,
  /** Another image was activated, and its start-up has not run yet. */
  activated: 2,
});
/** Length of the text, characters. */
const TEXT_MAX = 160;

export class FaultRecord {
  private readonly store: Store;
  private recorded = false;
  private activated = false;

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * Call it once at start. Returns one line on a run that ended by a fault, else undefined. A store that fails does not
   * stop the start. `onTrial`: the running firmware is.
   */
  begin(reason: ResetReason, onTrial = false): string | undefined {
    const { store } = this;
    let told: string | undefined;
    try {
      const fault = store.getBytes(KEY_FAULT);
      const stage = store.getBytes(KEY_STAGE);
      const run = store.getNumber(KEY_RUNNING);
      const ended = fault === undefined ? silent(reason, run) : `${decodeUtf8(fault)} (${reason} reset)`;
      if (run === Run.activated && !onTrial) told = neverStarted(reason, ended, fault !== undefined);
      else told = ended === undefined || stage === undefined ? ended : inStage(decodeUtf8(stage), ended);
      store.delete(KEY_FAULT);
      store.delete(KEY_STAGE);
      store.setNumber(KEY_RUNNING, Run.running);
    } catch {
      // The device starts without the report.
    }
    return told;
  }

  /** What firmware on trial waits for; undefined: its trial is over. */
  stage(version: string, stage: string | undefined): void {
    try {
      if (stage === undefined) this.store.delete(KEY_STAGE);
      else this.store.setBytes(KEY_STAGE, encodeUtf8(`${version}: ${stage}`.slice(0, TEXT_MAX)));
    } catch {
      // The report of a crash will lack it.
    }
  }

  /** The run is about to end by `error`. The first error of a run is kept: those that follow are its consequences. */
  record(version: string, why: string, error?: unknown): void {
    if (this.recorded) return;
    this.recorded = true;
    const text = arguments.length < 3 ? why : `${why}: ${String(error)}`;
    try {
      this.store.setBytes(KEY_FAULT, encodeUtf8(`${version}: ${text}`.slice(0, TEXT_MAX)));
    } catch {
      // Memory may be exhausted.
    }
  }

  /** The other image is the next to start. */
  activate(): void {
    this.activated = true;
    this.end(Run.activated);
  }

  /** Call it before a wanted restart. It does nothing after `record`, because an error caused that restart. */
  leave(): void {
    if (this.recorded) return;
    if (!this.activated) this.end(Run.left);
  }

  private end(run: number): void {
    try {
      this.store.setNumber(KEY_RUNNING, run);
      this.store.delete(KEY_STAGE);
    } catch {
      // The next start reports a restart without announcement.
    }
  }
}

/**
 * Notes what `boot` is asked for. By defineProperty: where its class is preloaded, an assignment to what the class has
 * is refused.
 */
export const noteRestarts = (boot: Boot, faults: FaultRecord): void => {
  const { activate, rollback, restart, sleep } = boot;
  const replace = <N extends "activate" | "rollback" | "restart" | "sleep">(name: N, value: Boot[N]): void =>
    void Object.defineProperty(boot, name, { value });
  replace("activate", () => {
    activate.call(boot);
    faults.activate();
  });
  replace("rollback", () => {
    faults.leave();
    rollback.call(boot);
  });
  replace("restart", () => {
    faults.leave();
    restart.call(boot);
  });
  replace("sleep", (seconds) => {
    faults.leave();
    sleep.call(boot, seconds);
  });
};

/** `globalThis`, as the SDK's fxAbort looks the hook up. A return value of false tells it to go on. */
export interface AbortHost {
  abort?: (why: string, error: unknown) => boolean | undefined;
}

export interface AbortHookOptions {
  readonly faults: FaultRecord;
  readonly version: string;
  /** Ends the run: restarts the chip, or gives the firmware up. Does not return on a chip. */
  restart(): void;
  /** A promise was rejected, and nobody handles that. */
  rejected(error: unknown): void;
}

/**
 * Installs the hook that XS calls before it gives up (manifest: `defines.xs.abortHook`). The hook restarts the chip
 * itself: after it has returned, fxAbort of SDK 8.2.3 (xs/platforms/esp/xsPlatform.c) reads `message` of an exception
 * that it has set to undefined, throws a TypeError out of that, and calls the hook again until the native stack
 * overflows. A rejected promise that nobody handled ends no run of the engine: without the hook it goes unnoticed.
 */
export const installAbortHook = (host: AbortHost, { faults, version, restart, rejected }: AbortHookOptions): void => {
  host.abort ??= (why, error) => {
    if (why === "unhandled rejection") {
      rejected(error);
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

/** Both may begin with the version. */
const inStage = (stage: string, ended: string): string => {
  const version = stage.slice(0, stage.indexOf(": ") + 2);
  return `${stage}; ${ended.startsWith(version) ? ended.slice(version.length) : ended}`;
};

/**
 * The deadline in C has left a fault, or nothing has. src/job/boot-table.ts knows the latter by its beginning: that text
 * is not of the firmware that reports it.
 */
const neverStarted = (reason: ResetReason, ended: string | undefined, recorded: boolean): string | undefined => {
  if (recorded) return ended?.replace(": ", ": no powerOn; ");
  return reason === "power-on" ? undefined : `the new firmware did not come to powerOn (${reason} reset)`;
};

const silent = (reason: ResetReason, run: number | undefined): string | undefined => {
  switch (reason) {
    case "watchdog":
    case "panic":
    case "brown-out":
      return `${reason} reset`;
    case "software":
      return run === Run.running ? "software reset that nobody announced (memory or stack exhausted?)" : undefined;
    default:
      return undefined;
  }
};
