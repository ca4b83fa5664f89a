/** Chains of made certificates, checked with Node's signatures. */
import assert from "node:assert/strict";
import { createPublicKey, verify as verifyWithNode } from "node:crypto";
import type { PublicKey, SignatureScheme } from "../../src/x509/certificate";
import { CertificateError, verifyChain } from "../../src/x509/certificate-chain";
import type { Issued } from "../hal/issue";

export const DAY = 86_400_000;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

export function verify(key: PublicKey, scheme: SignatureScheme, data: Uint8Array, signature: Uint8Array): boolean {
  if (key.kind !== scheme.kind) return false;
  const size = key.kind === "ec" ? (key.point.length - 1) / 2 : 0;
  const jwk =
    key.kind === "rsa"
      ? { kty: "RSA", n: base64(key.modulus), e: base64(key.exponent) }
      : {
          kty: "EC",
          crv: key.curve === "secp256r1" ? "P-256" : "P-384",
          x: base64(key.point.subarray(1, 1 + size)),
          y: base64(key.point.subarray(1 + size)),
        };
  return verifyWithNode(scheme.hash, data, createPublicKey({ key: jwk, format: "jwk" }), signature);
}

export const check = (
  certificates: readonly Issued[],
  roots: readonly Issued[],
  host = "broker.example",
  now = Date.now(),
): PublicKey =>
  verifyChain({
    certificates: certificates.map(({ der }) => der),
    roots: roots.map(({ der }) => der),
    host,
    now,
    verify,
  });
export const refused = (
  certificates: readonly Issued[],
  roots: readonly Issued[],
  why: RegExp,
  host?: string,
  now?: number,
): void =>
  assert.throws(
    () => check(certificates, roots, host, now),
    (error) => error instanceof CertificateError && why.test(error.message),
  );
