/** What goes into the update job and what comes out of it: plain data, no I/O. The driver (agent/) executes effects in order. */
import type { ResetReason, Running } from "../ports";
import type { Report } from "../platforms/platform";
import type { Cause, Offer, Outcome, Task } from "./types";

/** How far an image is stored, as the store has it. */
export interface Checkpoint {
  readonly offset: number | undefined;
  readonly head: Uint8Array | undefined;
}

/** The records found in the store at power-on; each absent when missing or unreadable. `offset` and `head` are the firmware's. */
export interface Snapshot extends Checkpoint {
  readonly job: Uint8Array | undefined;
  readonly state: number | undefined;
  readonly outcome: Uint8Array | undefined;
  readonly refused: Uint8Array | undefined;
  /** Security floor. */
  readonly floor?: number | undefined;
  /** Of a module. */
  readonly part?: Checkpoint;
  readonly waiting?: Uint8Array | undefined;
  readonly answer?: Uint8Array | undefined;
  readonly budgets?: Uint8Array | undefined;
  readonly awake?: number | undefined;
}

export interface BootFacts {
  readonly running: Running;
  readonly target: string;
  /** Bytes of the target slot. */
  readonly slotSize: number;
  readonly resetReason: ResetReason;
  readonly lastInvalid: string | undefined;
  /** What ended the run before this one, if the platform knows: "VERSION: text". */
  readonly lastFault?: string | undefined;
  readonly stored: Snapshot;
}

/** Reports whose PUBACK the job waits for. "refused": the outcome of an offer that never became a job. */
export type Token = "version" | "burning" | "outcome" | "refused";

/** A question to the application; it answers with the event of the same name. */
export type Question = "consent" | "restart" | "health" | "install";

export type JobEvent =
  | { readonly type: "boot" }
  | { readonly type: "offer"; readonly offer: Offer }
  | { readonly type: "refused"; readonly task: Task; readonly outcome: Outcome }
  /** up: CONNACK and an accepted SUBACK have come. */
  | { readonly type: "link"; readonly up: boolean }
  | { readonly type: "acked"; readonly token: Token }
  /* downloader */
  | { readonly type: "total"; readonly size: number; readonly validator: string | undefined }
  | { readonly type: "sector"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: "start-over"; readonly reason: string }
  /** What is stored from here on is not to be trusted and comes again. */
  | { readonly type: "rewind"; readonly offset: number }
  | { readonly type: "finished" }
  | { readonly type: "expired"; readonly message: string }
  | { readonly type: "download-failed"; readonly cause: Cause; readonly message: string }
  /* answers to effects */
  | { readonly type: "compared"; readonly equal: boolean }
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  /** `length`: bytes of the image, without what follows it. */
  | { readonly type: "verified"; readonly length: number }
  | { readonly type: "turn" }
  | { readonly type: "effect-failed"; readonly effect: JobEffect["type"]; readonly message: string }
  /* the application */
  | { readonly type: "consent"; readonly decision: "accept" | "reject" }
  | { readonly type: "restart" }
  | { readonly type: "health"; readonly ok: boolean; readonly message: string }
  | { readonly type: "install"; readonly ok: boolean; readonly message: string }
  /** The operator or the application resets what is remembered of images: denylist and budgets. */
  | { readonly type: "forget" }
  | { readonly type: "tick" };

export type JobEffect =
  /* store */
  | { readonly type: "put-number"; readonly key: string; readonly value: number }
  | { readonly type: "put-bytes"; readonly key: string; readonly bytes: Uint8Array }
  | { readonly type: "delete"; readonly key: string }
  /* flash of the target slot; `part`: the open module instead, whose installer erases by itself */
  | { readonly type: "erase"; readonly sector: number }
  | { readonly type: "write"; readonly offset: number; readonly bytes: Uint8Array; readonly part?: true }
  /** Answer: "compared". `erased` bytes before `offset` must read 0xFF as well. */
  | {
      readonly type: "compare";
      readonly offset: number;
      readonly bytes: Uint8Array;
      readonly erased: number;
      readonly part?: true;
    }
  /** Answer: "bytes", a view that is valid until the event was handled. */
  | { readonly type: "read"; readonly from: Source; readonly offset: number; readonly length: number }
  /* installers of modules */
  | {
      readonly type: "open-part";
      readonly part: string;
      readonly version: string;
      readonly size: number;
      readonly offset: number;
    }
  | { readonly type: "abort-part"; readonly part: string }
  /* boot */
  | { readonly type: "invalidate" }
  /** Answer: "verified" or "effect-failed". */
  | { readonly type: "verify" }
  | { readonly type: "activate" }
  | { readonly type: "confirm" }
  | { readonly type: "rollback" }
  | { readonly type: "reboot"; readonly slot: string }
  /* downloader */
  | {
      readonly type: "download";
      readonly url: string;
      readonly offset: number;
      readonly size: number;
      readonly validator: string | undefined;
      readonly hasDigest: boolean;
    }
  | { readonly type: "renew"; readonly url: string }
  | { readonly type: "stop-download" }
  /* cloud */
  /** With a token: QoS 1, kept and resent until "acked"; the same token replaces. */
  | { readonly type: "report"; readonly report: Report; readonly token?: Token }
  /* application */
  | { readonly type: "ask"; readonly question: Question; readonly task: Task }
  | { readonly type: "notify"; readonly notice: Notice }
  /** Answer: "turn", in a turn of its own, so that sockets and the watchdog are served in between. */
  | { readonly type: "yield" };

/** Where a digest pass reads. */
export type Source = "target" | "running" | "part";

/** What an application, a screen or a test may watch. */
export type Notice =
  | { readonly event: "offer"; readonly version: string; readonly size: number }
  | { readonly event: "resume"; readonly offset: number }
  | { readonly event: "state"; readonly state: "downloading"; readonly percent: number }
  | { readonly event: "state"; readonly state: "verifying" | "installing" | "burning" | "done" | "trial" | "idle" }
  | {
      readonly event: "state";
      readonly state: "fail";
      readonly cause: Cause;
      readonly message: string;
      readonly version: string;
    }
  | { readonly event: "reboot"; readonly slot: string }
  | { readonly event: "confirmed"; readonly version: string }
  | { readonly event: "rollback"; readonly version: string }
  | { readonly event: "warning"; readonly message: string };
