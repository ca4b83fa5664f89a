/**
 * An effect failed: the runner dropped those behind it, because they relied on it. From every state this leads back to
 * idle.
 */
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { conclude, fail, report } from "./outcome";
import { before, stay, to, warning } from "./states";
import type {
  Activating,
  AwaitingLink,
  Burning,
  Checking,
  Choosing,
  Committing,
  Consent,
  Deciding,
  Downloading,
  Expanding,
  Idle,
  Installing,
  Renewing,
  Reporting,
  Restart,
  RollingBack,
  RollingBackWithoutJob,
  State,
  Step,
  Storing,
  Trial,
  Verifying,
  Waiting,
} from "./states";
import { giveUp, giveUpWithoutJob, leave } from "./trial";
import { verifyFlash } from "./verify";

type Failed = Extract<JobEvent, { type: "effect-failed" }>;
type WithJob =
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
  | Trial
  | Deciding;

/** What an effect needs that fails. Not listed: something that the job does not depend on. */
const KINDS: { readonly [effect in JobEffect["type"]]?: "store" | "flash" | "image" | "container" } = Object.freeze({
  "put-number": "store",
  "put-bytes": "store",
  delete: "store",
  erase: "flash",
  write: "flash",
  compare: "flash",
  read: "flash",
  identify: "flash",
  "expand-begin": "flash",
  expand: "container",
  invalidate: "flash",
  verify: "image",
  activate: "image",
} as const);

const warningOf = ({ effect, message }: Failed): JobEffect => warning(`${effect}: ${message}`);

/** Without a job, and wherever nothing else is said. */
export const warn = <S extends State>(_context: JobContext, state: S, event: Failed): Step<S> =>
  to(state, [warningOf(event)]);

/** Ends the job. */
export const failJob = <S extends WithJob>(context: JobContext, state: S, event: Failed): Step<S | Reporting> => {
  const { job } = state;
  const { effect, message } = event;
  switch (KINDS[effect]) {
    case "store":
      return before([warningOf(event)], fail(context, job, "flash", `store: ${message}`, {}));
    case "flash":
      return fail(context, job, "flash", message, {
        discard: state.name === "committing" || state.name === "expanding",
      });
    case "image":
      return fail(context, job, "rejected", message, { deny: true, discard: true });
    case "container":
      return fail(context, job, "rejected", message, { deny: "file", discard: true });
  }
  if (effect === "open-component") return fail(context, job, "rejected", message, { keepCheckpoint: true });
  if (effect === "download") return fail(context, job, "download", message, { keepCheckpoint: true });
  return warn(context, state, event);
};

/** A bad image is told from flash that has changed. */
export const failWhileCommitting = (
  context: JobContext,
  state: Committing,
  event: Failed,
): Step<Committing | Verifying | Reporting> => {
  const again = event.effect === "verify" ? verifyFlash(context, state.job) : undefined;
  return again === undefined ? failJob(context, state, event) : before([warningOf(event)], again);
};

/** The outcome stands. One that cannot be stored is reported all the same. */
export const failWhileReporting = (
  context: JobContext,
  state: Reporting,
  event: Failed,
  now: number,
): Step<Reporting | RollingBack> => {
  const { job, outcome } = state;
  const { effect, message } = event;
  switch (KINDS[effect]) {
    case "store":
      return before([warningOf(event)], report(job, outcome));
    case "flash":
      return before([warningOf(event)], conclude(job, outcome));
    case "image":
    case "container":
      return stay(state);
  }
  switch (effect) {
    case "open-component":
    case "download":
      return stay(state);
    case "confirm":
      return giveUp(context, job, `confirm: ${message}`, false, now);
    case "rollback":
      return rebootAnyway(context, state, event);
    default:
      return warn(context, state, event);
  }
};

/** Confirmed firmware without a job is idle, or takes the next offer, when its confirm turns out to have failed. */
export const failWithoutJob = <S extends Idle | Consent>(
  context: JobContext,
  state: S,
  event: Failed,
): Step<S | RollingBackWithoutJob> =>
  event.effect === "confirm" ? giveUpWithoutJob(context) : warn(context, state, event);

/**
 * Firmware that gives itself up leaves whether that could be stored or not: the old one sees that its trial has failed.
 */
export const failWhileRollingBack = <S extends RollingBack | RollingBackWithoutJob>(
  context: JobContext,
  state: S,
  event: Failed,
): Step<S> => {
  if (KINDS[event.effect] === "store") return to(state, [warningOf(event), ...leave(context)]);
  return event.effect === "rollback" ? rebootAnyway(context, state, event) : warn(context, state, event);
};

const rebootAnyway = <S extends State>({ facts }: JobContext, state: S, event: Failed): Step<S> =>
  to(state, [warningOf(event), { type: "reboot", slot: facts.target }]);
