/**
 * What a power cut would lose for good on a cloud that pushes once and can not be asked again (ThingsPanel): an offer that waits for
 * the application or for its turn, and the answer to an offer that never became a job, until its PUBACK. Each is stored when it
 * is still owed after PENDING_STORE_AFTER: what is settled at once, and nearly all is, wears no flash, however many bad offers come.
 */
import { PENDING_STORE_AFTER } from "../constants";
import { earlier } from "../util/earlier";
import type { JobEffect, Snapshot } from "./effects";
import { sameImage } from "./policy";
import { decodeAnswer, decodeJob, encodeAnswer, encodeJob, KEY_ANSWER, KEY_WAITING, PART } from "./record";
import type { Answer } from "./record";
import type { Offer, Outcome, Task } from "./types";

/** One record on its way into the store. */
class LateRecord<T> {
  value: T | undefined;
  readonly #key: string;
  readonly #encode: (value: T) => Uint8Array;
  /** When to store it; undefined: it is stored, or there is none. */
  due: number | undefined;
  #stored: boolean;

  constructor(key: string, encode: (value: T) => Uint8Array, stored: T | undefined) {
    this.#key = key;
    this.#encode = encode;
    this.value = stored;
    this.#stored = stored !== undefined;
  }

  /** In place of what was owed before. */
  set(value: T, now: number): JobEffect[] {
    const effects = this.drop();
    this.value = value;
    this.due = now + PENDING_STORE_AFTER;
    return effects;
  }

  drop(): JobEffect[] {
    this.value = undefined;
    this.due = undefined;
    if (!this.#stored) return [];
    this.#stored = false;
    return [{ type: "delete", key: this.#key }];
  }

  store(now: number): JobEffect[] {
    if (this.value === undefined || this.due === undefined || now < this.due) return [];
    this.due = undefined;
    this.#stored = true;
    return [{ type: "put-bytes", key: this.#key, bytes: this.#encode(this.value) }];
  }
}

export class Owed {
  readonly #platform: string;
  readonly #pushesOnce: boolean;
  readonly #offer: LateRecord<Offer>;
  readonly #answer: LateRecord<Answer>;

  constructor(platform: string, pushesOnce: boolean, stored: Snapshot) {
    this.#platform = platform;
    this.#pushesOnce = pushesOnce;
    const job = decodeJob(stored.waiting);
    const answer = decodeAnswer(stored.answer);
    const slot = (offer: Offer): string => (offer.part === undefined ? "" : PART);
    this.#offer = new LateRecord(
      KEY_WAITING,
      (offer: Offer) => encodeJob({ platform, slot: slot(offer), offer }),
      job?.platform === platform ? job.offer : undefined,
    );
    this.#answer = new LateRecord(KEY_ANSWER, encodeAnswer, answer?.platform === platform ? answer : undefined);
  }

  /** The offer that waited when the power went. */
  get offer(): Offer | undefined {
    return this.#offer.value;
  }
  get answer(): Answer | undefined {
    return this.#answer.value;
  }

  /** The latest offer outranks an older one. */
  waits(offer: Offer, now: number): JobEffect[] {
    return this.#pushesOnce && offer !== this.#offer.value ? this.#offer.set(offer, now) : [];
  }

  /** The offer became a job, or was answered. */
  settled(offer: Offer): JobEffect[] {
    return this.#offer.value !== undefined && sameImage(this.#offer.value, offer) ? this.#offer.drop() : [];
  }

  answers(task: Task, outcome: Outcome, now: number): JobEffect[] {
    return this.#pushesOnce ? this.#answer.set({ platform: this.#platform, task, outcome }, now) : [];
  }

  answered(): JobEffect[] {
    return this.#answer.drop();
  }

  /** When `store` is wanted next. */
  deadline(): number | undefined {
    return earlier(this.#offer.due, this.#answer.due);
  }

  store(now: number): JobEffect[] {
    return [...this.#offer.store(now), ...this.#answer.store(now)];
  }
}
