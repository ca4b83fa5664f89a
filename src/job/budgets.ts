/**
 * Budgets that keep a cloud from wearing a device out, whatever it pushes and however often: trials of one image, and
 * installs of images that were confirmed here before. Time is awake time of the agent, summed in the store, so a device
 * that is switched off does not shorten a wait. An image is identified by its digest, or by its version where the offer
 * has no digest.
 */
import { AWAKE_STORE_INTERVAL, REPEAT_BUDGET_MAX, REPEAT_REFILL, TRIALS_MAX, TRIAL_WAITS } from "../constants";
import type { JobEffect } from "./effects";
import { decodeBudgets, encodeBudgets } from "./history-codecs";
import type { BudgetRecord, CountedTrials, TrialEnd } from "./history-codecs";
import { RECORDS } from "./records";
import type { Snapshot } from "./records";
import type { Offer } from "./types";

/** Hex digits of the digest that identify an image here. */
const ID = 16;
/** Images whose trials are counted, and confirmed images remembered; the oldest goes first. */
const IMAGES_MAX = 8;

/** For people. */
const WHY: { readonly [end in TrialEnd]: string } = Object.freeze({
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
    if (content.since > awake || content.trials.some(({ at }) => at > awake))
      this.bytes = encodeBudgets({
        ...content,
        trials: content.trials.map((each) => ({ ...each, at: Math.min(each.at, awake) })),
        since: Math.min(content.since, awake),
      });
    this.plan(now);
  }

  /** Reason not to install this offer now, or undefined. `running`: version of the running firmware. */
  refusalOf(offer: Offer, running: string, now: number): string | undefined {
    const { trials, confirmed, installs, since } = this.content(now);
    const id = idOf(offer);
    const tried = trials.find((each) => each.id === id);
    if (tried !== undefined && tried.count >= TRIALS_MAX)
      return `tried ${tried.count} times and never confirmed: ${WHY[tried.why]}; it is not tried again`;
    const wait = tried === undefined ? 0 : this.waitOf(tried, now);
    if (wait > 0) return `tried before and not confirmed: ${WHY[tried!.why]}; the next trial in ${minutes(wait)} min`;
    if (!confirmed.includes(id) || installs < this.repeats) return undefined;
    return `sent back and forth between ${running} and ${offer.version}; the next install in ${minutes(since + REPEAT_REFILL - this.awakeAt(now))} min`;
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
    const count = Math.min((before?.count ?? 0) + 1, TRIALS_MAX);
    return this.put(
      { ...content, trials: [...others.slice(1 - IMAGES_MAX), { id, count, why, at: this.awakeAt(now), job }] },
      now,
    );
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

  /** The boot choice is about to change. `first`: for the first time in this job. */
  installs(offer: Offer, first: boolean, now: number): JobEffect[] {
    const content = this.content(now);
    const id = idOf(offer);
    const repeated = first && content.confirmed.includes(id);
    if (!repeated && !content.trials.some((each) => each.id === id)) return [];
    const trials = content.trials.map((each) => (each.id === id ? { ...each, job: 0 } : each));
    return this.put(
      { ...content, trials, installs: Math.min(REPEAT_BUDGET_MAX, content.installs + (repeated ? 1 : 0)) },
      now,
    );
  }

  confirmed(offer: Offer, now: number): JobEffect[] {
    const content = this.content(now);
    const id = idOf(offer);
    const trials = content.trials.filter((each) => each.id !== id);
    if (trials.length === content.trials.length && content.confirmed.includes(id)) return [];
    return this.put(
      { ...content, trials, confirmed: [...content.confirmed.filter((each) => each !== id), id].slice(-IMAGES_MAX) },
      now,
    );
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
    const { trials, installs } = this.content(now);
    const waits = installs > 0 || trials.some((each) => this.waitOf(each, now) > 0);
    this.storeAt = waits ? now + AWAKE_STORE_INTERVAL : undefined;
  }

  private awakeAt(now: number): number {
    return this.awake + Math.floor((now - (this.startedAt ?? now)) / 1000);
  }

  /** Awake seconds until this image may have its next trial. */
  private waitOf({ count, at }: CountedTrials, now: number): number {
    return at + (TRIAL_WAITS[count - 1] ?? 0) - this.awakeAt(now);
  }

  /** The record, with the installs that time has given back. */
  private content(now: number): BudgetRecord {
    const content = decodeBudgets(this.bytes);
    const awake = this.awakeAt(now);
    const refilled = Math.min(content.installs, Math.max(0, Math.floor((awake - content.since) / REPEAT_REFILL)));
    const installs = content.installs - refilled;
    return { ...content, installs, since: installs === 0 ? awake : content.since + refilled * REPEAT_REFILL };
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
const idOf = ({ digest, version }: Offer): string => digest?.hex.slice(0, ID) ?? `=${version}`;

const minutes = (seconds: number): number => Math.ceil(seconds / 60);
