/** Digest passes over flash: of the downloaded file, and of the running image when its own version is offered. */
import { activate } from "./activate";
import { commit, install } from "./commit";
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { HashPass } from "./hash-pass";
import type { Digests } from "./hash-pass";
import { expand } from "./containers";
import { conclude, fail } from "./outcome";
import { refusalOfOther } from "./policy";
import { Progress } from "./progress";
import { to, warning } from "./states";
import type {
  Activating,
  Checking,
  Committing,
  Downloading,
  Expanding,
  Installing,
  Reporting,
  Step,
  Verifying,
} from "./states";
import { stagedProof } from "./staged";
import type { StoredJob } from "./stored-job";
import { observed } from "./target";
import type { Offer } from "./types";

type Proven = Committing | Installing | Reporting;
/** What follows when all of a file is stored. */
export type Verified = Verifying | Proven;

const LOST = "the head of the image is lost";

/** Everything is in flash: is it what was offered, and who signed it? */
export const verify = (context: JobContext, job: StoredJob, now: number): Step<Verified> => {
  if (job.isStaging) {
    const { start, length, digest } = stagedProof(context, job);
    const whole = context.options.digest(digest.algorithm);
    return begin(job, new HashPass("target", length, { whole }, undefined, start), undefined);
  }
  const { header, target, image, pass } = job;
  if (pass?.taken === image.size) return begin(job, pass, undefined);
  const digests = digestsOf(context, image);
  // Nothing of a container is left to expand here.
  if (digests === undefined) return proven(context, job, now) as Step<Proven>;
  if (header === undefined) return fail(context, job, "flash", LOST, {});
  const heldBack = target.heldBack > 0 ? header : undefined;
  return begin(job, new HashPass("target", image.size, digests, heldBack), undefined);
};

/**
 * Digests grow with what is read back, from the first sector on and without a gap, which spares a pass over flash.
 * `offset`: of the sector that was.
 */
export const digestReadBack = (context: JobContext, job: StoredJob, offset: number, bytes: Uint8Array): void => {
  if (offset === 0) job.pass = beginPass(context, job);
  if (job.pass?.taken === offset && offset + bytes.length <= job.image.size) job.pass.take(bytes);
};

/** Of firmware only: the chip checks the image once more, and an installer reads for itself. */
const beginPass = (context: JobContext, { image, target }: StoredJob): HashPass | undefined => {
  const digests = target.proven === "commit" ? digestsOf(context, image) : undefined;
  return digests && new HashPass("target", image.size, digests);
};

/**
 * The image check failed although each sector read right after it was written. A sector that has changed since is no
 * verdict on the image, so flash is read once. Undefined: it was.
 */
export const verifyFlash = (context: JobContext, job: StoredJob): Step<Verifying> | undefined => {
  const { image, header, pass } = job;
  job.pass = undefined;
  const digests = pass === undefined ? undefined : digestsOf(context, image);
  return digests && begin(job, new HashPass("target", image.size, digests, header), undefined);
};

/**
 * The image was proven before, and its trial is repeated after `trials`. It is proven again even then, with its header
 * in flash: who can write to the store must not be able to start an unsigned image.
 */
export const verifyAgain = (
  context: JobContext,
  job: StoredJob,
  trials: number,
  now: number,
): Step<Verifying | Activating> => {
  const digests = digestsOf(context, job.image);
  if (digests === undefined) return activate(context, job, trials, now);
  return begin(job, new HashPass("target", job.image.size, digests), trials);
};

/** Undefined: neither a digest nor a signature tells anything. */
const digestsOf = ({ options }: JobContext, { digest }: Offer): Digests | undefined => {
  const signed = options.refusalOfSignature === undefined ? undefined : options.digest("SHA256");
  if (digest === undefined && signed === undefined) return undefined;
  return { whole: digest === undefined ? undefined : options.digest(digest.algorithm), signed };
};

const begin = (job: StoredJob, pass: HashPass, trials: number | undefined): Step<Verifying> => {
  const next = pass.next();
  // A file that is no longer than its header has nothing to read.
  if (next.length === 0) next.push({ type: "yield" });
  return to({ name: "verifying", job, pass, trials }, [
    { type: "notify", notice: { event: "state", state: "verifying" } },
    ...next,
  ]);
};

const PROVEN = Object.freeze({ commit, install, expand });

const proven = (context: JobContext, job: StoredJob, now: number): Step<Proven | Expanding> =>
  job.offer.fetchOnly === true ? conclude(job, { kind: "done" }) : PROVEN[job.target.proven](context, job, now);

type Decided = Verified | Expanding | Downloading | Activating;

export const verifyBytes = (
  context: JobContext,
  state: Verifying,
  { bytes }: Extract<JobEvent, { type: "bytes" }>,
  now: number,
): Step<Decided> => {
  state.pass.take(bytes);
  return readOn(context, state, now);
};

export const verifyTurn = (context: JobContext, state: Verifying, _event: unknown, now: number) =>
  readOn(context, state, now);

/** The next read of the pass, or what its end means. */
const readOn = (context: JobContext, state: Verifying, now: number): Step<Decided> => {
  const next = state.pass.next();
  return next.length > 0 ? { state, effects: next } : decide(context, state, now);
};

const decide = (context: JobContext, { job, pass, trials }: Verifying, now: number): Step<Decided> => {
  const { image, target } = job;
  const digest = job.isStaging ? stagedProof(context, job).digest : image.digest;
  const { signed, trailer, first, ...rest } = pass.close();
  const whole = observed(context.options, rest.whole);
  const same = digest === undefined || whole === digest.hex;
  if (!same) {
    const why = `${digest.algorithm} of what is in flash is ${whole}`;
    // The bytes of the container were right. Of what an earlier job has left in the slot that is not known any more.
    if (job.container !== undefined && !job.isStaging && !job.made)
      return fail(context, job, "rejected", `the container makes another file: ${why}`, {
        deny: "file",
        discard: true,
      });
    return downloadOnceMore(job, why, now) ?? fail(context, job, "digest-mismatch", why, { discard: true });
  }
  if (job.isStaging) return proven(context, job, now);
  // Before the header is programmed: an image without a trusted signature never becomes bootable.
  const unsigned = signed === undefined ? undefined : context.options.refusalOfSignature?.(signed, trailer);
  if (unsigned !== undefined) {
    // Without a digest the signature alone tells whether the bytes are right.
    const again = digest === undefined ? downloadOnceMore(job, unsigned, now) : undefined;
    return again ?? fail(context, job, "signature", unsigned, { deny: true, discard: true });
  }
  // Once more, of what is in flash and against what runs now: the first sector may be from before the last restart.
  const refusal = target.refusalOfImage(context, image, first);
  if (refusal !== undefined) return fail(context, job, "rejected", refusal, { discard: true });
  return trials === undefined ? proven(context, job, now) : activate(context, job, trials, now);
};

/**
 * The length is right and the digest is not: bytes were lost or mixed on the way (docs/MODDABLE.md, "Faults of the SDK's
 * sockets"), or the offer is wrong. One more download decides. Undefined: this job has had it.
 */
const downloadOnceMore = (job: StoredJob, why: string, now: number): Step<Downloading> | undefined => {
  if (job.phase.refetched) return undefined;
  const { target } = job;
  return beginAnew(job, now, [
    warning(`${why}; it is downloaded once more`),
    ...target.prepare(),
    job.enter({ phase: "downloading", refetched: true, expanding: false }),
    ...job.startOver(),
    // The header may be in flash from before a cut, or from an earlier job of the image.
    ...target.discard(),
  ]);
};

/** `effects` come first. */
const beginAnew = (job: StoredJob, now: number, effects: readonly JobEffect[]): Step<Downloading> => {
  const { url, size, digest } = job.offer;
  const progress = new Progress(now);
  return to({ name: "downloading", job, progress }, [
    ...effects,
    ...progress.report(job, now),
    { type: "download", url, offset: 0, size, validator: undefined, hasDigest: digest !== undefined },
  ]);
};

/* ---- the offered version runs already ---- */

/** With the same digest there is nothing to do, with another the offer is a mistake. */
export const checkRunning = (
  context: JobContext,
  job: StoredJob,
  now: number,
): Step<Checking | Downloading | Reporting> => {
  const { version, digest, size } = job.offer;
  if (digest === undefined)
    return fail(
      context,
      job,
      "rejected",
      `version ${version} runs already, and without a digest it can not be told from another image`,
      {},
    );
  const pass = new HashPass("running", size, { whole: context.options.digest(digest.algorithm) });
  return checkTurn(context, { name: "checking", job, pass }, undefined, now);
};

export const checkBytes = (
  context: JobContext,
  state: Checking,
  { bytes }: Extract<JobEvent, { type: "bytes" }>,
  now: number,
): Step<Checking | Downloading | Reporting> => {
  state.pass.take(bytes);
  return checkTurn(context, state, undefined, now);
};

export const checkTurn = (
  context: JobContext,
  state: Checking,
  _event: unknown,
  now: number,
): Step<Checking | Downloading | Reporting> => {
  const { job, pass } = state;
  const next = pass.next();
  if (next.length > 0) return to(state, next);
  const { version, digest } = job.offer;
  if (observed(context.options, pass.close().whole) === digest?.hex) return conclude(job, { kind: "done" });
  if (!context.options.policy.allowDelta || job.offset > 0)
    return fail(context, job, "rejected", refusalOfOther(version), {});
  // It may be a container of the image that runs: its first sector will tell.
  return beginAnew(job, now, job.target.prepare());
};
