/** Native digests and curve arithmetic of the SDK, and random numbers, for chips and simulator alike. */
import { Digest as NativeDigest } from "crypt";
import type { Crypto, Digest, DigestAlgorithm } from "../../src/ports";
import { verifyEcdsa } from "./signatures";

export class ModdableCrypto implements Crypto {
  /**
   * The simulator's Math.random begins every run with the same number (XS there leaves the C library's unseeded); a
   * chip's is its hardware's.
   */
  private readonly shift = (Date.now() % 65_521) / 65_521;

  digest(algorithm: DigestAlgorithm): Digest {
    const native = new NativeDigest(algorithm);
    return {
      // The SDK's types know no views; its code honours their offset and length.
      write: (bytes) => native.write(bytes as unknown as ArrayBuffer),
      close: () => new Uint8Array(native.close()),
    };
  }

  verifyP256(point: Uint8Array, hash: Uint8Array, r: Uint8Array, s: Uint8Array): boolean {
    return verifyEcdsa("secp256r1", point, hash, r, s);
  }

  random(): number {
    const value = Math.random() + this.shift;
    return value < 1 ? value : value - 1;
  }
}
