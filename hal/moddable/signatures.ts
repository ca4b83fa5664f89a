// mcconfig compiles each module on its own: the declarations have to be named here.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./typings/ssl.d.ts" />
/**
 * Signatures over the SDK's arithmetic, with the checks that its own classes lack: RSA compares the whole encoded
 * message (they skip over padding and algorithm, and ignore what follows the digest), ECDSA takes r and s only within 1
 * .. n-1 and a key only on its curve (without that, r = s = 0 may pass for anything).
 */
import { Digest } from "crypt";
import Curve from "curve";
import ECPoint from "ecp";
import ECDSA from "ecdsa";
import Modular from "modular";
import type { PublicKey, SignatureScheme } from "../../src/x509/certificate";
import { DerReader } from "../../src/x509/der";

/** DigestInfo up to the digest itself (RFC 8017, section 9.2, note 1). */
const PREFIXES: Readonly<Record<SignatureScheme["hash"], readonly number[]>> = Object.freeze({
  SHA256: Object.freeze([
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
  ]),
  SHA384: Object.freeze([
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30,
  ]),
  SHA512: Object.freeze([
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40,
  ]),
});

/** Throws on malformed input; false when the signature is not that of the key over `data`. */
export const verifySignature = (
  key: PublicKey,
  scheme: SignatureScheme,
  data: readonly Uint8Array[],
  signature: Uint8Array,
): boolean => {
  if (key.kind !== scheme.kind) return false;
  const digest = new Digest(scheme.hash);
  // Views are taken, which the SDK's declarations do not say.
  for (const part of data) digest.write(part as unknown as ArrayBuffer);
  const hash = new Uint8Array(digest.close());
  return key.kind === "rsa" ? rsa(key, scheme.hash, hash, signature) : ecdsa(key, hash, signature);
};

const rsa = (
  key: PublicKey & { kind: "rsa" },
  algorithm: SignatureScheme["hash"],
  hash: Uint8Array,
  signature: Uint8Array,
): boolean => {
  const { length } = key.modulus;
  if (signature.length !== length) return false;
  const modulus = integer(key.modulus);
  const value = integer(signature);
  if (value >= modulus) return false;
  const prefix = PREFIXES[algorithm];
  const expected = new Uint8Array(length).fill(0xff);
  expected[0] = 0;
  expected[1] = 1;
  expected[length - hash.length - prefix.length - 1] = 0;
  expected.set(prefix, length - hash.length - prefix.length);
  expected.set(hash, length - hash.length);
  return new Modular(modulus).exp(value, integer(key.exponent)) === integer(expected);
};

const ecdsa = (key: PublicKey & { kind: "ec" }, hash: Uint8Array, signature: Uint8Array): boolean => {
  const frame = new DerReader(signature);
  const numbers = frame.enter();
  frame.end();
  const r = numbers.integer();
  const s = numbers.integer();
  numbers.end();
  return verifyEcdsa(key.curve, key.point, hash, r, s);
};

/** `point`: 04 || X || Y, throws where it is not on the curve; `r` and `s`: unsigned, most significant byte first. */
export const verifyEcdsa = (
  name: "secp256r1" | "secp384r1",
  point: Uint8Array,
  hash: Uint8Array,
  r: Uint8Array,
  s: Uint8Array,
): boolean => {
  const curve = new Curve(name);
  const key = pointOn(curve, point);
  const first = integer(r);
  const second = integer(s);
  if (first < 1n || first >= curve.n || second < 1n || second >= curve.n) return false;
  return new ECDSA(key, curve)._verify(hash.slice(0, curve.orderSize).buffer as ArrayBuffer, first, second);
};

/** An uncompressed point (04 || X || Y) that lies on the curve; throws otherwise. */
export const pointOn = (curve: Curve, bytes: Uint8Array): ECPoint => {
  const size = curve.orderSize;
  if (bytes.length !== 2 * size + 1 || bytes[0] !== 4) throw new Error("EC point: format");
  const x = integer(bytes.subarray(1, size + 1));
  const y = integer(bytes.subarray(size + 1));
  const { a, b, m } = curve.ec;
  if (x >= m || y >= m || (y * y - (x * x + a) * x - b) % m !== 0n) throw new Error("EC point: not on the curve");
  return new ECPoint(x, y);
};

/** Unsigned, most significant byte first. */
const integer = (bytes: Uint8Array): bigint => {
  return (BigInt as unknown as { fromArrayBuffer(buffer: ArrayBuffer): bigint }).fromArrayBuffer(
    bytes.slice().buffer as ArrayBuffer,
  );
};
