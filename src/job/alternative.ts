/**
 * An image that is offered plain and as a container of deltas beside it: the container is taken where it is of use, and
 * the plain image otherwise. Which file it is stands in the offer of the job; the rest is not stored, since a cloud that
 * names both names them at each poll.
 */
import type { JobContext } from "./context";
import { fail } from "./outcome";
import { sameImage } from "./policy";
import { IDLE, to, warning } from "./states";
import type { Idle, Reporting, Step } from "./states";
import type { StoredJob } from "./stored-job";
import type { Cause, Offer } from "./types";

/** The file that this device wants of an offer. */
export const fileOf = (context: JobContext, { delta, ...plain }: Offer): Offer => {
  if (delta === undefined) return plain;
  const file = { ...plain, ...delta };
  context.alternative = { file, plain };
  const { unfit, denylist, options } = context;
  const isUnfit = unfit !== undefined && sameImage(unfit, file);
  return isUnfit || !options.policy.allowDelta || denylist.causeOf(delta.digest) !== undefined ? plain : file;
};

/** The file of the job is a container that did not lead to the image. Undefined: there is no other file. */
export const plainInstead = (context: JobContext, { offer }: StoredJob): Offer | undefined => {
  const { alternative } = context;
  if (alternative === undefined || !sameImage(alternative.file, offer)) return undefined;
  context.unfit = offer;
  return alternative.plain;
};

/** Nothing of the slot has changed yet: the plain image is taken at once, where there is one. */
export const refuseContainer = (
  context: JobContext,
  job: StoredJob,
  cause: Cause,
  text: string,
): Step<Idle | Reporting> => {
  const plain = plainInstead(context, job);
  if (plain === undefined) return fail(context, job, cause, text, {});
  context.instead = plain;
  context.leave(job, false);
  return to(IDLE, [{ type: "stop-download" }, ...job.forget(false), warning(`the plain image is taken: ${text}`)]);
};
