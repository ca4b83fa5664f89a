/**
 * Budgets that keep a cloud from wearing a device out, whatever it pushes and however often: trials of one image, and installs of images
 * that were confirmed here before. Time is awake time of the agent, summed in the store: being switched off never shortens a wait. An image is
 * known by its digest, or by its version where the offer has none.
 */
import { AWAKE_STORE_INTERVAL, REPEAT_BUDGET_MAX, REPEAT_REFILL, TRIALS_MAX, TRIAL_WAITS } from "../constants";
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
  readonly count: number;
  readonly why: TrialEnd;
  /** Awake seconds when the last one was counted. */
  readonly at: number;
  /** `state` record of the job whose trial was counted last; 0: its next one counts in any case. */
  readonly job: number;
}

interface Content {
  readonly trials: readonly Trials[];
  /** Images that were confirmed here, oldest first. */
  readonly confirmed: readonly string[];
  /** Repeated installs not refilled yet, and when the refill of the next one began. */
  readonly installs: number;
  readonly since: number;
}

export interface StoredBudgets {
  readonly budgets?: Uint8Array | undefined;
  readonly awake?: number | undefined;
}

export class Budgets {
  readonly #repeats: number;
  /** The record. It is read when it is asked for, which is seldom: decoded it would take several times the memory. */
  #bytes: Uint8Array | undefined;
  /** Awake seconds at `#startedAt`, a time of the clock. */
  readonly #awake: number;
  #startedAt: number | undefined;
  /** As the store has them; absent: 0. */
  #awakeStored: number;
  #storeAt: number | undefined;

  /** `repeats`: installs of images that were confirmed here before, until time gives new ones. An unreadable record counts as empty. */
  constructor(stored: StoredBudgets, repeats: number) {
    this.#repeats = repeats;
    this.#bytes = stored.budgets;
    this.#awake = stored.awake ?? 0;
    this.#awakeStored = this.#awake;
  }

  /** Time counts from here on. */
  start(now: number): void {
    this.#startedAt = now;
    const awake = this.#awake;
    const content = decode(this.#bytes);
    // The record may be ahead of the time in the store, by a minute or, where that was lost, by months: no wait begins later than now.
    if (content.since > awake || content.trials.some(({ at }) => at > awake))
      this.#bytes = encode({
        ...content,
        trials: content.trials.map((each) => ({ ...each, at: Math.min(each.at, awake) })),
        since: Math.min(content.since, awake),
      });
    this.plan(now);
  }

  /** Reason not to install this offer now, or undefined. `running`: version of the running firmware. */
  refusalOf(offer: Offer, running: string, now: number): string | undefined {
    if (offer.part !== undefined) return undefined;
    const { trials, confirmed, installs, since } = this.content(now);
    const id = idOf(offer);
    const tried = trials.find((each) => each.id === id);
    if (tried !== undefined && tried.count >= TRIALS_MAX)
      return `tried ${tried.count} times and never confirmed: ${tried.why}; it is not tried again`;
    const wait = tried === undefined ? 0 : this.waitOf(tried, now);
    if (wait > 0) return `tried before and not confirmed: ${tried?.why}; the next trial in ${minutes(wait)} min`;
    if (!confirmed.includes(id) || installs < this.#repeats) return undefined;
    return `sent back and forth between ${running} and ${offer.version}; the next install in ${minutes(since + REPEAT_REFILL - this.awakeAt(now))} min`;
  }

  /**
   * A trial has ended without a confirm. `job`: the job's `state` record, which tells this trial from the job's others; a trial is
   * counted once, however often the power goes meanwhile.
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

  /** No further trial of this image is allowed. */
  usedUp(offer: Offer): boolean {
    const id = idOf(offer);
    return decode(this.#bytes).trials.some((each) => each.id === id && each.count >= TRIALS_MAX);
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
    this.#bytes = undefined;
    this.#storeAt = undefined;
    this.#awakeStored = 0;
    return [
      { type: "delete", key: KEY_BUDGETS },
      { type: "delete", key: KEY_AWAKE },
    ];
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
    const { trials, installs } = this.content(now);
    const waits = installs > 0 || trials.some((each) => this.waitOf(each, now) > 0);
    this.#storeAt = waits ? now + AWAKE_STORE_INTERVAL : undefined;
  }

  private awakeAt(now: number): number {
    return this.#awake + Math.floor((now - (this.#startedAt ?? now)) / 1000);
  }

  /** Awake seconds until this image may have its next trial. */
  private waitOf({ count, at }: Trials, now: number): number {
    return at + (TRIAL_WAITS[count - 1] ?? 0) - this.awakeAt(now);
  }

  /** The record, with the installs that time has given back. */
  private content(now: number): Content {
    const content = decode(this.#bytes);
    const awake = this.awakeAt(now);
    const refilled = Math.min(content.installs, Math.max(0, Math.floor((awake - content.since) / REPEAT_REFILL)));
    const installs = content.installs - refilled;
    return { ...content, installs, since: installs === 0 ? awake : content.since + refilled * REPEAT_REFILL };
  }

  /** The time goes first, where a wait runs: a count without it would wait longer, a time without the count changes nothing. */
  private put(content: Content, now: number): JobEffect[] {
    const bytes = encode(content);
    this.#bytes = bytes;
    this.plan(now);
    return [...(this.#storeAt === undefined ? [] : this.putAwake(now)), { type: "put-bytes", key: KEY_BUDGETS, bytes }];
  }

  private putAwake(now: number): JobEffect[] {
    const value = this.awakeAt(now);
    if (value === this.#awakeStored) return [];
    this.#awakeStored = value;
    return [{ type: "put-number", key: KEY_AWAKE, value }];
  }
}

function encode({ trials, confirmed, installs, since }: Content): Uint8Array {
  const writer = new Writer().byte(FORMAT).byte(trials.length);
  for (const { id, count, why, at, job } of trials)
    writer.text(id).byte(count).byte(ENDS.indexOf(why)).u32(at).u32(job);
  writer.byte(confirmed.length);
  for (const id of confirmed) writer.text(id);
  return writer.byte(installs).u32(since).sealed();
}

function decode(bytes: Uint8Array | undefined): Content {
  const reader = new Reader(bytes);
  const trials: Trials[] = [];
  const confirmed: string[] = [];
  if (reader.byte() === FORMAT) {
    for (let left = reader.byte(); left > 0 && !reader.broken; left--)
      trials.push({
        id: reader.text() ?? "",
        count: reader.byte(),
        why: ENDS[reader.byte()] ?? ENDS[0],
        at: reader.u32(),
        job: reader.u32(),
      });
    for (let left = reader.byte(); left > 0 && !reader.broken; left--) confirmed.push(reader.text() ?? "");
    const installs = reader.byte();
    const since = reader.u32();
    reader.rest(0);
    if (!reader.broken) return { trials, confirmed, installs, since };
  }
  return { trials: [], confirmed: [], installs: 0, since: 0 };
}

/** "=" is no hex digit: a version is never taken for a digest. */
const idOf = ({ digest, version }: Offer): string => digest?.hex.slice(0, ID) ?? `=${version}`;

const minutes = (seconds: number): number => Math.ceil(seconds / 60);
