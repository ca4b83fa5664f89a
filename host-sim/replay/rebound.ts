/**
 * Records of a job without a digest are bound to its URL, which is not recorded: here they are bound to what stands in
 * its place. Whether the device took them for those of the job is not known, so the checksum of the replay decides.
 */
import { Reader } from "../../src/job/codec";
import { decodeJob, identityOf } from "../../src/job/job-codecs";
import { RECORDS } from "../../src/job/records";
import type { RecordName } from "../../src/job/records";

const NAMES = Object.keys(RECORDS) as RecordName[];

interface BytesRecord {
  decode(identity: number, bytes: Uint8Array | undefined): unknown;
  encode(identity: number, value: never): Uint8Array;
}

/** Undefined: there is no such job. `stored`: in the order of RECORDS. */
export const rebound = (stored: unknown): readonly unknown[] | undefined => {
  if (!Array.isArray(stored)) return undefined;
  const job = decodeJob(bytesOf(stored[NAMES.indexOf("job")]));
  if (job === undefined || job.offer.digest !== undefined) return undefined;
  const owner = ownerOf(stored);
  if (owner === undefined) return undefined;
  const identity = identityOf(job);
  return stored.map((value: unknown, index) => {
    const record = RECORDS[NAMES[index]!];
    if (record?.ofJob !== true) return value;
    if (typeof value === "number") return value >>> 16 === (owner & 0xffff) ? retagged(identity, value) : value;
    const { decode, encode } = record as unknown as BytesRecord;
    const known = decode(owner, bytesOf(value));
    return known === undefined ? value : encode(identity, known as never);
  });
};

const bytesOf = (value: unknown): Uint8Array | undefined => (value instanceof Uint8Array ? value : undefined);

const retagged = (identity: number, value: number): number => (((identity & 0xffff) << 16) | (value & 0xffff)) >>> 0;

/** The identity that records of a job name, or its lower half. */
const ownerOf = (stored: readonly unknown[]): number | undefined => {
  for (const name of ["firmwareHeader", "staged", "outcome", "componentHeader"] as const) {
    const bytes = bytesOf(stored[NAMES.indexOf(name)]);
    if (bytes === undefined) continue;
    const reader = new Reader(bytes);
    reader.byte();
    return reader.u32();
  }
  const phase = stored[NAMES.indexOf("phase")];
  return typeof phase === "number" ? phase >>> 16 : undefined;
};
