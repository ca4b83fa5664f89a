/** As much of node:crypto as the simulated board uses: digests are native here too. */
import { Digest } from "crypt";
import { Buffer } from "./buffer.js";

export function createHash(algorithm) {
  const digest = new Digest(algorithm.toUpperCase());
  return {
    update(data) {
      digest.write(data);
      return this;
    },
    digest: () => Buffer.from(new Uint8Array(digest.close())),
  };
}

/** Filler of the first image, which has none. */
export function createCipheriv() {
  return { update: (data) => data };
}
