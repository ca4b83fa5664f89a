/** The staged bytes of a container are proven, or were before the power was lost: the image is made of them. */
import type { JobContext } from "./context";
import { Progress } from "./progress";
import { to } from "./states";
import type { Expanding, Step } from "./states";
import type { StoredJob } from "./stored-job";

/** What may be overwritten from now on is remembered first. */
export const expand = (_context: JobContext, job: StoredJob, now: number): Step<Expanding> => {
  const first = job.expand();
  const progress = new Progress(now);
  return to({ name: "expanding", job, progress, lengths: undefined, at: 0, bytes: undefined, repairs: 0 }, [
    ...first,
    ...job.target.prepare(),
    { type: "notify", notice: { event: "state", state: "expanding" } },
    ...progress.report(job, now),
    { type: "identify" },
  ]);
};
