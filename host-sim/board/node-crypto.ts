import { createHash } from "node:crypto";
import type { Crypto, Digest, DigestAlgorithm } from "../../hal/ports";

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

  random(): number {
    return this.#random();
  }
}
