import type { JobContext } from "./context";
import { to } from "./states";
import type { Activating, Step } from "./states";
import type { StoredJob } from "./stored-job";

/**
 * Changes the boot choice and restarts; `trials` were cut short before. The entry of the trial before is deleted first,
 * with that trial counted: while it is there, a power cut before the new entry looks like one more trial that was cut
 * short.
 */
export const activate = (context: JobContext, job: StoredJob, trials: number, now: number): Step<Activating> => {
  const slot = context.facts.target;
  const { activations } = job.phase;
  return to({ name: "activating", job }, [
    job.enter({ phase: "committing", trials }),
    ...context.budgets.activates(job.known, now),
    { type: "invalidate" },
    job.enter({ phase: "trial", trials, activations: activations + 1 }),
    { type: "activate" },
    { type: "notify", notice: { event: "reboot", slot } },
    { type: "reboot", slot },
  ]);
};
