import { createHash } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import type { Crypto, Digest, DigestAlgorithm } from "../../src/ports";

/** Digests and random numbers of Node. `random` may be given for runs that must repeat. */
export class NodeCrypto implements Crypto {
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  digest(algorithm: DigestAlgorithm): Digest {
    const hash = createHash(algorithm.toLowerCase());
    return {
      write: (bytes) => void hash.update(bytes),
      close: () => new Uint8Array(hash.digest()),
    };
  }

  verifyP256(point: Uint8Array, hash: Uint8Array, r: Uint8Array, s: Uint8Array): boolean {
    // Node's own verification hashes once more; and either half of the range of s is good here, as in OpenSSL.
    return p256.verify(Buffer.concat([r, s]), hash, point, { prehash: false, lowS: false });
  }

  random(): number {
    return this.#random();
  }
}

/** For the model of the chip, whose own SHA-256 is many times slower. */
export function nodeSha256(): Digest {
  return new NodeCrypto().digest("SHA256");
}
