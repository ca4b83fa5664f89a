/**
 * The job in hand as it stands in the store, and the effects that change it there. Reading this file tells every write that an
 * update costs and in which order: what is claimed is never ahead of what is true.
 */
import { HEAD, SECTOR } from "../constants";
import type { Checkpoint, JobEffect, Snapshot } from "./effects";
import {
  decodeHead,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodeState,
  encodeHead,
  encodeJob,
  encodeOffset,
  encodeOutcome,
  encodeState,
  identityOf,
  KEY_HEAD,
  KEY_JOB,
  KEY_OFFSET,
  KEY_OUTCOME,
  KEY_PART_HEAD,
  KEY_PART_OFFSET,
  KEY_STATE,
} from "./record";
import type { JobRecord, State } from "./record";
import type { Offer, Outcome } from "./types";

/** Where the checkpoint is kept. */
const FIRMWARE: { readonly offset: string; readonly head: string } = Object.freeze({
  offset: KEY_OFFSET,
  head: KEY_HEAD,
});
const MODULE: typeof FIRMWARE = Object.freeze({ offset: KEY_PART_OFFSET, head: KEY_PART_HEAD });

const FRESH: State = Object.freeze({ phase: "downloading", activations: 0, trials: 0, refetched: false });

export class JobMemory {
  #record: JobRecord;
  #identity: number;
  #state: State = FRESH;
  #sectors = 0;
  #head: Uint8Array | undefined;
  #outcome: Outcome | undefined;

  private constructor(record: JobRecord) {
    this.#record = record;
    this.#identity = identityOf(record);
  }

  /** The job that the store holds, if any. */
  static restore(stored: Snapshot): JobMemory | undefined {
    const record = decodeJob(stored.job);
    if (record === undefined) return undefined;
    const memory = new JobMemory(record);
    memory.#state = decodeState(memory.#identity, stored.state);
    memory.#outcome = decodeOutcome(memory.#identity, stored.outcome);
    memory.adoptCheckpoint(record.offer.part === undefined ? stored : stored.part);
    return memory;
  }

  /**
   * A new job. Its checkpoint is the one in the store where that is of the same image, else none. What is left of an older
   * job goes first and the record comes last, so that a cut in between leaves no job with another's state.
   */
  static begin(record: JobRecord, stored: Checkpoint): { memory: JobMemory; effects: JobEffect[] } {
    const memory = new JobMemory(record);
    memory.adoptCheckpoint(stored);
    const effects: JobEffect[] = [
      { type: "delete", key: KEY_JOB },
      { type: "delete", key: KEY_STATE },
      { type: "delete", key: KEY_OUTCOME },
    ];
    // While the size is unknown so is the identity: learn() decides then.
    if (memory.#sectors === 0 && record.offer.size > 0) effects.push(...memory.deleteCheckpoint());
    effects.push(memory.putRecord());
    return { memory, effects };
  }

  private adoptCheckpoint(stored: Checkpoint | undefined): void {
    if (stored === undefined) return;
    const head = decodeHead(this.#identity, stored.head);
    const sectors = decodeOffset(this.#identity, stored.offset) ?? 0;
    if (head === undefined || sectors === 0 || sectors > Math.ceil(this.offer.size / SECTOR)) return;
    this.#head = head;
    this.#sectors = sectors;
  }

  get offer(): Offer {
    return this.#record.offer;
  }
  get record(): JobRecord {
    return this.#record;
  }
  get state(): State {
    return this.#state;
  }
  /** The `state` record: tells one trial of this job from another. */
  get stamp(): number {
    return encodeState(this.#identity, this.#state);
  }
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }
  get head(): Uint8Array | undefined {
    return this.#head;
  }
  /** Bytes stored and read back: a multiple of the sector, or the whole file. */
  get offset(): number {
    return Math.min(this.#sectors * SECTOR, this.offer.size);
  }
  get complete(): boolean {
    return this.offer.size > 0 && this.offset === this.offer.size;
  }
  /** The checkpoint as the store holds it now, for the next job to adopt. */
  get checkpoint(): Checkpoint {
    if (this.#head === undefined) return { offset: undefined, head: undefined };
    return { offset: encodeOffset(this.#identity, this.#sectors), head: encodeHead(this.#identity, this.#head) };
  }

  /** The size (and validator) that the server told. With the size the identity is known, so a checkpoint that was left may fit now. */
  learn(size: number, validator: string | undefined, left: Checkpoint): JobEffect[] {
    const { validator: old, ...rest } = this.#record;
    const keep = this.offer.digest === undefined ? validator : undefined;
    const sizeWasKnown = this.offer.size === size;
    if (sizeWasKnown && old === keep) return [];
    this.#record = { ...rest, offer: { ...this.offer, size }, ...(keep === undefined ? {} : { validator: keep }) };
    this.#identity = identityOf(this.#record);
    if (!sizeWasKnown) this.adoptCheckpoint(left);
    return [...(sizeWasKnown || this.#sectors > 0 ? [] : this.deleteCheckpoint()), this.putRecord()];
  }

  /** A fresh URL for the same image. It is no part of the identity (where there is a digest), so the checkpoint stays. */
  renew(url: string): JobEffect[] {
    this.#record = { ...this.#record, offer: { ...this.offer, url } };
    return [this.putRecord()];
  }

  /** One more sector is in flash and was read back. The head goes first: without it the first sector is not whole. */
  advance(sector: number, head: Uint8Array | undefined): JobEffect[] {
    const effects: JobEffect[] = [];
    if (head !== undefined) {
      this.#head = head.slice(0, HEAD);
      effects.push({ type: "put-bytes", key: this.keys.head, bytes: encodeHead(this.#identity, this.#head) });
    }
    this.#sectors = sector + 1;
    effects.push({ type: "put-number", key: this.keys.offset, value: encodeOffset(this.#identity, this.#sectors) });
    return effects;
  }

  /** What is stored from `offset` on, a multiple of the sector, counts no more. */
  rewind(offset: number): JobEffect[] {
    this.#sectors = Math.min(this.#sectors, offset / SECTOR);
    return [{ type: "put-number", key: this.keys.offset, value: encodeOffset(this.#identity, this.#sectors) }];
  }

  /** Nothing that is in flash counts any more. */
  dropCheckpoint(): JobEffect[] {
    this.#sectors = 0;
    this.#head = undefined;
    return this.deleteCheckpoint();
  }

  enter(change: Partial<State>): JobEffect[] {
    this.#state = { ...this.#state, ...change };
    return [{ type: "put-number", key: KEY_STATE, value: encodeState(this.#identity, this.#state) }];
  }

  conclude(outcome: Outcome): JobEffect[] {
    this.#outcome = outcome;
    return [{ type: "put-bytes", key: KEY_OUTCOME, bytes: encodeOutcome(this.#identity, outcome) }];
  }

  /** The cloud has acknowledged the outcome. The record goes first: without it the rest means nothing. */
  forget(keepCheckpoint: boolean): JobEffect[] {
    const effects: JobEffect[] = [
      { type: "delete", key: KEY_JOB },
      { type: "delete", key: KEY_STATE },
      { type: "delete", key: KEY_OUTCOME },
    ];
    return keepCheckpoint ? effects : [...effects, ...this.deleteCheckpoint()];
  }

  private get keys(): typeof FIRMWARE {
    return this.offer.part === undefined ? FIRMWARE : MODULE;
  }

  /** The offset goes first: a head without an offset counts for nothing, an offset without a head neither. */
  private deleteCheckpoint(): JobEffect[] {
    return [
      { type: "delete", key: this.keys.offset },
      { type: "delete", key: this.keys.head },
    ];
  }

  private putRecord(): JobEffect {
    return { type: "put-bytes", key: KEY_JOB, bytes: encodeJob(this.#record) };
  }
}
