/** In place of job/containers.ts, by manifest_without_containers.json: plain images are taken, and no container is. */
import type { JobContext } from "../job/context";
import { fail } from "../job/outcome";
import type { Reporting, Step } from "../job/states";
import type { StoredJob } from "../job/stored-job";
import type { Offer } from "../job/types";

const CAUSE = "the file is a container of deltas, and this firmware was built without them";

export const fileOf = (_context: JobContext, { delta: _delta, ...plain }: Offer): Offer => plain;

export const plainInstead = (): undefined => undefined;

export const choose = (context: JobContext, job: StoredJob): Step<Reporting> =>
  fail(context, job, "rejected", CAUSE, {});

/** Of a job that other firmware has left. Part of the image may be in the slot. */
export const expand = (context: JobContext, job: StoredJob): Step<Reporting> =>
  fail(context, job, "rejected", CAUSE, { discard: true });
