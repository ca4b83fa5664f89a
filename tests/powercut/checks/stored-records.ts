/**
 * The agent's records as the checks read them: the values in the ledger, decoded with the agent's code. No other check
 * decodes a record.
 */
import { readContainer } from "../../../src/container/format";
import { Denylist } from "../../../src/job/denylist";
import {
  decodeHeader,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodePhase,
  identityOf,
} from "../../../src/job/job-codecs";
import type { JobRecord, Phase, PhaseRecord } from "../../../src/job/job-codecs";
import { RECORDS } from "../../../src/job/records";
import { imageOf } from "../../../src/job/staged";
import type { Offer, Outcome } from "../../../src/job/types";
import type { Push } from "../simulation/push";
import type { SimulationState } from "../simulation/simulation-state";
import { ABSENT } from "./ledger";

/** Keys of the records that the checks read. */
export const KEYS = {
  job: RECORDS.job.key,
  offset: RECORDS.firmwareOffset.key,
  head: RECORDS.firmwareHeader.key,
  staged: RECORDS.stagedOffset.key,
  state: RECORDS.phase.key,
  outcome: RECORDS.outcome.key,
  pendingOffer: RECORDS.pendingOffer.key,
  pendingAnswer: RECORDS.pendingAnswer.key,
  denylist: RECORDS.denylist.key,
} as const;

/** The job's record with the push it came from. */
export interface Job {
  readonly record: JobRecord;
  readonly identity: number;
  /** Of the records of the image, which a container makes. */
  readonly image: number;
  readonly push: Push | undefined;
}

export class StoredRecords {
  readonly simulation: SimulationState;
  #decoded: { readonly text: string | undefined; readonly job: Job | undefined } | undefined;

  constructor(simulation: SimulationState) {
    this.simulation = simulation;
  }

  /** The value of a record; after a power cut in mid-change the newest that it may have. Undefined: absent. */
  record(key: string): string | undefined {
    const value = this.simulation.ledger.records.get(key)?.at(-1);
    return value === ABSENT ? undefined : value;
  }

  get job(): Job | undefined {
    const text = this.record(KEYS.job);
    if (this.#decoded === undefined || text !== this.#decoded.text) {
      const record = decodeJob(bytesOf(text));
      const push = record && this.simulation.pushOf(record.offer);
      this.#decoded = {
        text,
        job: record && { record, identity: identityOf(record), image: identityOfImage(record, push), push },
      };
    }
    return this.#decoded.job;
  }

  /** As the job's record of its state has it, or would have it with this value. */
  stateOf(job: Job, value = this.record(KEYS.state)): PhaseRecord {
    return decodePhase(job.identity, numberOf(value));
  }

  get phase(): Phase | undefined {
    const { job } = this;
    return job && this.stateOf(job).phase;
  }

  /** The outcome of the job as the store has it: a record of its own, or the phase "confirmed". */
  get outcome(): Outcome | undefined {
    const { job } = this;
    if (job === undefined) return undefined;
    return this.outcomeOf(job) ?? (this.phase === "confirmed" ? { kind: "done" } : undefined);
  }

  outcomeOf(job: Job, value = this.record(KEYS.outcome)): Outcome | undefined {
    return decodeOutcome(job.identity, bytesOf(value));
  }

  /** Sectors that the checkpoint claims. */
  sectorsOf(job: Job, value = this.record(KEYS.offset)): number | undefined {
    return decodeOffset(job.image, numberOf(value));
  }

  /** Sectors of the container that the checkpoint claims. */
  stagedOf(job: Job, value = this.record(KEYS.staged)): number | undefined {
    return decodeOffset(job.identity, numberOf(value));
  }

  /** The first bytes of the image, while they are held back from flash. */
  headOf(job: Job): Uint8Array | undefined {
    return decodeHeader(job.image, bytesOf(this.record(KEYS.head)));
  }

  /** The denylist, or what it would be with this value, holds the image. */
  denies(offer: Offer, value = this.record(KEYS.denylist)): boolean {
    return new Denylist(bytesOf(value)).causeOf(offer.digest) !== undefined;
  }
}

/** Identity of the records of what a container makes. */
function identityOfImage(record: JobRecord, push: Push | undefined): number {
  if (push?.container === undefined) return identityOf(record);
  return identityOf({ ...record, offer: imageOf(record.offer, readContainer(push.container).file) });
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const bytesOf = (text: string | undefined): Uint8Array | undefined =>
  text === undefined || text === ABSENT ? undefined : Uint8Array.from(Buffer.from(text, "hex"));

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === ABSENT ? undefined : Number(text);
