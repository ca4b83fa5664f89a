/** The download as the job sees it: sectors into flash, the checkpoint behind them, and URLs that expire. */
import { isContainer } from "../container/magic";
import { RENEWAL_TIMEOUT, SECTOR, SECTOR_REPAIRS, URL_RENEWALS } from "../constants";
import { choose } from "./containers";
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { fail } from "./outcome";
import { refusalOfOther } from "./policy";
import { Progress } from "./progress";
import { askForOffer } from "./report";
import { refusalByNames } from "./staged";
import { before, stay, to, warning } from "./states";
import type { Checking, Choosing, Downloading, Idle, Renewing, Reporting, Step, Storing, Waiting } from "./states";
import type { StoredJob } from "./stored-job";
import { checkRunning, digestReadBack, verify } from "./verify";
import type { Verified } from "./verify";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;
type InDownload = Downloading | Storing;

/** Begins at the checkpoint, or verifies at once where everything is stored. */
export const download = (context: JobContext, job: StoredJob, now: number): Step<Downloading | Verified> => {
  if (!job.complete) return startDownload(job, now);
  const { target, offer, offset } = job;
  // Of a container the offer names another digest than that of the image, so its history was not asked for yet.
  const history = job.container && refusalByNames(context, job.names, now);
  if (history !== undefined) return fail(context, job, "rejected", history, { keepCheckpoint: true });
  const effects = prepare(job, new Progress(now), now);
  return before(effects.concat(target.open(offer, offset)), verify(context, job, now));
};

/** Begins at the checkpoint of a file that is not complete. */
export const startDownload = (job: StoredJob, now: number): Step<Downloading> => {
  const { offer, offset, record, from, size } = job;
  const progress = new Progress(now);
  const request: JobEffect = {
    type: "download",
    url: offer.url,
    offset: from + offset,
    size: offer.size,
    // Only a part of a container may be wanted.
    ...(from + size < offer.size ? { end: from + size } : {}),
    validator: record.validator,
    hasDigest: offer.digest !== undefined,
  };
  const effects = prepare(job, progress, now);
  // The rest of a block may be erased already: the next one then is, while the connection is made.
  if (offset > 0) effects.push({ type: "yield" });
  return to({ name: "downloading", job, progress }, [...effects, request]);
};

/**
 * Before the first byte of the slot changes, and after every power-on: something else may have written the boot entry.
 */
const prepare = (job: StoredJob, progress: Progress, now: number): JobEffect[] => {
  const { target, offset } = job;
  const effects = target.prepare();
  if (job.isStaging) effects.push(...job.eraseFront());
  if (offset > 0) effects.push({ type: "notify", notice: { event: "resume", offset } });
  return effects.concat(progress.report(job, now));
};

/** No fresh push came after power-on: the stored URL is tried. */
export const resume = (_context: JobContext, { job }: Waiting, _event: unknown, now: number) => startDownload(job, now);

/** The server told the file's length. */
export const total = (
  context: JobContext,
  { job, progress }: InDownload,
  { size, validator }: Event<"total">,
  now: number,
): Step<Downloading | Checking | Verified> => {
  const { target, offer } = job;
  const room = target.refusalOfSize(context, offer, size);
  if (room !== undefined) return fail(context, job, "rejected", room, {});
  const effects = job.learn(size, validator, context.leftFor(target));
  if (offer.size === 0) {
    const stopped: JobEffect[] = [{ type: "stop-download" }, ...effects];
    if (target.runs(context, job.offer)) return before(stopped, checkRunning(context, job, now));
    // With the size the checkpoint of an earlier job of the same image is known: the download continues from there.
    if (job.offset > 0) return before(stopped, download(context, job, now));
  }
  return to({ name: "downloading", job, progress }, effects.concat(target.open(job.offer, job.offset)));
};

export const sector = (
  context: JobContext,
  { job, progress }: InDownload,
  { offset, bytes }: Event<"sector">,
  now: number,
): Step<Downloading | Storing | Choosing | Idle | Reporting> => {
  if (offset - job.from !== job.offset) return stay({ name: "downloading", job, progress });
  const { target, offer } = job;
  if (offset === 0 && job.container === undefined && offer.component === undefined && isContainer(bytes))
    return choose(context, job, progress, bytes);
  const stored = to<Storing>({ name: "storing", job, progress, bytes, repairs: 0 }, store(context, job, bytes));
  if (offset > 0 || job.isStaging) return stored;
  // Images that supersede one another, or are downloaded once more, wear the first sector without an end of a job.
  // Of the running version only a container is of use: what runs was compared with the file.
  const runs = offer.digest !== undefined && target.runs(context, offer) ? refusalOfOther(offer.version) : undefined;
  const refusal = runs ?? target.refusalOfImage(context, offer, bytes) ?? target.refusalByHistory(context, offer, now);
  if (refusal !== undefined) return fail(context, job, "rejected", refusal, {});
  return before(target.installs(context, offer, now), stored);
};

/** While one is stored: the first sector of a container never is. */
export const sectorAgain = sector as (
  context: JobContext,
  state: InDownload,
  event: Event<"sector">,
  now: number,
) => Step<Downloading | Storing | Reporting>;

/**
 * Only what was erased to its end counts as erased: an erase that a power cut has stopped can leave cells that read as
 * erased and do not hold, and so can a program. Of a block the store knows that; of a sector only this run.
 */
export const store = (context: JobContext, job: StoredJob, bytes: Uint8Array): JobEffect[] => {
  const sector = job.offset / SECTOR;
  const again = sector === job.torn ? 1 : 0;
  const erase = sector < job.erasedTo ? again : job.target.eraseLength(context, job.offer, sector);
  job.torn = -1;
  const effects = job.target.store(sector, bytes, erase);
  if (erase > 1) effects.splice(1, 0, ...job.erased(sector + erase));
  else job.erasedTo = Math.max(job.erasedTo, sector + erase);
  // What waited is read before the next erase.
  return erase > 1 && job.container === undefined ? effects.concat({ type: "yield" }) : effects;
};

/**
 * Erases the block behind the one that is written, at a moment when nothing comes: all that waited was read, and the
 * server hears of the room a round trip before its next bytes arrive; or there is no connection yet.
 */
export const eraseAhead = <S extends InDownload>(context: JobContext, state: S): Step<S> => {
  const { job } = state;
  const { blockSectors } = context.facts;
  const sector = job.erasedTo;
  const next = Math.floor(job.offset / SECTOR / blockSectors + 1) * blockSectors;
  // Before the first sector was looked at nothing is erased; a container lies where the next block may be.
  if (
    sector === 0 ||
    sector > next ||
    job.container !== undefined ||
    job.target.eraseLength(context, job.offer, sector) === 1
  )
    return stay(state);
  return to(state, [{ type: "erase", sector, block: true }, ...job.erased(sector + blockSectors)]);
};

/** The readback of a sector. The checkpoint advances only when it is equal; else the sector is stored again. */
export const sectorCompared = (
  context: JobContext,
  state: Storing,
  { equal }: Event<"compared">,
  now: number,
): Step<Downloading | Storing | Reporting> => {
  const { job, progress, bytes } = state;
  const { offset, target } = job;
  if (equal) {
    digestReadBack(context, job, offset, bytes);
    const effects = job.advance(bytes);
    if (job.phase.renewals) effects.push(job.enter({ renewals: 0 }));
    effects.push(...progress.report(job, now));
    return to({ name: "downloading", job, progress }, effects);
  }
  const repairs = state.repairs + 1;
  if (repairs <= SECTOR_REPAIRS)
    return to({ name: "storing", job, progress, bytes, repairs }, target.store(offset / SECTOR, bytes, 1));
  return fail(context, job, "flash", `flash at 0x${offset.toString(16)} does not hold what is written`, {});
};

export const startOver = (_context: JobContext, { job, progress }: InDownload, { reason }: Event<"start-over">) =>
  to<Downloading>({ name: "downloading", job, progress }, job.startOver().concat(warning(reason)));

export const rewind = (
  _context: JobContext,
  { job, progress }: InDownload,
  { offset }: Event<"rewind">,
): Step<Downloading> => {
  const effects = job.rewind(Math.max(0, offset - job.from));
  return to({ name: "downloading", job, progress }, effects.concat(job.target.open(job.offer, job.offset)));
};

/** The cloud hears why there is no progress. */
export const stalled = <S extends InDownload>(
  _context: JobContext,
  state: S,
  { message }: Event<"stalled">,
): Step<S> => {
  const { job, progress } = state;
  return to(state, progress.stalled(job, message));
};

export const finished = (context: JobContext, { job }: InDownload, _event: unknown, now: number) =>
  verify(context, job, now);

/**
 * A stall while the broker cannot be reached either is an outage, of which nobody could be told: the download begins
 * again at the checkpoint, with a budget of its own.
 */
export const downloadFailed = (
  context: JobContext,
  { job }: InDownload,
  { cause, message }: Event<"download-failed">,
  now: number,
): Step<Downloading | Reporting> => {
  if (cause === "download-timeout" && context.linkDown)
    return before([warning(`${message}; the broker is away too, so the download goes on`)], startDownload(job, now));
  return fail(context, job, cause, message, { keepCheckpoint: cause !== "rejected" });
};

/** 401 or 403. A newer push may have brought a fresh URL already; else one is asked for. */
export const expired = (
  context: JobContext,
  state: InDownload,
  { message }: Event<"expired">,
  now: number,
): Step<Downloading | Renewing | Reporting> => {
  const { freshUrl, offer } = state.job;
  if (freshUrl !== undefined && freshUrl !== offer.url) return renew(state, freshUrl);
  return askForUrl(context, state, message, now);
};

/** The cloud names the image again, with a fresh URL. */
const askForUrl = (
  context: JobContext,
  { job, progress }: InDownload | Renewing,
  why: string,
  now: number,
): Step<Renewing | Reporting> => {
  const { rules } = context.options.platform;
  if (!rules.renewable) return fail(context, job, "url-expired", why, { keepCheckpoint: true });
  const { renewals } = job;
  if (renewals >= URL_RENEWALS)
    return fail(context, job, "url-expired", `${why}; asked for a fresh URL ${renewals} times`, {
      keepCheckpoint: true,
    });
  job.renewals++;
  const state: Renewing = { name: "renewing", job, until: now + RENEWAL_TIMEOUT, why, progress };
  // A device that restarts before each answer, or after it, would ask for ever. Without a connection nobody was asked.
  const counted = context.linkUp ? [job.enter({ renewals: (job.phase.renewals ?? 0) + 1 })] : [];
  return to(state, counted.concat(askForOffer(context, state)));
};

/** Nothing was pushed. Without a connection nobody can answer, so that counts as no renewal. */
export const renewalTimeout = (
  context: JobContext,
  state: Renewing,
  _event: unknown,
  now: number,
): Step<Renewing | Reporting> => {
  return context.linkUp ? askForUrl(context, state, state.why, now) : stay({ ...state, until: now + RENEWAL_TIMEOUT });
};

/** Continues at the checkpoint with another URL of the same image. */
export const renew = ({ job, progress }: InDownload | Renewing, url: string): Step<Downloading> => {
  return to({ name: "downloading", job, progress }, job.renew(url).concat({ type: "renew", url }));
};
