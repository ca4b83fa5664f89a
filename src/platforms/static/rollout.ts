import type { Crypto } from "../../ports";
import { encodeUtf8 } from "../../util/utf8";

/** Parts of which one is a device's place in a rollout. */
const PLACES = 0x1_0000_0000;

/**
 * Where a device stands in the rollout of a version, 0 to below 1: another place for each version, the same one whenever
 * it is asked. SHA-256 over product, version and device id, each behind its length; docs/SPEC.md has the bytes and
 * vectors.
 */
export const placeOf = (crypto: Pick<Crypto, "digest">, product: string, version: string, deviceId: string): number => {
  const digest = crypto.digest("SHA256");
  for (const field of [product, version, deviceId]) {
    const bytes = encodeUtf8(field);
    digest.write(new Uint8Array([bytes.length & 0xff, bytes.length >>> 8]));
    digest.write(bytes);
  }
  const hash = digest.close();
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0, true) / PLACES;
};
