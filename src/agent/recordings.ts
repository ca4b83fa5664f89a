/**
 * What becomes of a recording: it is handed out with a failure, or kept for the boot that reports one. The agent gets
 * its recorder here and nowhere else, so that manifest_without_recorder.json can put another module in this one's place.
 */
import type { Crypto, Retained, Store } from "../ports";
import { KEPT_KEYS } from "../recorder/format";
import { Recorder } from "../recorder/recorder";

/** For one boot. `option`: as in AgentOptions. */
export const recorderFor = (option: boolean | Recorder, crypto: Pick<Crypto, "random">): Recorder | undefined =>
  option === true ? new Recorder(crypto.random()) : option === false ? undefined : option;

/** The part of the job's host that recordings need. */
export interface RecordingHost {
  /** Calls `callback` in a turn of its own. */
  defer(callback: () => void): void;
  /** The job has failed: what was recorded since the boot, and of boots before. */
  recorded?(recording: Uint8Array): void;
  /** See JobHost. */
  isGone?(error: unknown): boolean;
}

export class Recordings {
  private readonly recorder: Recorder;
  private readonly store: Store;
  private readonly retained: Retained | undefined;
  private readonly host: RecordingHost;

  constructor(
    recorder: Recorder,
    { store, retained }: { readonly store: Store; readonly retained?: Retained },
    host: RecordingHost,
  ) {
    this.recorder = recorder;
    this.store = store;
    this.retained = retained;
    this.host = host;
    recorder.onFailed = () => this.handOutLater();
  }

  /** In a turn of its own: it takes as long as hundreds of events. */
  private handOutLater(): void {
    const { recorder, host } = this;
    const { failed } = recorder;
    recorder.failed = undefined;
    if (failed === undefined) return;
    host.defer(() => {
      this.harmless(() => host.recorded?.(recorder.bytes(failed, this.earlier)));
      this.drop();
    });
  }

  /** Of boots before, the oldest first. */
  private get earlier(): Uint8Array[] {
    const kept = [...KEPT_KEYS.map((key) => this.store.getBytes(key)), this.retained?.read()];
    return kept.filter((part) => part !== undefined);
  }

  /** The boot that follows may have to report a failure: the recording is left to it under KEPT_KEYS[`which`]. */
  keep(which: 0 | 1): void {
    const { recorder, store, retained } = this;
    this.harmless(() => {
      store.setBytes(KEPT_KEYS[which], recorder.kept());
      // Once is enough.
      const nothing = new Uint8Array(0);
      retained?.write(nothing, nothing);
    });
  }

  /** What boots before have left in the store is told, or of no interest any more. */
  drop(): void {
    this.harmless(() => KEPT_KEYS.forEach((key) => this.store.delete(key)));
  }

  /** A recording is worth no failure. */
  private harmless(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.host.isGone?.(error) === true) throw error;
    }
  }
}
