/**
 * Digests and curve arithmetic in JavaScript alone, for an engine that has none of its own: measured here, used nowhere
 * else.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { md5 as jsMd5 } from "../../src/vendor/js-md5";
import type { Digest } from "../../src/ports";

export function md5(): Digest {
  const hash = jsMd5.create();
  return { write: (bytes) => void hash.update(bytes), close: () => new Uint8Array(hash.arrayBuffer()) };
}

export function sha256(): Digest {
  const hash = nobleSha256.create();
  return { write: (bytes) => void hash.update(bytes), close: () => hash.digest() };
}

export function verifyP256(point: Uint8Array, hash: Uint8Array, r: Uint8Array, s: Uint8Array): boolean {
  const signature = new Uint8Array(64);
  signature.set(r);
  signature.set(s, 32);
  return p256.verify(signature, hash, point, { prehash: false, lowS: false });
}
