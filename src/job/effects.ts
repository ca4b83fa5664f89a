/**
 * Inputs and outputs of the update job: plain data, no I/O. JobRunner (agent/job-runner.ts) executes the effects in
 * their order and returns answers as events. The job is deterministic: boot facts, events, their times and nothing else
 * decide what it does.
 */
import type { ImageIdentity } from "../image/identify";
import type { DownloadEvent } from "../download/outputs";
import type { Digest, DigestAlgorithm, ResetReason, Running, StartUp } from "../ports";
import type { PlatformRules, Report } from "../platforms/platform";
import type { Policy } from "./policy";
import type { Snapshot } from "./records";
import type { Cause, Offer, Outcome, Task } from "./types";

export interface JobOptions {
  readonly platform: { readonly name: string; readonly rules: PlatformRules };
  readonly policy: Policy;
  /** Bytes that the installer of a component takes; undefined where there is none of that name. */
  capacityOf?(component: string): number | undefined;
  digest(algorithm: DigestAlgorithm): Digest;
  /**
   * Why a file is not trusted, from the SHA-256 of what its signature covers and its last 96 bytes; undefined: it is
   * trusted. Absent: this device asks for no signature.
   */
  readonly refusalOfSignature?: (hash: Uint8Array, trailer: Uint8Array) => string | undefined;
  /** Passes on what was found in bytes of a file; a recorder keeps it in their place. */
  observe?<T>(found: T): T;
  /** There is no address yet: "address" will follow. */
  readonly withoutAddress?: boolean;
}

/** What a boot finds. */
export interface BootFacts {
  readonly running: Running;
  /** Label of the slot that can be written. */
  readonly target: string;
  /** Bytes of the target slot. */
  readonly slotSize: number;
  /** See `Flash.blockSectors`. */
  readonly blockSectors: number;
  readonly resetReason: ResetReason;
  readonly startUp: StartUp;
  /** See `Boot.targetStarted`. */
  readonly targetStarted: boolean | undefined;
  readonly lastInvalid: string | undefined;
  /** What ended the run before this one, if the platform knows: "VERSION: text". */
  readonly lastFault?: string | undefined;
  readonly stored: Snapshot;
}

/** Reports whose PUBACK the job waits for. "refused": the outcome of an offer that never became a job. */
export type Token = "version" | "burning" | "outcome" | "refused" | "withdrawal";

/** A question to the application or the installer; the answer is the event of the same name. */
export type Question = "consent" | "restart" | "health" | "install";

export type JobEvent =
  | { readonly type: "boot" }
  | { readonly type: "offer"; readonly offer: Offer }
  /** An offer that the platform cannot turn into a job. */
  | { readonly type: "refused"; readonly task: Task; readonly outcome: Outcome }
  /** The cloud wants no image of this device. `task`: it cancels this one. */
  | { readonly type: "withdrawn"; readonly task?: Task | undefined }
  /** up: CONNACK and an accepted SUBACK have come. */
  | { readonly type: "link"; readonly up: true }
  /** `reason`: why the connection ended, or was not made. */
  | { readonly type: "link"; readonly up: false; readonly reason?: string }
  /** What a connection still waits for, such as an address or the clock; undefined: nothing. */
  | { readonly type: "network"; readonly missing: string | undefined }
  | { readonly type: "acked"; readonly token: Token }
  | DownloadEvent
  /* answers to effects */
  | { readonly type: "compared"; readonly equal: boolean }
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  /** `length`: bytes of the image, without what follows it. */
  | { readonly type: "verified"; readonly length: number }
  /** What runs; undefined: it has no SHA-256 of its own. */
  | { readonly type: "running-image"; readonly image: ImageIdentity | undefined }
  /** The next bytes of a block: a view that is valid until the event was handled, and a sector that is made of it stored. */
  | { readonly type: "expanded"; readonly bytes: Uint8Array }
  | { readonly type: "turn" }
  | { readonly type: "effect-failed"; readonly effect: JobEffect["type"]; readonly message: string }
  /* the application */
  | { readonly type: "consent"; readonly decision: "accept" | "reject" }
  | { readonly type: "restart" }
  | { readonly type: "health"; readonly ok: boolean; readonly message: string }
  | { readonly type: "install"; readonly ok: boolean; readonly message: string }
  /** The operator or the application resets what is remembered of images: denylist and budgets. */
  | { readonly type: "forget" }
  /** The device is about to sleep so many seconds. Nothing follows in this wake. */
  | { readonly type: "sleep"; readonly seconds: number }
  | { readonly type: "tick" };

export type JobEffect =
  /* store */
  | { readonly type: "put-number"; readonly key: string; readonly value: number }
  | { readonly type: "put-bytes"; readonly key: string; readonly bytes: Uint8Array }
  | { readonly type: "delete"; readonly key: string }
  /* the target of the job in hand: the slot, or the component that was opened */
  /** Of the slot only: an installer erases by itself. `block`: all of the block that begins there. */
  | { readonly type: "erase"; readonly sector: number; readonly block?: boolean }
  | { readonly type: "write"; readonly offset: number; readonly bytes: Uint8Array }
  /** Answer: "compared". `erased` bytes before `offset` must read 0xFF as well. */
  | { readonly type: "compare"; readonly offset: number; readonly bytes: Uint8Array; readonly erased: number }
  /** Answer: "bytes", a view that is valid until the event was handled. */
  | { readonly type: "read"; readonly from: Source; readonly offset: number; readonly length: number }
  /* containers */
  /** Answer: "running-image". */
  | { readonly type: "identify" }
  /** As `Expander.begin`; `oldLength`: as in `Boot.expander`. */
  | {
      readonly type: "expand-begin";
      readonly oldLength: number;
      readonly offset: number;
      readonly length: number;
      readonly start: number;
      readonly size: number;
    }
  /** Answer: "expanded". */
  | { readonly type: "expand"; readonly length: number }
  /* installers of components */
  | {
      readonly type: "open-component";
      readonly component: string;
      readonly version: string;
      readonly size: number;
      readonly offset: number;
    }
  | { readonly type: "abort-component"; readonly component: string }
  /* boot */
  | { readonly type: "invalidate" }
  /** Answer: "verified" or "effect-failed". */
  | { readonly type: "verify" }
  | { readonly type: "activate" }
  | { readonly type: "confirm" }
  /** The trial's, from now on; 0: the trial is over. */
  | { readonly type: "deadline"; readonly milliseconds: number }
  | { readonly type: "rollback" }
  | { readonly type: "reboot"; readonly slot: string }
  /* downloader */
  | {
      readonly type: "download";
      readonly url: string;
      readonly offset: number;
      readonly size: number;
      /** Nothing is wanted from here on; a multiple of the sector. Absent: all. */
      readonly end?: number;
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

export type EffectOf<T extends JobEffect["type"]> = Extract<JobEffect, { type: T }>;

/** Where a digest pass reads: the target of the job, or the slot of the running firmware. */
export type Source = "target" | "running";

/** What an application, a screen or a test may watch. */
export type Notice =
  | { readonly event: "offer"; readonly version: string; readonly size: number }
  | { readonly event: "resume"; readonly offset: number }
  | { readonly event: "state"; readonly state: "downloading"; readonly percent: number }
  | {
      readonly event: "state";
      readonly state:
        | "verifying"
        | "expanding"
        | "installing"
        | "burning"
        | "awaiting-link"
        | "done"
        | "trial"
        | "deciding"
        | "idle";
    }
  | {
      readonly event: "state";
      readonly state: "fail";
      readonly cause: Cause;
      readonly message: string;
      readonly version: string;
      /** Of the recording that led to it, if there is one. */
      readonly reference?: string;
    }
  /** On trial: what it waits for, and how long it may, s. */
  | { readonly event: "trial"; readonly stage: string; readonly secondsLeft: number }
  /**
   * Something that a budget bounds has happened: how often it still may, and awake seconds until that number grows or, of
   * trials, until the next one.
   */
  | {
      readonly event: "budget";
      readonly counter: "activations" | "power-loss trials" | "trials" | "repeated installs" | "new images";
      readonly version: string;
      readonly left: number;
      readonly seconds: number;
    }
  | { readonly event: "reboot"; readonly slot: string }
  | { readonly event: "confirmed"; readonly version: string }
  | { readonly event: "rollback"; readonly version: string }
  /** Deep sleep begins: the next start is a wake so many seconds later. */
  | { readonly event: "sleep"; readonly seconds: number }
  /** Found out, told once. Without rollback the start-up gives firmware up that is started 3 times and not confirmed. */
  | { readonly event: "bootloader"; readonly rollsBack: boolean }
  | { readonly event: "warning"; readonly message: string };
