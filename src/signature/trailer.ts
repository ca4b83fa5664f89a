/**
 * The signature of a firmware file: its last 96 bytes (docs/SPEC.md). The platform's size and digest cover it, so it
 * passes any cloud unchanged; the signature covers every byte before it.
 *
 *   0   8  "XSOTASIG"
 *   8   1  format: 1
 *   9   1  algorithm: 1 = ECDSA, P-256, SHA-256
 *  10   1  length of the DER signature, 8..72
 *  11   1  0
 *  12   4  first bytes of the SHA-256 of the public point (0x04, X, Y); 0 = no key named
 *  16  72  signature as `openssl dgst -sha256 -sign` makes it (DER: SEQUENCE of two INTEGERs), zeros behind it
 *  88   8  0
 */
import { TRAILER } from "../constants";
import { startsWith } from "../util/bytes";
import { SCALAR } from "./p256";

export { TRAILER };

/** "XSOTASIG" */
const MAGIC: readonly number[] = Object.freeze([0x58, 0x53, 0x4f, 0x54, 0x41, 0x53, 0x49, 0x47]);
const FORMAT = 1;
const ECDSA_P256_SHA256 = 1;
const KEY_AT = 12;
const KEY_LENGTH = 4;
const DER_AT = 16;
const DER_MAX = 72;

export interface Signature {
  /** First bytes of the key's fingerprint, all 0 where the signer named no key. */
  readonly keyId: Uint8Array;
  readonly r: Uint8Array;
  readonly s: Uint8Array;
}

/** Whether a file's last 96 bytes are a trailer, valid or not. */
export const hasTrailer = (last: Uint8Array): boolean => last.length === TRAILER && startsWith(last, MAGIC);

/**
 * Throws an Error that says what is wrong. It is strict, so that one signature has few encodings: the key's fingerprint
 * or zeros, and (as in all ECDSA) s or n - s, of which `openssl dgst -sign` gives either.
 */
export const readTrailer = (last: Uint8Array): Signature => {
  if (!hasTrailer(last)) throw new Error("the file is not signed");
  if (last[8] !== FORMAT || last[9] !== ECDSA_P256_SHA256)
    throw new Error(`signature of format ${last[8]}, algorithm ${last[9]}: not known here`);
  const length = last[10] ?? 0;
  if (length < 8 || length > DER_MAX || last[11] !== 0) throw new Error("signature trailer is malformed");
  // Also the reserved bytes at the end.
  if (last.subarray(DER_AT + length).some((byte) => byte !== 0))
    throw new Error("signature trailer is malformed: bytes behind the signature");
  const scalars = readDer(last.subarray(DER_AT, DER_AT + length));
  return { keyId: last.slice(KEY_AT, KEY_AT + KEY_LENGTH), ...scalars };
};

export const encodeTrailer = (der: Uint8Array, fingerprint: Uint8Array): Uint8Array => {
  if (der.length < 8 || der.length > DER_MAX)
    throw new Error(`DER signature of ${der.length} bytes, must be 8 to ${DER_MAX}`);
  const trailer = new Uint8Array(TRAILER);
  trailer.set(MAGIC);
  trailer.set([FORMAT, ECDSA_P256_SHA256, der.length], 8);
  trailer.set(fingerprint.subarray(0, KEY_LENGTH), KEY_AT);
  trailer.set(der, DER_AT);
  return trailer;
};

/** Strict DER (X.690, sections 8.3 and 10): SEQUENCE { INTEGER r, INTEGER s }, nothing behind it. */
const readDer = (der: Uint8Array): { r: Uint8Array; s: Uint8Array } => {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new Error("signature is not DER");
  const r = readInteger(der, 2);
  const s = readInteger(der, r.end);
  if (s.end !== der.length) throw new Error("signature is not DER");
  return { r: r.value, s: s.value };
};

const readInteger = (der: Uint8Array, at: number): { value: Uint8Array; end: number } => {
  const length = der[at + 1] ?? 0;
  const start = at + 2;
  const end = start + length;
  const first = der[start] ?? 0;
  const second = der[start + 1] ?? 0;
  const padded = length > 1 && first === 0;
  if (der[at] !== 0x02 || length === 0 || end > der.length || first >= 0x80 || (padded && second < 0x80))
    throw new Error("signature is not DER");
  const digits = der.subarray(padded ? start + 1 : start, end);
  if (digits.length > SCALAR) throw new Error("signature number is out of range");
  const value = new Uint8Array(SCALAR);
  value.set(digits, SCALAR - digits.length);
  return { value, end };
};
