/**
 * The records of the agent in the store: the key of each, its form, whether it belongs to a job, and its codec. Reading
 * the store at boot and docs/SPEC.md both come from this table. Keys and bytes are the same since edition 1, in both
 * directions.
 */
import type { Store } from "../ports";
import { frozen } from "../util/frozen";
import { decodeBudgets, decodeDenylist, encodeBudgets, encodeDenylist } from "./history-codecs";
import {
  decodeAnswer,
  decodeHeader,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodePhase,
  encodeAnswer,
  encodeHeader,
  encodeJob,
  encodeOffset,
  encodeOutcome,
  encodePhase,
} from "./job-codecs";
import { decodeStaged, encodeStaged } from "./staged-codec";

const asIs = (value: number): number => value;
const OFFSET = frozen({ form: "number", ofJob: true, encode: encodeOffset, decode: decodeOffset });
const HEADER = frozen({ form: "bytes", ofJob: true, encode: encodeHeader, decode: decodeHeader });
const PLAIN = frozen({ form: "number", ofJob: false, encode: asIs, decode: asIs });

/**
 * `form`: an unsigned 32-bit number, or bytes with a CRC-32 behind them. `ofJob`: the record carries the identity of
 * its job, and the codec takes that identity as its first argument. The order is that in which a boot reads them.
 */
export const RECORDS = frozen({
  /** Identity, URL and validator of the job in hand. It exists as long as there is a job. */
  job: { key: "job", form: "bytes", ofJob: false, encode: encodeJob, decode: decodeJob },
  /** Sectors of the firmware that are stored and read back. */
  firmwareOffset: { key: "off", ...OFFSET },
  /** Sectors before this one are erased or written: the erases of the blocks before it were completed. */
  firmwareErased: { key: "erased", ...OFFSET },
  /** First 16 bytes of the firmware image, which are programmed last. */
  firmwareHeader: { key: "head", ...HEADER },
  /** Phase, activations, trials. Absent: downloading. */
  phase: { key: "state", form: "number", ofJob: true, encode: encodePhase, decode: decodePhase },
  /** The terminal outcome, from the moment when it is known until the cloud acknowledged it. */
  outcome: { key: "out", form: "bytes", ofJob: true, encode: encodeOutcome, decode: decodeOutcome },
  /** Images that are not tried again. */
  denylist: { key: "refused", form: "bytes", ofJob: false, encode: encodeDenylist, decode: decodeDenylist },
  /** Anti-rollback counter: the highest security version of any firmware that was confirmed here. */
  minimumSecurityVersion: { key: "floor", ...PLAIN },
  /** The checkpoint of a component has records of its own, so that a job of the one leaves the other's alone. */
  componentOffset: { key: "poff", ...OFFSET },
  /** The first 16 bytes of a component say whose checkpoint it is. */
  componentHeader: { key: "phead", ...HEADER },
  /** What of a container is staged in the tail of the slot, and what becomes of it. */
  staged: { key: "staged", form: "bytes", ofJob: true, encode: encodeStaged, decode: decodeStaged },
  /** Its sectors that are stored and read back. */
  stagedOffset: { key: "soff", ...OFFSET },
  /** An offer that waits, on a cloud that pushes only once. */
  pendingOffer: { key: "next", form: "bytes", ofJob: false, encode: encodeJob, decode: decodeJob },
  /** The outcome of an offer that never became a job, on such a cloud, until its PUBACK. */
  pendingAnswer: { key: "word", form: "bytes", ofJob: false, encode: encodeAnswer, decode: decodeAnswer },
  /** What was tried, confirmed and installed. */
  budgets: { key: "budgets", form: "bytes", ofJob: false, encode: encodeBudgets, decode: decodeBudgets },
  /** Awake seconds of the agent. */
  awakeSeconds: { key: "awake", ...PLAIN },
  /** What was told of the bootloader: 1 it rolls back, 2 it does not and the start-up guards, 3 nobody does. */
  bootloader: { key: "loader", ...PLAIN },
});

export type RecordName = keyof typeof RECORDS;
type Stored<N extends RecordName> = (typeof RECORDS)[N]["form"] extends "number" ? number : Uint8Array;

export type OffsetRecord = (typeof RECORDS)["firmwareOffset" | "componentOffset" | "stagedOffset"];
export type HeaderRecord = (typeof RECORDS)["firmwareHeader" | "componentHeader"];

/** The records as the store has them; each absent when missing or unreadable. */
export type Snapshot = { readonly [N in RecordName]?: Stored<N> | undefined };

/** Reads all records. A record that cannot be read counts as absent, a store that throws as empty. */
export const readRecords = (store: Pick<Store, "getNumber" | "getBytes">): Snapshot => {
  const found: { [name in RecordName]?: unknown } = {};
  (Object.keys(RECORDS) as RecordName[]).forEach((name) => {
    const { key, form } = RECORDS[name];
    try {
      const value = form === "number" ? store.getNumber(key) : store.getBytes(key);
      // A field takes a slot on XS as long as the agent runs, also without a value.
      if (value !== undefined) found[name] = value;
    } catch {
      // Absent.
    }
  });
  return found as Snapshot;
};

/** How far an image is stored, as the store has it. */
export interface Checkpoint {
  readonly offset: number | undefined;
  readonly header: Uint8Array | undefined;
  /** Of a container. Without a header it is not expanded yet, and `offset` counts its sectors. */
  readonly staged?: Uint8Array | undefined;
  /** What is erased beyond it. */
  readonly erased?: number | undefined;
}

export const NO_CHECKPOINT: Checkpoint = Object.freeze({ offset: undefined, header: undefined });

/** Of a container that is not expanded. */
export const stagedCheckpointIn = ({ stagedOffset, staged }: Snapshot): Checkpoint => ({
  offset: stagedOffset,
  header: undefined,
  staged,
});
