/**
 * Budgets that keep a cloud from wearing a device out, whatever it pushes and however often: trials of one image, and installs of images
 * that were confirmed here before. Time is awake time of the agent, summed in the store: being switched off never shortens a wait. An image is
 * known by its digest, or by its version where the offer has none.
 */
import { AWAKE_STORE_INTERVAL, REPEAT_REFILL, TRIALS_MAX, TRIAL_WAITS } from "../constants";
import type { JobEffect } from "./effects";
import { Reader, Writer } from "./record";
import type { Offer } from "./types";

/** Sealed: what was tried, confirmed and installed. */
export const KEY_BUDGETS = "budgets";
/** u32: awake seconds of the agent. */
export const KEY_AWAKE = "awake";

const FORMAT = 1;
/** Hex digits of the digest that identify an image here. */
const ID = 16;
/** Images whose trials are counted, and confirmed images remembered; the oldest goes first. */
const IMAGES_MAX = 8;

/** Why a trial ended without a confirm; the number is the one in the store. */
const ENDS = Object.freeze(["it was rolled back", "the cloud was not reached", "the power was cut"] as const);
export type TrialEnd = (typeof ENDS)[number];

interface Trials {
  readonly id: string;
  count: number;
  why: TrialEnd;
  /** Awake seconds when the last one was counted. */
  at: number;
  /** `state` record of the job whose trial was counted last; 0: its next one counts in any case. */
  job: number;
}

export interface StoredBudgets {
  readonly budgets?: Uint8Array | undefined;
  readonly awake?: number | undefined;
}

export class Budgets {
  readonly #repeats: number;
  #trials: Trials[] = [];
  /** Images that were confirmed here, oldest first. */
  #confirmed: string[] = [];
  /** Repeated installs not refilled yet, and when the refill of the next one began. */
  #installs = 0;
  #installsSince = 0;
  /** Awake seconds at `#startedAt`, a time of the clock. */
  #awake: number;
  #startedAt: number | undefined;
  /** As the store has them; absent: 0. */
  #awakeStored: number;
  #storeAt: number | undefined;

  /** `repeats`: installs of images that were confirmed here before, until time gives new ones. An unreadable record counts as empty. */
  constructor(stored: StoredBudgets, repeats: number) {
    this.#repeats = repeats;
    this.#awake = stored.awake ?? 0;
    this.#awakeStored = this.#awake;
    this.read(new Reader(stored.budgets));
  }

  /** Time counts from here on. */
  start(now: number): void {
    this.#startedAt = now;
    // The record may be ahead of the time in the store, by a minute or, where that was lost, by months: no wait begins later than now.
    for (const trials of this.#trials) trials.at = Math.min(trials.at, this.#awake);
    this.#installsSince = Math.min(this.#installsSince, this.#awake);
    this.plan(now);
  }

  /** Reason not to install this offer now, or undefined. `running`: version of the running firmware. */
  refusalOf(offer: Offer, running: string, now: number): string | undefined {
    if (offer.part !== undefined) return undefined;
    const id = idOf(offer);
    const trials = this.trialsOf(id);
    if (trials !== undefined && trials.count >= TRIALS_MAX) return `tried ${trials.count} times and never confirmed: ${trials.why}; it is not tried again`;
    const wait = trials === undefined ? 0 : trials.at + (TRIAL_WAITS[trials.count - 1] ?? 0) - this.awakeAt(now);
    if (wait > 0) return `tried before and not confirmed: ${trials?.why}; the next trial in ${minutes(wait)} min`;
    if (!this.wasConfirmed(id)) return undefined;
    this.refill(now);
    if (this.#installs < this.#repeats) return undefined;
    return `sent back and forth between ${running} and ${offer.version}; the next install in ${minutes(this.#installsSince + REPEAT_REFILL - this.awakeAt(now))} min`;
  }

  /**
   * A trial has ended without a confirm. `job`: the job's `state` record, which tells this trial from the job's others; a trial is
   * counted once, however often the power goes meanwhile.
   */
  trialEnded(offer: Offer, why: TrialEnd, job: number, now: number): JobEffect[] {
    const id = idOf(offer);
    let trials = this.trialsOf(id);
    if (trials?.job === job) return [];
    if (trials === undefined) {
      if (this.#trials.length >= IMAGES_MAX) this.#trials.sort((a, b) => a.at - b.at).shift();
      trials = { id, count: 0, why, at: 0, job };
      this.#trials.push(trials);
    }
    trials.count = Math.min(trials.count + 1, TRIALS_MAX);
    trials.why = why;
    trials.at = this.awakeAt(now);
    trials.job = job;
    return this.put(now);
  }

  /** No further trial of this image is allowed. */
  usedUp(offer: Offer): boolean {
    return (this.trialsOf(idOf(offer))?.count ?? 0) >= TRIALS_MAX;
  }

  /** The boot choice is about to change. `first`: for the first time in this job. */
  installs(offer: Offer, first: boolean, now: number): JobEffect[] {
    const id = idOf(offer);
    const trials = this.trialsOf(id);
    const repeated = first && this.wasConfirmed(id);
    if (trials !== undefined) trials.job = 0;
    if (repeated) {
      this.refill(now);
      this.#installs++;
    }
    return trials !== undefined || repeated ? this.put(now) : [];
  }

  confirmed(offer: Offer, now: number): JobEffect[] {
    const id = idOf(offer);
    if (this.trialsOf(id) === undefined && this.wasConfirmed(id)) return [];
    this.#trials = this.#trials.filter((trials) => trials.id !== id);
    this.#confirmed = [...this.#confirmed.filter((each) => each !== id), id].slice(-IMAGES_MAX);
    return this.put(now);
  }

  /** The operator's or the application's reset. */
  forget(): JobEffect[] {
    this.#trials = [];
    this.#confirmed = [];
    this.#installs = 0;
    this.#storeAt = undefined;
    this.#awakeStored = 0;
    return [{ type: "delete", key: KEY_BUDGETS }, { type: "delete", key: KEY_AWAKE }];
  }

  /** When `store` is wanted next: only while a wait runs. */
  deadline(): number | undefined {
    return this.#storeAt;
  }

  store(now: number): JobEffect[] {
    if (this.#storeAt === undefined || now < this.#storeAt) return [];
    this.plan(now);
    return this.putAwake(now);
  }

  private plan(now: number): void {
    const awake = this.awakeAt(now);
    this.refill(now);
    const waits = this.#installs > 0 || this.#trials.some(({ count, at }) => awake < at + (TRIAL_WAITS[count - 1] ?? 0));
    this.#storeAt = waits ? now + AWAKE_STORE_INTERVAL : undefined;
  }

  private awakeAt(now: number): number {
    return this.#awake + Math.floor((now - (this.#startedAt ?? now)) / 1000);
  }

  private refill(now: number): void {
    const awake = this.awakeAt(now);
    const refilled = Math.min(this.#installs, Math.max(0, Math.floor((awake - this.#installsSince) / REPEAT_REFILL)));
    this.#installs -= refilled;
    this.#installsSince = this.#installs === 0 ? awake : this.#installsSince + refilled * REPEAT_REFILL;
  }

  private trialsOf(id: string): Trials | undefined {
    return this.#trials.find((trials) => trials.id === id);
  }

  private wasConfirmed(id: string): boolean {
    return this.#confirmed.includes(id);
  }

  /** The time goes first, where a wait runs: a count without it would wait longer, a time without the count changes nothing. */
  private put(now: number): JobEffect[] {
    this.plan(now);
    const writer = new Writer().byte(FORMAT).byte(this.#trials.length);
    for (const { id, count, why, at, job } of this.#trials) writer.text(id).byte(count).byte(ENDS.indexOf(why)).u32(at).u32(job);
    writer.byte(this.#confirmed.length);
    for (const id of this.#confirmed) writer.text(id);
    const bytes = writer.byte(this.#installs).u32(this.#installsSince).sealed();
    return [...(this.#storeAt === undefined ? [] : this.putAwake(now)), { type: "put-bytes", key: KEY_BUDGETS, bytes }];
  }

  private putAwake(now: number): JobEffect[] {
    const value = this.awakeAt(now);
    if (value === this.#awakeStored) return [];
    this.#awakeStored = value;
    return [{ type: "put-number", key: KEY_AWAKE, value }];
  }

  private read(reader: Reader): void {
    if (reader.byte() !== FORMAT) return;
    const trials: Trials[] = [];
    for (let left = reader.byte(); left > 0 && !reader.broken; left--)
      trials.push({ id: reader.text() ?? "", count: reader.byte(), why: ENDS[reader.byte()] ?? ENDS[0], at: reader.u32(), job: reader.u32() });
    const confirmed: string[] = [];
    for (let left = reader.byte(); left > 0 && !reader.broken; left--) confirmed.push(reader.text() ?? "");
    const installs = reader.byte();
    const since = reader.u32();
    reader.rest(0);
    if (reader.broken) return;
    this.#trials = trials;
    this.#confirmed = confirmed;
    this.#installs = installs;
    this.#installsSince = since;
  }
}

/** "=" is no hex digit: a version is never taken for a digest. */
const idOf = ({ digest, version }: Offer): string => digest?.hex.slice(0, ID) ?? `=${version}`;

const minutes = (seconds: number): number => Math.ceil(seconds / 60);
