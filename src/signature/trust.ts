/**
 * Which files the device trusts. The agent gets at signatures here and nowhere else, so that
 * manifest_without_signatures.json can put another module in this one's place.
 */
import type { Crypto } from "../ports";
import { refusalOfSignature } from "./check";
import { readPublicKey } from "./keys";

/** `refusalOfSignature` of JobOptions. */
export type SignatureCheck = (hash: Uint8Array, trailer: Uint8Array) => string | undefined;

/** `signingKeys`: as in Policy. Throws where one is no key. Undefined: no key, so no signature is asked for. */
export const signatureCheck = (
  signingKeys: readonly string[],
  crypto: Pick<Crypto, "digest" | "verifyP256">,
): SignatureCheck | undefined => {
  const keys = signingKeys.map(readPublicKey);
  return keys.length === 0 ? undefined : (hash, trailer) => refusalOfSignature(hash, trailer, keys, crypto);
};
