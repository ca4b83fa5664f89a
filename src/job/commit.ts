/**
 * What follows a proof: image header, image check, boot choice and restart, each step stored before the next needs it;
 * or the installer.
 */
import { HEAD, INSTALL_TIMEOUT, SECTOR_REPAIRS } from "../constants";
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { awaitBurning } from "./link-wait";
import { conclude, fail } from "./outcome";
import { reportBurning } from "./proof";
import { before, to } from "./states";
import type { AwaitingLink, Burning, Committing, Installing, Reporting, Step } from "./states";
import type { StoredJob } from "./stored-job";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;

/** Reports `burning` and programs the header. */
export const commit = (context: JobContext, job: StoredJob, _now: number): Step<Committing | Reporting> => {
  return before(
    [
      job.enter({ phase: "committing" }),
      reportBurning(job),
      { type: "notify", notice: { event: "state", state: "burning" } },
    ],
    programHeader(context, job, 0),
  );
};

/** Programmed even where it reads right after a power cut: a torn program may read right by chance. */
const programHeader = (context: JobContext, job: StoredJob, repairs: number): Step<Committing | Reporting> => {
  const { header } = job;
  if (header === undefined) return fail(context, job, "flash", "the head of the image is lost", {});
  return to({ name: "committing", job, repairs }, [
    { type: "write", offset: 0, bytes: header },
    { type: "compare", offset: 0, bytes: header, erased: 0 },
  ]);
};

export const headerCompared = (
  context: JobContext,
  state: Committing,
  { equal }: Event<"compared">,
): Step<Committing | Reporting> => {
  const { job } = state;
  if (equal) return to(state, [{ type: "verify" }]);
  const repairs = state.repairs + 1;
  if (repairs <= SECTOR_REPAIRS) return programHeader(context, job, repairs);
  return fail(context, job, "flash", `flash at 0x0 does not hold the first ${HEAD} bytes`, { discard: true });
};

/** The image is bootable; `length` bytes of the file are its own. */
export const verified = (
  context: JobContext,
  { job }: Committing,
  { length }: Event<"verified">,
  now: number,
): Step<Burning | AwaitingLink | Reporting> => {
  const { size } = job.image;
  if (length > size)
    return fail(context, job, "rejected", `image of ${length} bytes is longer than the file of ${size}`, {
      deny: true,
      discard: true,
    });
  return awaitBurning(context, job, now);
};

/* ---- a component: its installer makes use of it, and nothing restarts ---- */

/** Done once more after a power cut in the installation. */
export const install = (_context: JobContext, job: StoredJob, now: number): Step<Installing> => {
  return to({ name: "installing", job, until: now + INSTALL_TIMEOUT }, [
    job.enter({ phase: "committing" }),
    { type: "notify", notice: { event: "state", state: "installing" } },
    { type: "ask", question: "install", task: job.offer },
  ]);
};

/** The installer's answer. */
export const installed = (
  context: JobContext,
  { job }: Installing,
  { ok, message }: Pick<Event<"install">, "ok" | "message">,
): Step<Reporting> => {
  return ok
    ? conclude(job, { kind: "done" })
    : fail(context, job, "rejected", `module ${job.offer.component}: ${message}`, {});
};

export const installTimeout = (context: JobContext, state: Installing) =>
  installed(context, state, { ok: false, message: `not installed within ${INSTALL_TIMEOUT / 60_000} min` });
