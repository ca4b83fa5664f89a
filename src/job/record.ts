/**
 * What a job leaves in the store, byte by byte (docs/SPEC.md has the tables), and how it is read back. Five small records
 * instead of one, because NVS appends: the large one is written once per job, the others cost one to three entries each.
 *
 *   "job"    identity, url and validator. Present = there is a job.
 *   "off"    u32: tag << 16 | sectors stored and read back.
 *   "head"   the first 16 bytes of the image, held back from flash.
 *   "state"  u32: tag << 16 | refetched << 12 | phase << 8 | activations << 4 | trials. Absent = downloading.
 *   "out"    the terminal outcome, from the moment it is known until the cloud acknowledged it.
 *   "poff", "phead"   the checkpoint of a module, apart so that a job of the one leaves the other's alone. A module's head is not
 *            held back; it says whose checkpoint it is.
 *
 * Each but "job" carries the tag of the identity it belongs to (16 bits of its CRC-32; the heads all 32): one that belongs to
 * another image counts as absent, and so does one that can not be read.
 */
import { crc32 } from "../util/crc32";
import { decodeUtf8, encodeUtf8 } from "../util/utf8";
import type { Cause, Offer, OfferDigest, Outcome, Task } from "./types";
import { HEAD } from "../constants";

export const KEY_JOB = "job";
export const KEY_OFFSET = "off";
export const KEY_HEAD = "head";
export const KEY_STATE = "state";
export const KEY_OUTCOME = "out";
/** u32: the highest security floor of any firmware that was confirmed here. */
export const KEY_FLOOR = "floor";
export const KEY_PART_OFFSET = "poff";
export const KEY_PART_HEAD = "phead";
/** An offer that waits, and an answer that was not acknowledged: owed.ts. */
export const KEY_WAITING = "next";
export const KEY_ANSWER = "word";

/** In place of a slot's label, which no slot has: the offer is for a module's installer. */
export const PART = "*";

/** Format version of every record here; another one counts as absent. */
const FORMAT = 1;

/** Where the job stands, as stored. "sealing": the digest matched. "trial": the boot choice is about to change or has changed. "confirmed": the new firmware stays. */
export type Phase = "downloading" | "sealing" | "trial" | "confirmed";
const PHASES: readonly Phase[] = Object.freeze<Phase[]>(["downloading", "sealing", "trial", "confirmed"]);

/** Order is the number on flash: append only. */
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
  /** Label of the slot that it is written to, or PART: the same image bound for the other slot is another job. */
  readonly slot: string;
  readonly offer: Offer;
  /** ETag or Last-Modified of the file; kept only where no digest guards a resume. */
  readonly validator?: string;
}

export interface State {
  readonly phase: Phase;
  /** Times the boot choice was changed for this job, 0..15. */
  readonly activations: number;
  /** Trials that a power loss cut short, 0..15. */
  readonly trials: number;
  /** The file was downloaded once more because its digest differed. Only while downloading. */
  readonly refetched: boolean;
}

/** Writes length-prefixed fields; "" and absent differ (0xFFFF = absent). */
export class Writer {
  readonly #bytes: number[] = [];
  byte(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }
  u32(value: number): this {
    return this.byte(value)
      .byte(value >>> 8)
      .byte(value >>> 16)
      .byte(value >>> 24);
  }
  text(value: string | undefined): this {
    if (value === undefined) return this.byte(0xff).byte(0xff);
    const bytes = encodeUtf8(value);
    this.byte(bytes.length).byte(bytes.length >>> 8);
    for (const byte of bytes) this.byte(byte);
    return this;
  }
  /** The bytes with their CRC-32 behind them. */
  sealed(): Uint8Array {
    return new Uint8Array(this.u32(crc32(Uint8Array.from(this.#bytes))).#bytes);
  }
  crc(): number {
    return crc32(Uint8Array.from(this.#bytes));
  }
}

/** Reads what Writer wrote; goes `broken` instead of throwing. */
export class Reader {
  #at = 0;
  broken: boolean;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes.subarray(0, Math.max(0, bytes.length - 4));
    this.broken = bytes.length < 5 || crc32(this.#bytes) !== littleEndian(bytes, this.#bytes.length);
  }
  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) this.broken = true;
    return value ?? 0;
  }
  u32(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0;
  }
  text(): string | undefined {
    const length = this.byte() | (this.byte() << 8);
    if (length === 0xffff) return undefined;
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      this.broken = true;
      return undefined;
    }
    const text = decodeUtf8(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }
  rest(length: number): Uint8Array | undefined {
    const end = this.#at + length;
    if (end !== this.#bytes.length) this.broken = true;
    return this.broken ? undefined : this.#bytes.slice(this.#at, end);
  }
}

const littleEndian = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;

const writeDigest = (writer: Writer, digest: OfferDigest | undefined): Writer =>
  writer.text(digest?.algorithm).text(digest?.hex);

/**
 * CRC-32 of what makes two pushes the same image: platform, slot, module, version, size and digest; the url takes the digest's
 * place where there is none. "default" module spellings differ here on purpose: they are echoed as received.
 */
export function identityOf(record: JobRecord): number {
  const { offer } = record;
  const writer = new Writer()
    .byte(FORMAT)
    .text(record.platform)
    .text(record.slot)
    .text(offer.module)
    .text(offer.version)
    .text(String(offer.size));
  return writeDigest(writer, offer.digest)
    .text(offer.digest === undefined ? offer.url : undefined)
    .crc();
}

export function encodeJob(record: JobRecord): Uint8Array {
  const { offer } = record;
  const writer = new Writer()
    .byte(FORMAT)
    .text(record.platform)
    .text(record.slot)
    .text(offer.module)
    .text(offer.version)
    .text(String(offer.size));
  return writeDigest(writer, offer.digest).text(offer.url).text(record.validator).sealed();
}

export function decodeJob(bytes: Uint8Array | undefined): JobRecord | undefined {
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
  if (slot === PART && module === undefined) return undefined;
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
      ...(digest === undefined ? {} : { digest }),
      ...(slot === PART ? { part: module! } : {}),
    },
    ...(validator === undefined ? {} : { validator }),
  };
}

const tagged = (identity: number, value: number): number => (((identity & 0xffff) << 16) | value) >>> 0;
const untagged = (identity: number, stored: number | undefined): number | undefined =>
  stored === undefined || stored >>> 16 !== (identity & 0xffff) ? undefined : stored & 0xffff;

/** `sectors` up to 65,535: 256 MiB. */
export const encodeOffset = (identity: number, sectors: number): number => tagged(identity, sectors);
/** Sectors stored; undefined when absent or of another image. */
export const decodeOffset = untagged;

/** Firmware of edition 1 reads a phase that it does not know as downloading, which is the only one in which `refetched` is set. */
const REFETCHED = 0x1000;

export function encodeState(identity: number, { phase, activations, trials, refetched }: State): number {
  const flag = refetched && phase === "downloading" ? REFETCHED : 0;
  return tagged(
    identity,
    flag | (PHASES.indexOf(phase) << 8) | (Math.min(activations, 15) << 4) | Math.min(trials, 15),
  );
}

export function decodeState(identity: number, stored: number | undefined): State {
  const value = untagged(identity, stored) ?? 0;
  const phase = PHASES[(value & ~REFETCHED) >>> 8] ?? "downloading";
  return {
    phase,
    activations: (value >>> 4) & 15,
    trials: value & 15,
    refetched: (value & REFETCHED) !== 0 && phase === "downloading",
  };
}

export function encodeHead(identity: number, head: Uint8Array): Uint8Array {
  const writer = new Writer().byte(FORMAT).u32(identity);
  for (const byte of head) writer.byte(byte);
  return writer.sealed();
}

export function decodeHead(identity: number, bytes: Uint8Array | undefined): Uint8Array | undefined {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const head = reader.rest(HEAD);
  return format !== FORMAT || owner !== identity ? undefined : head;
}

export function encodeOutcome(identity: number, outcome: Outcome): Uint8Array {
  return writeOutcome(new Writer().byte(FORMAT).u32(identity), outcome).sealed();
}

export function decodeOutcome(identity: number, bytes: Uint8Array | undefined): Outcome | undefined {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const outcome = readOutcome(reader);
  return format !== FORMAT || owner !== identity ? undefined : outcome;
}

function writeOutcome(writer: Writer, outcome: Outcome): Writer {
  return outcome.kind === "done"
    ? writer.byte(0)
    : writer.byte(1 + CAUSES.indexOf(outcome.cause)).text(outcome.message);
}

function readOutcome(reader: Reader): Outcome | undefined {
  const kind = reader.byte();
  if (kind === 0) return reader.broken ? undefined : { kind: "done" };
  const cause = CAUSES[kind - 1];
  const message = reader.text();
  return cause === undefined || message === undefined || reader.broken ? undefined : { kind: "fail", cause, message };
}

/** What became of an offer that never was a job. */
export interface Answer {
  readonly platform: string;
  readonly task: Task;
  readonly outcome: Outcome;
}

export function encodeAnswer({ platform, task, outcome }: Answer): Uint8Array {
  return writeOutcome(new Writer().byte(FORMAT).text(platform).text(task.module).text(task.version), outcome).sealed();
}

export function decodeAnswer(bytes: Uint8Array | undefined): Answer | undefined {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const platform = reader.text();
  const module = reader.text();
  const version = reader.text();
  const outcome = readOutcome(reader);
  if (format !== FORMAT || platform === undefined || version === undefined || outcome === undefined) return undefined;
  return { platform, task: { version, ...(module === undefined ? {} : { module }) }, outcome };
}
