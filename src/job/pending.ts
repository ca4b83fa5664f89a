/**
 * Pending deliveries: what a power cut would lose for good on a cloud that pushes once and cannot be asked again
 * (ThingsPanel). These are an offer that waits for the application or for its turn, and the answer to an offer that
 * never became a job, until its PUBACK. Each is stored when it is still pending after PENDING_STORE_AFTER. Nearly
 * everything is settled before that and wears no flash, however many bad offers come.
 */
import { PENDING_STORE_AFTER } from "../constants";
import { earlier } from "../util/earlier";
import type { JobEffect } from "./effects";
import type { Answer } from "./job-codecs";
import { sameImage } from "./policy";
import { RECORDS } from "./records";
import type { Snapshot } from "./records";
import { targetOf } from "./target";
import type { Offer, Outcome, Task } from "./types";

/** A record that is stored when it has been pending for PENDING_STORE_AFTER. */
class LateRecord<T> {
  value: T | undefined;
  private readonly key: string;
  private readonly encode: (value: T) => Uint8Array;
  /** When to store it; undefined: it is stored, or there is none. */
  due: number | undefined;
  private stored: boolean;

  constructor(key: string, encode: (value: T) => Uint8Array, stored: T | undefined) {
    this.key = key;
    this.encode = encode;
    this.value = stored;
    this.stored = stored !== undefined;
  }

  /** In place of what was pending before. */
  set(value: T, now: number): JobEffect[] {
    const effects = this.drop();
    this.value = value;
    this.due = now + PENDING_STORE_AFTER;
    return effects;
  }

  drop(): JobEffect[] {
    this.value = undefined;
    this.due = undefined;
    if (!this.stored) return [];
    this.stored = false;
    return [{ type: "delete", key: this.key }];
  }

  store(now: number): JobEffect[] {
    if (this.value === undefined || this.due === undefined || now < this.due) return [];
    this.due = undefined;
    this.stored = true;
    return [{ type: "put-bytes", key: this.key, bytes: this.encode(this.value) }];
  }
}

export class PendingDeliveries {
  private readonly platform: string;
  private readonly pushesOnce: boolean;
  private readonly lateOffer: LateRecord<Offer>;
  private readonly lateAnswer: LateRecord<Answer>;

  /** `pushesOnce`: the cloud does not push again by itself; else nothing is kept. */
  constructor(platform: string, pushesOnce: boolean, stored: Snapshot) {
    this.platform = platform;
    this.pushesOnce = pushesOnce;
    const { pendingOffer, pendingAnswer } = RECORDS;
    const job = pendingOffer.decode(stored.pendingOffer);
    const answer = pendingAnswer.decode(stored.pendingAnswer);
    this.lateOffer = new LateRecord(
      pendingOffer.key,
      (offer: Offer) => pendingOffer.encode({ platform, slot: targetOf(offer).slot, offer }),
      job?.platform === platform ? job.offer : undefined,
    );
    this.lateAnswer = new LateRecord(
      pendingAnswer.key,
      pendingAnswer.encode,
      answer?.platform === platform ? answer : undefined,
    );
  }

  /** The offer that waits; at boot the one that waited when the power was lost. */
  get offer(): Offer | undefined {
    return this.lateOffer.value;
  }
  get answer(): Answer | undefined {
    return this.lateAnswer.value;
  }

  /** The latest offer replaces an older one. */
  offerWaits(offer: Offer, now: number): JobEffect[] {
    return this.pushesOnce && offer !== this.lateOffer.value ? this.lateOffer.set(offer, now) : [];
  }

  /** The offer became a job, or was answered. */
  offerSettled(offer: Offer): JobEffect[] {
    return this.lateOffer.value !== undefined && sameImage(this.lateOffer.value, offer) ? this.lateOffer.drop() : [];
  }

  answerWaits(task: Task, outcome: Outcome, now: number): JobEffect[] {
    return this.pushesOnce ? this.lateAnswer.set({ platform: this.platform, task, outcome }, now) : [];
  }

  answerAcknowledged(): JobEffect[] {
    return this.lateAnswer.drop();
  }

  /** When `store` is wanted next. */
  deadline(): number | undefined {
    return earlier(this.lateOffer.due, this.lateAnswer.due);
  }

  store(now: number): JobEffect[] {
    return this.lateOffer.store(now).concat(this.lateAnswer.store(now));
  }
}
