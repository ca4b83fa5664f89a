/**
 * The update job as a table: from an offer to its one terminal outcome. Events in, effects out; agent/job-runner.ts
 * executes the effects. states.ts says what each state carries; the handlers are in the files named for their phase.
 * docs/DESIGN.md has the diagram.
 *
 * A handler returns the next state and the effects, and changes nothing on flash or in the store by itself. The order
 * of effects matters: what a step needs to be remembered is stored before the step. If an effect fails, the runner
 * drops those behind it.
 */
import { earlier } from "../util/earlier";
import { frozen } from "../util/frozen";
import { acked } from "./acknowledge";
import { boot } from "./boot";
import { headerCompared, installed, installTimeout, verified } from "./commit";
import { baseFound, chosen, expandOn, expanded, lengthsRead, sectorExpanded } from "./container-states";
import { fileOf } from "./containers";
import { JobContext } from "./context";
import { ackedWhileDeciding, decidingTimeout, linkWhileDeciding } from "./deciding";
import {
  downloadFailed,
  eraseAhead,
  expired,
  finished,
  renewalTimeout,
  resume,
  rewind,
  sector,
  sectorAgain,
  sectorCompared,
  stalled,
  startOver,
  total,
} from "./download";
import { forget, network } from "./device-events";
import type { BootFacts, JobEffect, JobEvent, JobOptions } from "./effects";
import {
  failJob,
  failWhileCommitting,
  failWhileReporting,
  failWhileRollingBack,
  failWithoutJob,
  warn,
} from "./failures";
import {
  ackedBurning,
  ackedWhileAwaited,
  burningTimeout,
  linkBeforeRestart,
  linkWaitTimeout,
  linkWhileAwaited,
  restart,
} from "./link-wait";
import {
  ackedOutcome,
  consented,
  offerInConsent,
  offerInTrialWithoutJob,
  offerWhenBusy,
  offerWhenIdle,
  offerWhileRenewing,
  offerWhileUnable,
  offerWhileWaiting,
} from "./offers";
import { refuse } from "./outcome";
import { askAgain, linkChanged, linkWhileReporting, storeDue } from "./report";
import { beforeSleep } from "./sleep";
import { LABELS, jobOf, stay, to } from "./states";
import type { State, StateName, StateOf, Step } from "./states";
import { stageOf } from "./stage";
import {
  ackedInTrial,
  health,
  healthWithoutJob,
  linkInTrial,
  sleepInTrial,
  sleepInTrialWithoutJob,
  trialTimeout,
  trialWithoutJobTimeout,
} from "./trial";
import { withdrawDeferred, withdrawInConsent, withdrawJob, withdrawWhileReporting } from "./withdrawals";
import type { Target } from "./target";
import type { Task } from "./types";
import { reconnectWithin } from "./urgency";
import { checkBytes, checkTurn, verifyBytes, verifyTurn } from "./verify";

/** "timeout": the state's own time is over; it follows a tick. */
export type MachineEvent = JobEvent | { readonly type: "timeout" };
export type EventName = MachineEvent["type"];
type EventOf<E extends EventName> = Extract<MachineEvent, { type: E }>;

/** The states that may follow each state, besides itself. The types of the handlers in TABLE are checked against it. */
interface Next {
  starting:
    | "idle"
    | "trial"
    | "trial-without-job"
    | "waiting"
    | "downloading"
    | "checking"
    | Whole
    | "expanding"
    | "activating"
    | "deciding"
    | "reporting";
  idle: "consent" | "rolling-back-without-job";
  consent: "idle" | "checking" | "downloading" | Whole | "reporting" | "rolling-back-without-job";
  waiting: "idle" | "consent" | "downloading" | "reporting";
  checking: "idle" | "consent" | "downloading" | "reporting";
  choosing: "idle" | "consent" | "downloading" | "storing" | "reporting";
  downloading: "idle" | "consent" | "storing" | "choosing" | "checking" | "renewing" | Whole | "reporting";
  storing: "idle" | "consent" | "downloading" | "checking" | "renewing" | Whole | "reporting";
  renewing: "idle" | "consent" | "downloading" | "reporting";
  verifying:
    | "idle"
    | "consent"
    | "downloading"
    | "expanding"
    | "committing"
    | "installing"
    | "activating"
    | "reporting";
  expanding: "idle" | "consent" | "verifying" | "reporting";
  committing: "idle" | "consent" | "verifying" | "burning" | "awaiting-link" | "reporting";
  installing: "reporting";
  burning: "idle" | "consent" | "awaiting-link" | "restart" | "reporting";
  "awaiting-link": "idle" | "consent" | "restart" | "activating" | "reporting";
  restart: "idle" | "consent" | "awaiting-link" | "activating" | "reporting";
  activating: "reporting";
  trial: "reporting" | "rolling-back";
  "trial-without-job": "idle" | "consent" | "rolling-back-without-job";
  deciding: "consent" | "verifying" | "committing" | "reporting";
  reporting: "idle" | "consent" | "rolling-back";
  "rolling-back": never;
  "rolling-back-without-job": never;
}
/** What follows when all of a file is stored: without digest and signature there is nothing to verify. */
type Whole = "verifying" | "committing" | "installing";

/** What a handler of state `S` may return. */
type NextOf<S extends StateName> = StateOf<S | Next[S]>;
type Handler<S extends StateName, E extends EventName> = (
  context: JobContext,
  state: StateOf<S>,
  event: EventOf<E>,
  now: number,
) => Step<NextOf<S>>;
type Table = { readonly [S in StateName]: { readonly [E in EventName]?: Handler<S, E> } };

/** Events that no state ignores unless it says so. */
type Handled = "refused" | "withdrawn" | "link" | "network" | "acked" | "effect-failed" | "forget" | "sleep" | "tick";
type Defaults = {
  readonly [E in Handled]: <S extends State>(context: JobContext, state: S, event: EventOf<E>, now: number) => Step<S>;
};

/* ---- the tables ---- */

const ignore = <S extends State>(_context: JobContext, state: S): Step<S> => stay(state);

/** What happens in each state that lists no handler of its own for the event. */
export const DEFAULTS: Defaults = Object.freeze<Defaults>({
  refused: refuse,
  withdrawn: withdrawDeferred,
  link: linkChanged,
  network,
  acked,
  "effect-failed": warn,
  forget,
  sleep: beforeSleep,
  tick: (context, state, _event, now) => to(state, storeDue(context, now)),
});

/** The chip is about to restart: nothing counts any more but an effect that failed. */
const LEAVING = Object.freeze({
  refused: ignore,
  withdrawn: ignore,
  link: ignore,
  acked: ignore,
  forget: ignore,
  tick: ignore,
});

/** A job that a newer image of the same target supersedes. */
const BUSY = Object.freeze({ offer: offerWhenBusy, withdrawn: withdrawJob, "effect-failed": failJob });

const DOWNLOADING = Object.freeze({
  ...BUSY,
  total,
  sector,
  "start-over": startOver,
  rewind,
  stalled,
  turn: eraseAhead,
  finished,
  expired,
  "download-failed": downloadFailed,
});

export const TABLE = frozen({
  starting: { boot },
  idle: { offer: offerWhenIdle, tick: askAgain, "effect-failed": failWithoutJob },
  consent: { offer: offerInConsent, withdrawn: withdrawInConsent, consent: consented, "effect-failed": failWithoutJob },
  waiting: { ...BUSY, offer: offerWhileWaiting, timeout: resume },
  checking: { ...BUSY, bytes: checkBytes, turn: checkTurn },
  choosing: { ...BUSY, "running-image": chosen },
  downloading: DOWNLOADING,
  storing: { ...DOWNLOADING, sector: sectorAgain, compared: sectorCompared },
  renewing: { ...BUSY, offer: offerWhileRenewing, timeout: renewalTimeout },
  verifying: { ...BUSY, bytes: verifyBytes, turn: verifyTurn },
  expanding: {
    ...BUSY,
    "running-image": baseFound,
    bytes: lengthsRead,
    expanded,
    compared: sectorExpanded,
    turn: expandOn,
  },
  committing: { ...BUSY, compared: headerCompared, verified, "effect-failed": failWhileCommitting },
  installing: { offer: offerWhileUnable, install: installed, timeout: installTimeout, "effect-failed": failJob },
  burning: { ...BUSY, acked: ackedBurning, timeout: burningTimeout },
  "awaiting-link": { ...BUSY, link: linkWhileAwaited, acked: ackedWhileAwaited, timeout: linkWaitTimeout },
  restart: { ...BUSY, link: linkBeforeRestart, restart },
  activating: { ...LEAVING, "effect-failed": failJob },
  trial: {
    offer: offerWhileUnable,
    link: linkInTrial,
    acked: ackedInTrial,
    health,
    timeout: trialTimeout,
    sleep: sleepInTrial,
    "effect-failed": failJob,
  },
  "trial-without-job": {
    offer: offerInTrialWithoutJob,
    link: linkInTrial,
    acked: ackedInTrial,
    health: healthWithoutJob,
    timeout: trialWithoutJobTimeout,
    sleep: sleepInTrialWithoutJob,
  },
  deciding: {
    offer: offerWhenBusy,
    link: linkWhileDeciding,
    acked: ackedWhileDeciding,
    timeout: decidingTimeout,
    "effect-failed": failJob,
  },
  reporting: {
    offer: offerWhileUnable,
    withdrawn: withdrawWhileReporting,
    link: linkWhileReporting,
    acked: ackedOutcome,
    "effect-failed": failWhileReporting,
  },
  "rolling-back": { ...LEAVING, "effect-failed": failWhileRollingBack },
  "rolling-back-without-job": { ...LEAVING, "effect-failed": failWhileRollingBack },
} satisfies Table);

/* ---- the machine ---- */

/**
 * A row whose handlers take any state: the machine calls each with the state and the event that the table lists it for.
 */
type AnyRow = {
  readonly [E in EventName]?: (context: JobContext, state: State, event: MachineEvent, now: number) => Step;
};

export class UpdateJob {
  private readonly context: JobContext;
  private currentState: State = { name: "starting" };

  constructor(options: JobOptions, facts: BootFacts) {
    this.context = new JobContext(options, facts);
  }

  get name(): StateName {
    return this.currentState.name;
  }
  /** The state, for people. */
  get state(): string {
    return LABELS[this.name] ?? this.name;
  }
  /** The job in hand, if any. */
  get task(): Task | undefined {
    return jobOf(this.currentState)?.offer;
  }
  /** What the effects on the target act on. Asked for with each sector. */
  get target(): Target["name"] {
    const state = this.currentState;
    return "job" in state ? state.job.target.name : "firmware";
  }

  /** For a snapshot of the job. Undefined while the state holds bytes of a file. */
  get inside(): object | undefined {
    const { currentState: state, context } = this;
    return "bytes" in state && state.bytes !== undefined ? undefined : { state, context };
  }

  /** What a trial waits for, and until when, ms of the clock. Undefined: the firmware is not on trial. */
  get trial(): { readonly stage: string; readonly until: number } | undefined {
    const state = this.currentState;
    return "asked" in state ? { stage: stageOf(this.context, state.asked), until: state.until } : undefined;
  }

  /** When `tick` is wanted next, in ms of the clock. */
  deadline(): number | undefined {
    const state = this.currentState;
    const { pending, budgets, askAgainAt } = this.context;
    const own = "until" in state ? state.until : state.name === "idle" ? askAgainAt : undefined;
    return earlier(earlier(pending.deadline(), budgets.deadline()), own);
  }

  /** The longest wait for a reconnect that the state allows, ms. */
  get reconnectWithin(): number {
    return reconnectWithin(this.currentState, this.context.options.policy);
  }

  handle(event: JobEvent, now: number): readonly JobEffect[] {
    const { context } = this;
    const effects = this.step(event.type === "offer" ? { ...event, offer: fileOf(context, event.offer) } : event, now);
    const next = this.next(event, now);
    return next === undefined ? effects : effects.concat(this.step(next, now));
  }

  private step(event: MachineEvent, now: number): readonly JobEffect[] {
    const state = this.currentState;
    const { type } = event;
    const handler = (TABLE[state.name] as AnyRow)[type] ?? (DEFAULTS as AnyRow)[type] ?? ignore;
    const next = handler(this.context, state, event, now);
    this.currentState = next.state;
    return next.effects;
  }

  /**
   * What follows an event at once: the state's time may be over, an offer that waited when the power was lost is taken,
   * or another file of the same image.
   */
  private next({ type }: JobEvent, now: number): MachineEvent | undefined {
    const { context } = this;
    const { instead } = context;
    context.instead = undefined;
    if (instead !== undefined) return { type: "offer", offer: instead };
    if (type === "tick") {
      const state = this.currentState;
      return "until" in state && state.until !== undefined && now >= state.until ? { type: "timeout" } : undefined;
    }
    const offer = type === "boot" ? context.pending.offer : undefined;
    return offer && { type: "offer", offer };
  }
}
