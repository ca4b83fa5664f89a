/**
 * The job in hand as the store has it, and the effects that change it there. This file has every write that an update
 * costs, and their order: what a record claims is true before the record is written.
 */
import { HEAD, SECTOR } from "../constants";
import type { JobEffect } from "./effects";
import type { HashPass } from "./hash-pass";
import { identityOf } from "./job-codecs";
import type { JobRecord, PhaseRecord } from "./job-codecs";
import { NO_CHECKPOINT, RECORDS } from "./records";
import type { Checkpoint, Snapshot } from "./records";
import { targetOf } from "./target";
import type { Target } from "./target";
import type { Offer, Outcome } from "./types";

const FRESH: PhaseRecord = Object.freeze({ phase: "downloading", activations: 0, trials: 0, refetched: false });

export class StoredJob {
  readonly target: Target;
  /** URL of the latest push since power-on; the stored one may be older. */
  freshUrl: string | undefined;
  /** Times that a fresh URL was asked for since power-on. */
  renewals = 0;
  /** Sectors before this one were erased since power-on, or hold what the checkpoint claims. */
  erasedTo = 0;
  /** Digests of what was read back since the download began at its first byte, without a gap. */
  pass: HashPass | undefined;
  private jobRecord: JobRecord;
  private identity: number;
  private phaseRecord: PhaseRecord = FRESH;
  private sectors = 0;
  private imageHeader: Uint8Array | undefined;
  private terminalOutcome: Outcome | undefined;

  private constructor(record: JobRecord) {
    this.target = targetOf(record.offer);
    this.jobRecord = record;
    this.identity = identityOf(record);
  }

  /** The job that the store holds, if any. */
  static restore(stored: Snapshot): StoredJob | undefined {
    const record = RECORDS.job.decode(stored.job);
    if (record === undefined) return undefined;
    const job = new StoredJob(record);
    job.phaseRecord = RECORDS.phase.decode(job.identity, stored.phase);
    job.terminalOutcome = RECORDS.outcome.decode(job.identity, stored.outcome);
    job.adoptCheckpoint(job.target.checkpointIn(stored));
    return job;
  }

  /**
   * A new job. It adopts the checkpoint in the store if that is of the same image. What is left of an older job is
   * deleted first and the record is written last, so that a power cut in between leaves no job with the state of
   * another.
   */
  static begin(record: JobRecord, left: Checkpoint): { job: StoredJob; effects: JobEffect[] } {
    const job = new StoredJob(record);
    job.adoptCheckpoint(left);
    const effects = deleteRecords();
    // Without the size the identity is not known either: learn() decides then.
    if (job.sectors === 0 && record.offer.size > 0) effects.push(...job.deleteCheckpoint());
    effects.push(job.putRecord());
    return { job, effects };
  }

  private adoptCheckpoint(left: Checkpoint): void {
    const header = this.target.header.decode(this.identity, left.header);
    const sectors = this.target.offset.decode(this.identity, left.offset) ?? 0;
    if (header === undefined || sectors === 0 || sectors > Math.ceil(this.offer.size / SECTOR)) return;
    this.imageHeader = header;
    this.sectors = sectors;
  }

  get offer(): Offer {
    return this.jobRecord.offer;
  }
  get record(): JobRecord {
    return this.jobRecord;
  }
  get phase(): PhaseRecord {
    return this.phaseRecord;
  }
  /** The phase record as stored: it tells one trial of this job from another. */
  get stamp(): number {
    return RECORDS.phase.encode(this.identity, this.phaseRecord);
  }
  get outcome(): Outcome | undefined {
    return this.terminalOutcome;
  }
  /** First bytes of the image. */
  get header(): Uint8Array | undefined {
    return this.imageHeader;
  }
  /** Bytes stored and read back: a multiple of the sector, or the whole file. */
  get offset(): number {
    return Math.min(this.sectors * SECTOR, this.offer.size);
  }
  get complete(): boolean {
    return this.offer.size > 0 && this.offset === this.offer.size;
  }
  /** The checkpoint as the store holds it now, for the next job to adopt. */
  get checkpoint(): Checkpoint {
    if (this.imageHeader === undefined) return NO_CHECKPOINT;
    return {
      offset: this.target.offset.encode(this.identity, this.sectors),
      header: this.target.header.encode(this.identity, this.imageHeader),
    };
  }

  /**
   * The size (and validator) that the server told. With the size the identity is known, so a checkpoint that was left
   * may fit now.
   */
  learn(size: number, validator: string | undefined, left: Checkpoint): JobEffect[] {
    const { validator: old, ...rest } = this.jobRecord;
    const keep = this.offer.digest === undefined ? validator : undefined;
    const sizeWasKnown = this.offer.size === size;
    if (sizeWasKnown && old === keep) return [];
    this.pass = undefined;
    this.jobRecord = { ...rest, offer: { ...this.offer, size }, ...(keep === undefined ? {} : { validator: keep }) };
    this.identity = identityOf(this.jobRecord);
    if (!sizeWasKnown) this.adoptCheckpoint(left);
    return [...(sizeWasKnown || this.sectors > 0 ? [] : this.deleteCheckpoint()), this.putRecord()];
  }

  /**
   * A fresh URL for the same image. It is no part of the identity (where there is a digest), so the checkpoint stays.
   */
  renew(url: string): JobEffect[] {
    this.jobRecord = { ...this.jobRecord, offer: { ...this.offer, url } };
    return [this.putRecord()];
  }

  /**
   * One more sector, with these bytes, is in flash and was read back. Of the first one the header is stored first:
   * without it the sector is not whole.
   */
  advance(bytes: Uint8Array): JobEffect[] {
    if (this.sectors++ > 0) return [this.putOffset()];
    this.imageHeader = bytes.slice(0, HEAD);
    const { key, encode } = this.target.header;
    return [{ type: "put-bytes", key, bytes: encode(this.identity, this.imageHeader) }, this.putOffset()];
  }

  /** What is stored from `offset` on, a multiple of the sector, counts no more. */
  rewind(offset: number): JobEffect[] {
    this.pass = undefined;
    this.sectors = Math.min(this.sectors, offset / SECTOR);
    this.erasedTo = 0;
    return [this.putOffset()];
  }

  /** Nothing that is in flash counts any more. */
  dropCheckpoint(): JobEffect[] {
    this.pass = undefined;
    this.sectors = 0;
    this.erasedTo = 0;
    this.imageHeader = undefined;
    return this.deleteCheckpoint();
  }

  enter(change: Partial<PhaseRecord>): JobEffect {
    this.phaseRecord = { ...this.phaseRecord, ...change };
    return { type: "put-number", key: RECORDS.phase.key, value: this.stamp };
  }

  conclude(outcome: Outcome): JobEffect {
    this.terminalOutcome = outcome;
    return { type: "put-bytes", key: RECORDS.outcome.key, bytes: RECORDS.outcome.encode(this.identity, outcome) };
  }

  /** The outcome was no verdict on the image. */
  reopen(): JobEffect[] {
    this.terminalOutcome = undefined;
    return [{ type: "delete", key: RECORDS.outcome.key }];
  }

  /** The cloud has acknowledged the outcome. The record is deleted first: without it the rest means nothing. */
  forget(keepCheckpoint: boolean): JobEffect[] {
    return keepCheckpoint ? deleteRecords() : deleteRecords().concat(this.deleteCheckpoint());
  }

  private putOffset(): JobEffect {
    const value = this.target.offset.encode(this.identity, this.sectors);
    return { type: "put-number", key: this.target.offset.key, value };
  }

  /** A header without an offset counts for nothing, and neither does an offset without a header. */
  private deleteCheckpoint(): JobEffect[] {
    return [
      { type: "delete", key: this.target.offset.key },
      { type: "delete", key: this.target.header.key },
    ];
  }

  private putRecord(): JobEffect {
    return { type: "put-bytes", key: RECORDS.job.key, bytes: RECORDS.job.encode(this.jobRecord) };
  }
}

const deleteRecords = (): JobEffect[] => {
  return [
    { type: "delete", key: RECORDS.job.key },
    { type: "delete", key: RECORDS.phase.key },
    { type: "delete", key: RECORDS.outcome.key },
  ];
};
