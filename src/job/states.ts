/**
 * The states of the update job. Each carries what only it needs; a state that has a job carries the job. machine.ts has
 * the transitions.
 */
import type { Container } from "../container/format";
import type { JobEffect } from "./effects";
import type { HashPass } from "./hash-pass";
import type { Progress } from "./progress";
import type { StoredJob } from "./stored-job";
import type { Offer, Outcome } from "./types";

interface OfJob {
  readonly job: StoredJob;
}
/** The state ends at this time of the clock, in ms, if nothing else ends it. */
interface Timed {
  readonly until: number;
}

/** It is not decided yet what the boot means. */
export interface Starting {
  readonly name: "starting";
}
export interface Idle {
  readonly name: "idle";
}
/** The application was asked; nothing is stored or erased before it agrees. */
export interface Consent {
  readonly name: "consent";
  readonly offer: Offer;
}
/** The offered version runs already: is it the same image? */
export interface Checking extends OfJob {
  readonly name: "checking";
  readonly pass: HashPass;
}
/** A job was found at power-on. A fresh push is better than the stored URL, and is waited for until then. */
export interface Waiting extends OfJob, Timed {
  readonly name: "waiting";
}
/** The file is a container. Its first sector, `bytes`, waits until it is known which image runs. */
export interface Choosing extends OfJob {
  readonly name: "choosing";
  readonly progress: Progress;
  readonly container: Container;
  readonly bytes: Uint8Array;
}
export interface Downloading extends OfJob {
  readonly name: "downloading";
  readonly progress: Progress;
}
/** One sector, at the job's offset, was written and is read back. */
export interface Storing extends OfJob {
  readonly name: "storing";
  readonly progress: Progress;
  /** Unchanged until the state ends. */
  readonly bytes: Uint8Array;
  /** Times that it was stored again because the readback differed. */
  readonly repairs: number;
}
/** The URL has expired; a version report asked for a fresh one. */
export interface Renewing extends OfJob, Timed {
  readonly name: "renewing";
  readonly why: string;
  readonly progress: Progress;
}
/**
 * `trials`: the image was proven before and only its trial is repeated; trials that it has had. Undefined: after a
 * download.
 */
export interface Verifying extends OfJob {
  readonly name: "verifying";
  readonly pass: HashPass;
  readonly trials: number | undefined;
}
/** The image is made from what is staged of a container. */
export interface Expanding extends OfJob {
  readonly name: "expanding";
  readonly progress: Progress;
  /** Of the compressed blocks, bytes; undefined: not read yet. */
  readonly lengths: readonly number[] | undefined;
  /** The next byte that is made. Those before the job's offset are in flash. */
  readonly at: number;
  /** One sector was written and is read back; unchanged until then. */
  readonly bytes: Uint8Array | undefined;
  /** Times that it was stored again because the readback differed. */
  readonly repairs: number;
}
/** The header of the image is programmed and read back, then the image is checked. */
export interface Committing extends OfJob {
  readonly name: "committing";
  readonly repairs: number;
}
/** A component is stored and proven; its installer makes use of it. */
export interface Installing extends OfJob, Timed {
  readonly name: "installing";
}
/** The image is bootable; the report `burning` gets a moment to arrive. */
export interface Burning extends OfJob, Timed {
  readonly name: "burning";
}
/** The image is bootable and the cloud cannot be reached: a trial would end without a verdict. */
export interface AwaitingLink extends OfJob, Timed {
  readonly name: "awaiting-link";
  /** The application has agreed to the restart. */
  readonly agreed: boolean;
}
/**
 * The application chooses the moment of the restart. `link`: whether it was lost since the cloud was reached; "unneeded":
 * it had its time.
 */
export interface Restart extends OfJob {
  readonly name: "restart";
  readonly link: "up" | "lost" | "unneeded";
}
/** The boot choice changes and the chip restarts into the new firmware. */
export interface Activating extends OfJob {
  readonly name: "activating";
}
/** The new firmware gives itself up and the chip restarts; the old firmware reports. */
export interface RollingBack extends OfJob {
  readonly name: "rolling-back";
}
export interface RollingBackWithoutJob {
  readonly name: "rolling-back-without-job";
}
/** `asked`: the cloud was reached, and the application checks itself. */
export interface Trial extends OfJob, Timed {
  readonly name: "trial";
  readonly asked: boolean;
  /** There was no address for the whole trial, so it has got its own length once more. */
  readonly extended?: boolean;
}
/**
 * The running firmware is unconfirmed and came by another way than the job in the store: by wire, or from edition 1.
 */
export interface TrialWithoutJob extends Timed {
  readonly name: "trial-without-job";
  readonly asked: boolean;
  readonly extended?: boolean;
}
/**
 * The new firmware did not reach the cloud and was rolled back; whether the old one reaches it decides. `outage`: it did
 * not, so the image is activated again when the cloud is there. `until`: undefined while that is not known.
 */
export interface Deciding extends OfJob {
  readonly name: "deciding";
  readonly outage: boolean;
  readonly until: number | undefined;
}
/** The terminal outcome waits for its PUBACK. */
export interface Reporting extends OfJob {
  readonly name: "reporting";
  readonly outcome: Outcome;
}

export type State =
  | Starting
  | Idle
  | Consent
  | Checking
  | Choosing
  | Waiting
  | Downloading
  | Storing
  | Renewing
  | Verifying
  | Expanding
  | Committing
  | Installing
  | Burning
  | AwaitingLink
  | Restart
  | Activating
  | RollingBack
  | RollingBackWithoutJob
  | Trial
  | TrialWithoutJob
  | Deciding
  | Reporting;

export type StateName = State["name"];
export type StateOf<N extends StateName> = Extract<State, { name: N }>;

/** What a screen is told in place of the name. */
export const LABELS: { readonly [S in StateName]?: string } = Object.freeze({
  starting: "idle",
  storing: "downloading",
  activating: "leaving",
  "rolling-back": "leaving",
  "rolling-back-without-job": "leaving",
  "trial-without-job": "trial",
});

/** What a handler returns: the next state, and the effects in the order in which they are executed. */
export interface Step<S extends State = State> {
  readonly state: S;
  readonly effects: readonly JobEffect[];
}

export const IDLE: Idle = Object.freeze({ name: "idle" });
const NONE: readonly JobEffect[] = Object.freeze<JobEffect[]>([]);

export const to = <S extends State>(state: S, effects: readonly JobEffect[]): Step<S> => ({ state, effects });

/** The state stays, and nothing is done. */
export const stay = <S extends State>(state: S): Step<S> => ({ state, effects: NONE });

/** `effects`, then those of the step. */
export const before = <S extends State>(effects: readonly JobEffect[], step: Step<S>): Step<S> => ({
  state: step.state,
  effects: effects.concat(step.effects),
});

export const jobOf = (state: State): StoredJob | undefined => ("job" in state ? state.job : undefined);

export const warning = (message: string): JobEffect => ({ type: "notify", notice: { event: "warning", message } });
