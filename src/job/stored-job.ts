/**
 * The job in hand as the store has it, and the effects that change it there. This file has every write that an update
 * costs, and their order: what a record claims is true before the record is written.
 */
import { HEAD, SECTOR } from "../constants";
import type { JobEffect } from "./effects";
import type { HashPass } from "./hash-pass";
import { identityOf, taskOf } from "./job-codecs";
import type { JobRecord, PhaseRecord } from "./job-codecs";
import { NO_CHECKPOINT, RECORDS, stagedCheckpointIn } from "./records";
import type { Checkpoint, OffsetRecord, Snapshot } from "./records";
import { imageOf, isMade, namesOf, tailOf } from "./staged";
import type { Staged } from "./staged-codec";
import { FIRMWARE, targetOf } from "./target";
import type { Target } from "./target";
import type { Offer, Outcome, Task } from "./types";

const FRESH: PhaseRecord = Object.freeze({ phase: "downloading", activations: 0, trials: 0, refetched: false });

export class StoredJob {
  /** URL of the latest push since power-on; the stored one may be older. */
  freshUrl: string | undefined;
  /** Times that a fresh URL was asked for since power-on, and before that since the last new sector. */
  renewals = 0;
  /** Sectors before this one are erased, or hold what the checkpoint claims. */
  erasedTo = 0;
  /** A power cut may have stopped the program of this sector: it is erased again. -1: of none. */
  torn = -1;
  /** Digests of what was read back since the download began at its first byte, without a gap. */
  pass: HashPass | undefined;
  /** An earlier job has made the image of the container, and it lies in the slot. */
  made = false;
  /** The first sector of the slot was erased since power-on, for a container that is staged behind it. */
  private frontErased = false;
  private readonly ofOffer: Target;
  private staged: Staged | undefined;
  private tail: Target | undefined;
  private imageOffer: Offer;
  private jobRecord: JobRecord;
  private identity: number;
  private phaseRecord: PhaseRecord = FRESH;
  private sectors = 0;
  private imageHeader: Uint8Array | undefined;
  private terminalOutcome: Outcome | undefined;

  private constructor(record: JobRecord) {
    this.ofOffer = targetOf(record.offer);
    this.jobRecord = record;
    this.imageOffer = record.offer;
    this.identity = identityOf(record);
  }

  /** The job that the store holds, if any. */
  static restore(stored: Snapshot): StoredJob | undefined {
    const record = RECORDS.job.decode(stored.job);
    if (record === undefined) return undefined;
    const job = new StoredJob(record);
    job.phaseRecord = RECORDS.phase.decode(job.identity, stored.phase);
    job.renewals = job.phaseRecord.renewals ?? 0;
    job.terminalOutcome = RECORDS.outcome.decode(job.identity, stored.outcome);
    const left = job.target.checkpointIn(stored);
    if (job.target === FIRMWARE) job.adoptStaged(stored.staged, left);
    job.adoptCheckpoint(job.isStaging ? stagedCheckpointIn(stored) : left);
    return job;
  }

  /**
   * A new job. It adopts the checkpoint in the store if that is of the same image. What is left of an older job is
   * deleted first and the record is written last, so that a power cut in between leaves no job with the state of
   * another.
   */
  static begin(record: JobRecord, left: Checkpoint): { job: StoredJob; effects: JobEffect[] } {
    const job = new StoredJob(record);
    job.adopt(left);
    return { job, effects: [...deleteRecords(), ...job.deleteLost(left), job.putRecord()] };
  }

  private adopt(left: Checkpoint): void {
    // Unless sectors of it are staged, or it made the image that has the slot, the container's head is read anew.
    this.adoptStaged(left.staged, left, left.header !== undefined || left.offset === undefined);
    this.adoptCheckpoint(left);
  }

  private adoptStaged(record: Uint8Array | undefined, left: Checkpoint, onlyMade = false): void {
    const staged = RECORDS.staged.decode(this.identity, record);
    this.made = staged !== undefined && !this.expands && isMade(this.jobRecord, staged, left);
    if (staged !== undefined && (this.made || !onlyMade)) this.take(staged);
  }

  private take(staged: Staged): void {
    this.staged = staged;
    this.tail = tailOf(staged);
    this.imageOffer = imageOf(this.offer, staged.file);
  }

  private adoptCheckpoint(left: Checkpoint): void {
    const header = this.target.header.decode(this.identityNow, left.header);
    const sectors = this.offsetRecord.decode(this.identityNow, left.offset) ?? 0;
    const needsHeader = !this.isStaging;
    if ((needsHeader && header === undefined) || sectors === 0 || sectors > Math.ceil(this.size / SECTOR)) return;
    this.imageHeader = header;
    this.sectors = sectors;
    this.torn = sectors;
    this.erasedTo = Math.max(sectors, this.erasedRecord?.decode(this.identity, left.erased) ?? 0);
  }

  /** Whose bytes are fetched, and those of the file are only staged. */
  get isStaging(): boolean {
    return this.staged !== undefined && !this.expands;
  }
  /** The container was proven: what is stored, or will be, is the image. */
  private get expands(): boolean {
    return this.made || this.phaseRecord.expanding === true || this.phaseRecord.phase !== "downloading";
  }
  /** Another job could not go on: it would have to prove the container again, which is overwritten. */
  private get isHalfMade(): boolean {
    return this.staged !== undefined && this.expands && !this.complete;
  }
  /** Undefined: the file is the image. */
  get container(): Staged | undefined {
    return this.staged;
  }
  get target(): Target {
    return this.isStaging ? this.tail! : this.ofOffer;
  }
  /** What is in the slot in the end: the offer, or what a container makes. */
  get image(): Offer {
    return this.imageOffer;
  }
  /** The image, as the denylist may know it; budgets know it by the first of these. */
  get names(): readonly Offer[] {
    return this.staged === undefined ? [this.offer] : namesOf(this.offer, this.staged.file);
  }
  get known(): Offer {
    return this.names[0]!;
  }
  /** Of a container the checkpoint of the image carries the identity of the image, which older firmware does not know. */
  private get identityNow(): number {
    return this.staged === undefined || this.isStaging
      ? this.identity
      : identityOf({ ...this.jobRecord, offer: this.imageOffer });
  }
  private get offsetRecord(): OffsetRecord {
    return this.isStaging ? RECORDS.stagedOffset : this.target.offset;
  }
  /** Of a container only what this run erased counts as erased: its tail and its front take turns. */
  private get erasedRecord(): Target["erased"] {
    return this.staged === undefined ? this.ofOffer.erased : undefined;
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
  /** Bytes to store: of the file, or of what is staged of a container, or of what that makes. */
  get size(): number {
    return this.isStaging ? this.staged!.length : this.imageOffer.size;
  }
  /** Of these, stored and read back: a multiple of the sector, or all. */
  get offset(): number {
    return Math.min(this.sectors * SECTOR, this.size);
  }
  get complete(): boolean {
    return this.size > 0 && this.offset === this.size;
  }
  /** Where the bytes to store begin in the file that is fetched. */
  get from(): number {
    return this.isStaging ? this.staged!.from : 0;
  }
  /** The checkpoint as the store holds it now, for the next job to adopt. */
  get checkpoint(): Checkpoint {
    if (this.isStaging)
      return {
        offset: RECORDS.stagedOffset.encode(this.identity, this.sectors),
        header: undefined,
        staged: RECORDS.staged.encode(this.identity, this.staged!),
      };
    if (this.imageHeader === undefined || this.isHalfMade) return NO_CHECKPOINT;
    return {
      offset: this.target.offset.encode(this.identityNow, this.sectors),
      header: this.target.header.encode(this.identityNow, this.imageHeader),
      erased: this.erasedRecord?.encode(this.identity, this.erasedTo),
      staged: this.staged && RECORDS.staged.encode(this.identity, this.staged),
    };
  }

  /** The server told the size, and a validator. With the size the identity is known: what is left may fit now. */
  learn(size: number, validator: string | undefined, left: Checkpoint): JobEffect[] {
    const { validator: old, ...rest } = this.jobRecord;
    const keep = this.offer.digest === undefined ? validator : undefined;
    const sizeWasKnown = this.offer.size === size;
    if (sizeWasKnown && old === keep) return [];
    this.pass = undefined;
    this.jobRecord = { ...rest, offer: { ...this.offer, size }, ...(keep === undefined ? {} : { validator: keep }) };
    this.identity = identityOf(this.jobRecord);
    if (this.staged === undefined) this.imageOffer = this.offer;
    if (!sizeWasKnown) this.adopt(left);
    return [...(sizeWasKnown ? [] : this.deleteLost(left)), this.putRecord()];
  }

  /**
   * A fresh URL for the same image, or another task for it. Neither is part of the identity (where there is a digest), so
   * the checkpoint stays.
   */
  renew(url: string, { id, fetchOnly }: Task = this.offer): JobEffect[] {
    this.jobRecord = { ...this.jobRecord, offer: { ...this.offer, url, ...taskOf(id, fetchOnly) } };
    this.imageOffer = { ...this.imageOffer, url };
    return [this.putRecord()];
  }

  /** The file turned out to be a container, of which these bytes are staged. Nothing is stored yet. */
  stage(staged: Staged): JobEffect[] {
    this.take(staged);
    this.erasedTo = 0;
    return [
      ...(this.phaseRecord.expanding === true ? [this.enter({ expanding: false })] : []),
      { type: "delete", key: RECORDS.stagedOffset.key },
      { type: "put-bytes", key: RECORDS.staged.key, bytes: RECORDS.staged.encode(this.identity, staged) },
    ];
  }

  /** An old image begins in the first sector of the slot. Once since power-on. */
  eraseFront(): JobEffect[] {
    if (this.frontErased) return [];
    this.frontErased = true;
    return [{ type: "erase", sector: 0 }];
  }

  /** The staged bytes are proven: from now on the image is stored. */
  expand(): JobEffect[] {
    if (this.staged === undefined || this.phaseRecord.expanding === true) return [];
    this.erasedTo = 0;
    this.sectors = 0;
    this.imageHeader = undefined;
    return [this.enter({ expanding: true })];
  }

  /**
   * One more sector, with these bytes, is in flash and was read back. Of the first one the header is stored first:
   * without it the sector is not whole.
   */
  advance(bytes: Uint8Array): JobEffect[] {
    if (this.sectors++ > 0 || this.isStaging) return [this.putOffset()];
    this.imageHeader = bytes.slice(0, HEAD);
    const { key, encode } = this.target.header;
    return [{ type: "put-bytes", key, bytes: encode(this.identityNow, this.imageHeader) }, this.putOffset()];
  }

  /** The blocks before sector `end` are erased: from now on, and after a power cut. */
  erased(end: number): JobEffect[] {
    this.erasedTo = end;
    if (this.erasedRecord === undefined) return [];
    const { key, encode } = this.erasedRecord;
    return [{ type: "put-number", key, value: encode(this.identity, end) }];
  }

  /** What is stored from `offset` on, a multiple of the sector, counts no more, and is not erased. */
  rewind(offset: number): JobEffect[] {
    this.pass = undefined;
    this.sectors = Math.min(this.sectors, offset / SECTOR);
    return [...this.erased(0), this.putOffset()];
  }

  /** Nothing that is in flash counts any more. */
  dropCheckpoint(): JobEffect[] {
    this.pass = undefined;
    this.sectors = 0;
    this.erasedTo = 0;
    this.imageHeader = undefined;
    return this.deleteCheckpoint();
  }

  /** The file is fetched anew, whatever it turns out to be. */
  startOver(): JobEffect[] {
    const effects = this.dropCheckpoint().concat(this.deleteStaged());
    this.staged = undefined;
    this.made = false;
    this.imageOffer = this.offer;
    return effects;
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

  /** The cloud has acknowledged the outcome. Staged sectors count without a job: where the image is made they go first. */
  forget(keepCheckpoint: boolean): JobEffect[] {
    const keep = keepCheckpoint && !this.isHalfMade;
    const effects = this.staged && !this.isStaging ? deleted(RECORDS.stagedOffset) : [];
    return effects.concat(deleteRecords(), keep ? [] : this.deleteCheckpoint().concat(this.deleteStaged()));
  }

  private putOffset(): JobEffect {
    const { key, encode } = this.offsetRecord;
    return { type: "put-number", key, value: encode(this.identityNow, this.sectors) };
  }

  private deleteStaged(): JobEffect[] {
    return this.staged === undefined ? [] : [{ type: "delete", key: RECORDS.staged.key }];
  }

  /** A restart must not take for this job's what is left of an image, or of a container, that loses the slot to it. */
  private deleteLost({ staged }: Checkpoint): JobEffect[] {
    const ofContainer = staged && !this.staged && this.size > 0 ? deleted(RECORDS.stagedOffset, RECORDS.staged) : [];
    return this.sectors > 0 ? ofContainer : ofContainer.concat(this.deleteCheckpoint());
  }

  /** Neither offset nor header counts without the other. Before the size is known learn() has to decide whose they are. */
  private deleteCheckpoint(): JobEffect[] {
    if (this.size === 0) return [];
    const { offset, header, erased } = this.ofOffer;
    return deleted(...(erased ? [erased] : []), offset, header, ...(this.staged ? [RECORDS.stagedOffset] : []));
  }

  private putRecord(): JobEffect {
    return { type: "put-bytes", key: RECORDS.job.key, bytes: RECORDS.job.encode(this.jobRecord) };
  }
}

const deleted = (...records: { key: string }[]): JobEffect[] => records.map(({ key }) => ({ type: "delete", key }));
const deleteRecords = (): JobEffect[] => deleted(RECORDS.job, RECORDS.phase, RECORDS.outcome);
