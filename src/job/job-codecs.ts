/**
 * Codecs of the records that a job leaves in the store; records.ts has the table of all records, docs/SPEC.md the
 * bytes. A job has several small records instead of one, because NVS appends: the large one is written once per job,
 * each of the others costs one to three entries.
 *
 * Every record but the job's own carries the identity that it belongs to: a number 16 bits of it, bytes all 32. A
 * record of another identity, or one that cannot be read, counts as absent.
 */
import { HEAD } from "../constants";
import { FORMAT, Reader, Writer } from "./codec";
import type { Cause, Offer, OfferDigest, Outcome, Task } from "./types";

/** In place of a slot's label, which no slot has: the job updates a component. */
export const COMPONENT_SLOT = "*";

/**
 * How far a job has come. "committing": the digest matched. "trial": the boot choice is about to change or has changed.
 * "confirmed": the new firmware stays. The index is the number in the store: append only.
 */
export type Phase = "downloading" | "committing" | "trial" | "confirmed";
const PHASES: readonly Phase[] = Object.freeze<Phase[]>(["downloading", "committing", "trial", "confirmed"]);

/** The index is the number in the store: append only. */
const CAUSES: readonly Cause[] = Object.freeze<Cause[]>([
  "download-timeout",
  "not-found",
  "url-expired",
  "download",
  "digest-mismatch",
  "rejected",
  "flash",
  "rolled-back",
  "signature",
]);

export interface JobRecord {
  /** Platform that pushed the job. */
  readonly platform: string;
  /** Label of the slot that it is written to, or COMPONENT_SLOT. The same image for the other slot is another job. */
  readonly slot: string;
  readonly offer: Offer;
  /** ETag or Last-Modified of the file; kept only where no digest guards a resume. */
  readonly validator?: string;
}

export interface PhaseRecord {
  readonly phase: Phase;
  /** Times the boot choice was changed for this job, 0..15. */
  readonly activations: number;
  /** Trials that a power loss cut short, 0..15. */
  readonly trials: number;
  /** The file was downloaded once more because its digest differed. Only while downloading. */
  readonly refetched: boolean;
  /** The staged container was proven, and is expanded. Only while downloading. */
  readonly expanding?: boolean;
  /** Fresh URLs that were asked for since the last new sector, 0..3. Only while downloading. */
  readonly renewals?: number;
}

/** What two pushes of the same image have in common. */
const writeIdentity = ({ platform, slot, offer }: JobRecord): Writer => {
  return new Writer()
    .byte(FORMAT)
    .text(platform)
    .text(slot)
    .text(offer.module)
    .text(offer.version)
    .text(String(offer.size))
    .text(offer.digest?.algorithm)
    .text(offer.digest?.hex);
};

/**
 * CRC-32 of platform, slot, module, version, size and digest; without a digest the URL takes its place. Spellings of
 * "default" as module differ here on purpose: they are echoed as received.
 */
export const identityOf = (record: JobRecord): number => {
  const { digest, url } = record.offer;
  return writeIdentity(record)
    .text(digest === undefined ? url : undefined)
    .crc();
};

export const encodeJob = (record: JobRecord): Uint8Array =>
  writeId(writeIdentity(record).text(record.offer.url).text(record.validator), record.offer).sealed();

/** Last, and absent where a cloud has no ids: such records are as they were before there were ids. */
const writeId = (writer: Writer, { id, fetchOnly }: Task): Writer =>
  id === undefined ? writer : writer.text(id).byte(fetchOnly === true ? 1 : 0);

/** What a task is beside its image. Without an id there is nothing else. */
export const taskOf = (id: string | undefined, fetchOnly: boolean | undefined): Pick<Task, "id" | "fetchOnly"> =>
  id === undefined ? {} : { id, fetchOnly: fetchOnly === true };

export const decodeJob = (bytes: Uint8Array | undefined): JobRecord | undefined => {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const platform = reader.text();
  const slot = reader.text();
  const module = reader.text();
  const version = reader.text();
  const size = Number(reader.text());
  const algorithm = reader.text();
  const hex = reader.text();
  const url = reader.text();
  const validator = reader.text();
  const id = reader.more ? reader.text() : undefined;
  const fetchOnly = id !== undefined && reader.byte() === 1;
  reader.rest(0);
  if (
    reader.broken ||
    format !== FORMAT ||
    platform === undefined ||
    slot === undefined ||
    version === undefined ||
    url === undefined
  )
    return undefined;
  if (slot === COMPONENT_SLOT && module === undefined) return undefined;
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  if (algorithm !== undefined && ((algorithm !== "MD5" && algorithm !== "SHA256") || hex === undefined))
    return undefined;
  const digest: OfferDigest | undefined =
    algorithm === undefined || hex === undefined
      ? undefined
      : { algorithm: algorithm as OfferDigest["algorithm"], hex };
  return {
    platform,
    slot,
    offer: {
      version,
      size,
      url,
      ...(module === undefined ? {} : { module }),
      ...taskOf(id, fetchOnly),
      ...(digest === undefined ? {} : { digest }),
      ...(slot === COMPONENT_SLOT ? { component: module! } : {}),
    },
    ...(validator === undefined ? {} : { validator }),
  };
};

const tagged = (identity: number, value: number): number => (((identity & 0xffff) << 16) | value) >>> 0;
const untagged = (identity: number, stored: number | undefined): number | undefined =>
  stored === undefined || stored >>> 16 !== (identity & 0xffff) ? undefined : stored & 0xffff;

/** `sectors` up to 65,535: 256 MiB. */
export const encodeOffset = (identity: number, sectors: number): number => tagged(identity, sectors);
/** Sectors stored; undefined when absent or of another image. */
export const decodeOffset = untagged;

/**
 * Older firmware reads a phase that it does not know as downloading, which is the only one in which these are set. It
 * has no records of a container, and begins anew.
 */
const REFETCHED = 0x1000;
const EXPANDING = 0x2000;
/** Upper two bits: `renewals`. */
const RENEWALS = 14;

export const encodePhase = (
  identity: number,
  { phase, activations, trials, refetched, expanding, renewals = 0 }: PhaseRecord,
): number => {
  const flag =
    phase === "downloading"
      ? (refetched ? REFETCHED : 0) | (expanding ? EXPANDING : 0) | (Math.min(renewals, 3) << RENEWALS)
      : 0;
  return tagged(
    identity,
    flag | (PHASES.indexOf(phase) << 8) | (Math.min(activations, 15) << 4) | Math.min(trials, 15),
  );
};

export const decodePhase = (identity: number, stored: number | undefined): PhaseRecord => {
  const value = untagged(identity, stored) ?? 0;
  const phase = PHASES[(value & (REFETCHED - 1)) >>> 8] ?? "downloading";
  const flags = phase === "downloading" ? value : 0;
  return {
    phase,
    activations: (value >>> 4) & 15,
    trials: value & 15,
    refetched: (flags & REFETCHED) !== 0,
    ...((flags & EXPANDING) === 0 ? {} : { expanding: true }),
    ...(flags >>> RENEWALS === 0 ? {} : { renewals: flags >>> RENEWALS }),
  };
};

export const encodeHeader = (identity: number, header: Uint8Array): Uint8Array =>
  new Writer().byte(FORMAT).u32(identity).bytes(header).sealed();

export const decodeHeader = (identity: number, bytes: Uint8Array | undefined): Uint8Array | undefined => {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const header = reader.rest(HEAD);
  return format !== FORMAT || owner !== identity ? undefined : header;
};

export const encodeOutcome = (identity: number, outcome: Outcome): Uint8Array => {
  return writeOutcome(new Writer().byte(FORMAT).u32(identity), outcome).sealed();
};

export const decodeOutcome = (identity: number, bytes: Uint8Array | undefined): Outcome | undefined => {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const outcome = readOutcome(reader);
  return format !== FORMAT || owner !== identity ? undefined : outcome;
};

const writeOutcome = (writer: Writer, outcome: Outcome): Writer => {
  return outcome.kind === "done"
    ? writer.byte(0)
    : writer.byte(1 + CAUSES.indexOf(outcome.cause)).text(outcome.message);
};

const readOutcome = (reader: Reader): Outcome | undefined => {
  const kind = reader.byte();
  if (kind === 0) return reader.broken ? undefined : { kind: "done" };
  const cause = CAUSES[kind - 1];
  const message = reader.text();
  return cause === undefined || message === undefined || reader.broken ? undefined : { kind: "fail", cause, message };
};

/** The outcome of an offer that never became a job. */
export interface Answer {
  readonly platform: string;
  readonly task: Task;
  readonly outcome: Outcome;
}

export const encodeAnswer = ({ platform, task, outcome }: Answer): Uint8Array => {
  return writeOutcome(new Writer().byte(FORMAT).text(platform).text(task.module).text(task.version), outcome).sealed();
};

export const decodeAnswer = (bytes: Uint8Array | undefined): Answer | undefined => {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const platform = reader.text();
  const module = reader.text();
  const version = reader.text();
  const outcome = readOutcome(reader);
  if (format !== FORMAT || platform === undefined || version === undefined || outcome === undefined) return undefined;
  return { platform, task: { version, ...(module === undefined ? {} : { module }) }, outcome };
};
