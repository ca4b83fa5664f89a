/** A component is stored and proven: its installer makes use of it. Nothing restarts. */
import { INSTALL_TIMEOUT } from "../constants";
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { conclude, fail } from "./outcome";
import { to } from "./states";
import type { Installing, Reporting, Step } from "./states";
import type { StoredJob } from "./stored-job";

/** Done once more after a power cut in the installation. */
export function install(_context: JobContext, job: StoredJob, now: number): Step<Installing> {
  return to({ name: "installing", job, until: now + INSTALL_TIMEOUT }, [
    job.enter({ phase: "committing" }),
    { type: "notify", notice: { event: "state", state: "installing" } },
    { type: "ask", question: "install", task: job.offer },
  ]);
}

/** The installer's answer. */
export function installed(
  context: JobContext,
  { job }: Installing,
  { ok, message }: Pick<Extract<JobEvent, { type: "install" }>, "ok" | "message">,
): Step<Reporting> {
  return ok
    ? conclude(job, { kind: "done" })
    : fail(context, job, "rejected", `module ${job.offer.component}: ${message}`, {});
}

export const installTimeout = (context: JobContext, state: Installing) =>
  installed(context, state, { ok: false, message: `not installed within ${INSTALL_TIMEOUT / 60_000} min` });
