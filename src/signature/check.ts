/** Checks that one of the trusted keys signed a file. */
import type { Crypto } from "../ports";
import { startsWith } from "../util/bytes";
import { isScalar } from "./p256";
import { readTrailer } from "./trailer";

/**
 * Returns the reason to refuse the file, or undefined.
 * @param hash SHA-256 of everything before the trailer
 * @param last the file's last 96 bytes
 * @param keys trusted points, checked when they were read
 */
export const refusalOfSignature = (
  hash: Uint8Array,
  last: Uint8Array,
  keys: readonly Uint8Array[],
  crypto: Pick<Crypto, "digest" | "verifyP256">,
): string | undefined => {
  try {
    const { keyId, r, s } = readTrailer(last);
    if (!isScalar(r) || !isScalar(s)) return "signature number is out of range";
    const named = keyId.some((byte) => byte !== 0);
    const candidates = named ? keys.filter((key) => startsWith(fingerprintOf(key, crypto), keyId)) : keys;
    if (candidates.length === 0) return "signed by a key that is not trusted here";
    return candidates.some((key) => crypto.verifyP256(key, hash, r, s))
      ? undefined
      : "signature does not match the file";
  } catch (error) {
    return (error as Error).message;
  }
};

/** SHA-256 of the point. */
export const fingerprintOf = (point: Uint8Array, crypto: Pick<Crypto, "digest">): Uint8Array => {
  const digest = crypto.digest("SHA256");
  digest.write(point);
  return digest.close();
};
