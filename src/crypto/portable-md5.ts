/**
 * MD5 in JavaScript, for an engine without a native one. It costs more than 70,000 bytecodes per KiB on XS
 * (docs/BENCH.md), which is 30 to 50 s per MiB on a chip.
 */
import { md5 } from "../vendor/js-md5";
import type { Crypto, Digest } from "../ports";

/** Takes bytes in any pieces and keeps none of the caller's buffers. */
export const md5Digest = (): Digest => {
  const hash = md5.create();
  return {
    write: (bytes) => void hash.update(bytes),
    close: () => Uint8Array.from(hash.digest()),
  };
};

/** A crypto port with this MD5; everything else is that of `crypto`. */
export const withPortableMd5 = (crypto: Crypto): Crypto => {
  return {
    digest: (algorithm) => (algorithm === "MD5" ? md5Digest() : crypto.digest(algorithm)),
    verifyP256: (point, hash, r, s) => crypto.verifyP256(point, hash, r, s),
    random: () => crypto.random(),
  };
};
