/**
 * Budgets that keep a cloud from wearing a device out, whatever it pushes and however often: trials of one image,
 * installs of images that were confirmed here before, and new images. An install counts from the first erase on: an image
 * that is never switched to wears flash as well. Time is awake time of the agent, summed in the store, so a device
 * that is switched off does not shorten a wait. An image is identified by its digest, or by its version where the offer
 * has no digest.
 */
import {
  AWAKE_STORE_INTERVAL,
  NEW_IMAGES,
  NEW_IMAGE_REFILL,
  REPEAT_BUDGET_MAX,
  REPEAT_REFILL,
  TRIALS_MAX,
  TRIAL_WAITS,
} from "../constants";
import type { JobEffect, Notice } from "./effects";
import { BUDGET_ID, decodeBudgets, encodeBudgets } from "./history-codecs";
import type { BudgetRecord, CountedTrials, Spent, TrialEnd } from "./history-codecs";
import { RECORDS } from "./records";
import type { Snapshot } from "./records";
import type { Offer } from "./types";

/** Images whose trials are counted, and confirmed images remembered; the oldest goes first. */
const IMAGES_MAX = 8;

/** For people. */
export const WHY: { readonly [end in TrialEnd]: string } = Object.freeze({
  "rolled back": "it was rolled back",
  "not reached": "the cloud was not reached",
  power: "the power was cut",
  outage: "the cloud was not reached",
  "at fault": "the cloud was not reached",
});

export class Budgets {
  private readonly repeats: number;
  /** The record. It is read when it is asked for, which is seldom: decoded it would take several times the memory. */
  private bytes: Uint8Array | undefined;
  /** Awake seconds at `startedAt`, a time of the clock. */
  private readonly awake: number;
  private startedAt: number | undefined;
  /** As the store has them; absent: 0. */
  private awakeStored: number;
  private storeAt: number | undefined;

  /**
   * `repeats`: installs of images that were confirmed here before, until time gives new ones. An unreadable record
   * counts as empty.
   */
  constructor(stored: Pick<Snapshot, "budgets" | "awakeSeconds">, repeats: number) {
    this.repeats = repeats;
    this.bytes = stored.budgets;
    this.awake = stored.awakeSeconds ?? 0;
    this.awakeStored = this.awake;
  }

  /** Time counts from here on. */
  start(now: number): void {
    this.startedAt = now;
    const awake = this.awake;
    const content = decodeBudgets(this.bytes);
    // The record may be ahead of the time in the store, by a minute or, where that was lost, by months: no wait begins
    // later than now.
    const { trials, repeats, news } = content;
    if (repeats.since > awake || news.since > awake || trials.some(({ at }) => at > awake))
      this.bytes = encodeBudgets({
        ...content,
        trials: trials.map((each) => ({ ...each, at: Math.min(each.at, awake) })),
        repeats: { ...repeats, since: Math.min(repeats.since, awake) },
        news: { ...news, since: Math.min(news.since, awake) },
      });
    this.plan(now);
  }

  /** Reason not to install this offer now, or undefined. `running`: version of the running firmware. */
  refusalOf(offer: Offer, running: string, now: number): string | undefined {
    const { trials, confirmed, repeats, news } = this.content(now);
    const id = idOf(offer);
    const tried = trials.find((each) => each.id === id);
    if (tried !== undefined && tried.count >= TRIALS_MAX)
      return `tried ${tried.count} times and never confirmed: ${WHY[tried.why]}; it is not tried again`;
    const wait = tried === undefined ? 0 : this.waitOf(tried, now);
    if (wait > 0) return `tried before and not confirmed: ${WHY[tried!.why]}; the next trial in ${minutes(wait)} min`;
    if (!confirmed.includes(id)) {
      if (news.count < NEW_IMAGES) return undefined;
      return `${NEW_IMAGES} new images and no end; the next one in ${minutes(this.refillOf(news, NEW_IMAGE_REFILL, now))} min`;
    }
    if (repeats.count < this.repeats) return undefined;
    return `sent back and forth between ${running} and ${offer.version}; the next install in ${minutes(this.refillOf(repeats, REPEAT_REFILL, now))} min`;
  }

  /**
   * A trial has ended without a confirm. `job`: the job's `state` record, which tells this trial from the job's others;
   * a trial is counted once, however often the power goes meanwhile.
   */
  trialEnded(offer: Offer, why: TrialEnd, job: number, now: number): JobEffect[] {
    const content = this.content(now);
    const id = idOf(offer);
    const before = content.trials.find((each) => each.id === id);
    if (before?.job === job) return [];
    const others = content.trials.filter((each) => each.id !== id).sort((a, b) => a.at - b.at);
    const counted = { id, count: Math.min((before?.count ?? 0) + 1, TRIALS_MAX), why, at: this.awakeAt(now), job };
    return [
      ...this.put({ ...content, trials: [...others.slice(1 - IMAGES_MAX), counted] }, now),
      spentNotice("trials", offer, TRIALS_MAX - counted.count, this.waitOf(counted, now)),
    ];
  }

  /** How the trial of this image that was counted for `job` has ended; undefined: none was. */
  endOf(offer: Offer, job: number): TrialEnd | undefined {
    const id = idOf(offer);
    return decodeBudgets(this.bytes).trials.find((each) => each.id === id && each.job === job)?.why;
  }

  /** It is decided why the last trial of this image did not reach the cloud. */
  decided(offer: Offer, why: TrialEnd, now: number): JobEffect[] {
    const content = this.content(now);
    const id = idOf(offer);
    return this.put(
      { ...content, trials: content.trials.map((each) => (each.id === id ? { ...each, why } : each)) },
      now,
    );
  }

  /** Awake seconds until this image may have its next trial; not above 0: now. */
  waitFor(offer: Offer, now: number): number {
    const id = idOf(offer);
    const tried = this.content(now).trials.find((each) => each.id === id);
    return tried === undefined ? 0 : this.waitOf(tried, now);
  }

  /** No further trial of this image is allowed. */
  usedUp(offer: Offer): boolean {
    const id = idOf(offer);
    return decodeBudgets(this.bytes).trials.some((each) => each.id === id && each.count >= TRIALS_MAX);
  }

  /** The first sector of the image is about to be erased. */
  installs(offer: Offer, now: number): JobEffect[] {
    const content = this.content(now);
    const repeated = content.confirmed.includes(idOf(offer));
    const name = repeated ? "repeats" : "news";
    const spent = { ...content[name], count: Math.min(REPEAT_BUDGET_MAX, content[name].count + 1) };
    const left = (repeated ? this.repeats : NEW_IMAGES) - spent.count;
    const refill = this.refillOf(spent, repeated ? REPEAT_REFILL : NEW_IMAGE_REFILL, now);
    return [
      ...this.put({ ...content, [name]: spent }, now),
      // New images are common until many come in a row.
      ...(repeated || left < NEW_IMAGES / 2
        ? [spentNotice(repeated ? "repeated installs" : "new images", offer, left, refill)]
        : []),
    ];
  }

  /** The boot choice is about to change: the next trial that ends is another one. */
  activates(offer: Offer, now: number): JobEffect[] {
    const content = this.content(now);
    const id = idOf(offer);
    if (!content.trials.some((each) => each.id === id && each.job !== 0)) return [];
    return this.put(
      { ...content, trials: content.trials.map((each) => (each.id === id ? { ...each, job: 0 } : each)) },
      now,
    );
  }

  confirmed(offer: Offer, now: number): JobEffect[] {
    const content = this.content(now);
    const id = idOf(offer);
    const trials = content.trials.filter((each) => each.id !== id);
    const others = content.confirmed.filter((each) => each !== id);
    const isNewest = content.confirmed[others.length] === id;
    if (trials.length === content.trials.length && isNewest) return [];
    return this.put({ ...content, trials, confirmed: [...others, id].slice(-IMAGES_MAX) }, now);
  }

  /** The operator's or the application's reset. */
  forget(): JobEffect[] {
    this.bytes = undefined;
    this.storeAt = undefined;
    this.awakeStored = 0;
    return [
      { type: "delete", key: RECORDS.budgets.key },
      { type: "delete", key: RECORDS.awakeSeconds.key },
    ];
  }

  /** When `store` is wanted next: only while a wait runs. */
  deadline(): number | undefined {
    return this.storeAt;
  }

  store(now: number): JobEffect[] {
    if (this.storeAt === undefined || now < this.storeAt) return [];
    this.plan(now);
    return this.putAwake(now);
  }

  /** Before a sleep: wakes that are shorter than the interval would never store the time. */
  keep(now: number): JobEffect[] {
    return this.storeAt === undefined ? [] : this.putAwake(now);
  }

  private plan(now: number): void {
    const { trials, repeats, news } = this.content(now);
    const waits =
      repeats.count > 0 || news.count >= NEW_IMAGES / 2 || trials.some((each) => this.waitOf(each, now) > 0);
    this.storeAt = waits ? now + AWAKE_STORE_INTERVAL : undefined;
  }

  private awakeAt(now: number): number {
    return this.awake + Math.floor((now - (this.startedAt ?? now)) / 1000);
  }

  /** Awake seconds until this image may have its next trial. */
  private waitOf({ count, at }: CountedTrials, now: number): number {
    return at + (TRIAL_WAITS[count - 1] ?? 0) - this.awakeAt(now);
  }

  /** Awake seconds until time gives one back. */
  private refillOf({ since }: Spent, refill: number, now: number): number {
    return since + refill - this.awakeAt(now);
  }

  /** The record, with the installs that time has given back. */
  private content(now: number): BudgetRecord {
    const content = decodeBudgets(this.bytes);
    const awake = this.awakeAt(now);
    return {
      ...content,
      repeats: refilled(content.repeats, REPEAT_REFILL, awake),
      news: refilled(content.news, NEW_IMAGE_REFILL, awake),
    };
  }

  /**
   * The time goes first, where a wait runs: a count without it would wait longer, a time without the count changes
   * nothing.
   */
  private put(content: BudgetRecord, now: number): JobEffect[] {
    const bytes = encodeBudgets(content);
    this.bytes = bytes;
    this.plan(now);
    return [
      ...(this.storeAt === undefined ? [] : this.putAwake(now)),
      { type: "put-bytes", key: RECORDS.budgets.key, bytes },
    ];
  }

  private putAwake(now: number): JobEffect[] {
    const value = this.awakeAt(now);
    if (value === this.awakeStored) return [];
    this.awakeStored = value;
    return [{ type: "put-number", key: RECORDS.awakeSeconds.key, value }];
  }
}

/** "=" is no hex digit: a version is never taken for a digest. */
const idOf = ({ digest, version }: Offer): string => digest?.hex.slice(0, BUDGET_ID) ?? `=${version}`;

const minutes = (seconds: number): number => Math.ceil(seconds / 60);

const refilled = ({ count, since }: Spent, refill: number, awake: number): Spent => {
  const given = Math.min(count, Math.max(0, Math.floor((awake - since) / refill)));
  return { count: count - given, since: count === given ? awake : since + given * refill };
};

/** `seconds`: awake time until one more is allowed. */
export const spentNotice = (
  counter: Extract<Notice, { event: "budget" }>["counter"],
  { version }: Offer,
  left: number,
  seconds: number,
): JobEffect => ({
  type: "notify",
  notice: { event: "budget", counter, version, left: Math.max(0, left), seconds: Math.max(0, seconds) },
});
