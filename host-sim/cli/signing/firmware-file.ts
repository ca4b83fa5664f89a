/** Firmware files with and without a signature trailer (docs/SPEC.md). */
import { createHash, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { refusalOfSignature, fingerprintOf } from "../../../src/signature/check";
import { TRAILER, encodeTrailer, hasTrailer } from "../../../src/signature/trailer";
import { problemOfImage } from "../../board/image-problem";
import { NodeCrypto } from "../../board/node-crypto";
import { fileReason } from "../../board/config/file-errors";
import { pointOf } from "./keys";

export function readFirmwareFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new Error(`${path} can not be read: ${fileReason(error)}`, { cause: error });
  }
}

/** The bytes that a signature covers: the file without its trailer. */
export function unsigned(file: Uint8Array): Uint8Array {
  return hasTrailer(file.subarray(-TRAILER)) ? file.subarray(0, -TRAILER) : file;
}

/** To append to a line: why no bootloader would start `file`. A module's file need not boot. "" where it would. */
export function imageNote(file: Uint8Array): string {
  const read = (offset: number, into: Uint8Array): void => into.set(file.subarray(offset, offset + into.length));
  const problem = problemOfImage(read, file.length);
  return problem === undefined ? "" : ` (boots nowhere: ${problem})`;
}

/** The file with a trailer by `key` in place of the one it may have. */
export function signFirmware(file: Uint8Array, key: KeyObject): Uint8Array {
  const body = unsigned(file);
  const trailer = encodeTrailer(sign("sha256", body, key), fingerprintOf(pointOf(key), new NodeCrypto()));
  return new Uint8Array(Buffer.concat([body, trailer]));
}

/** Why `file` is not by the holder of `point`; undefined: it is. */
export function refusalOfFile(file: Uint8Array, point: Uint8Array): string | undefined {
  const hash = createHash("sha256")
    .update(file.subarray(0, Math.max(0, file.length - TRAILER)))
    .digest();
  return refusalOfSignature(new Uint8Array(hash), file.subarray(-TRAILER), [point], new NodeCrypto());
}
