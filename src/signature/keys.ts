/** Trusted public keys: PEM as OpenSSL writes it, or the point in hex. */
import { decodeBase64 } from "../util/base64";
import { startsWith } from "../util/bytes";
import { fromHex } from "../util/hex";
import { isPoint, POINT } from "./p256";

/**
 * SubjectPublicKeyInfo of an uncompressed P-256 point up to the point itself (RFC 5480, section 2): SEQUENCE, SEQUENCE
 * { id-ecPublicKey, prime256v1 }, BIT STRING.
 */
const SPKI = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/**
 * The point of a public key: 65 bytes. Throws where the text is no P-256 public key, or its point is not on the curve.
 */
export const readPublicKey = (text: string): Uint8Array => {
  const pem = /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(text)?.[1];
  const point = pem === undefined ? pointOfHex(text.trim()) : pointOfSpki(decodeBase64(pem.replace(/\s+/g, "")));
  if (!isPoint(point)) throw new Error("public key: the point is not on P-256");
  return point;
};

const pointOfSpki = (der: Uint8Array): Uint8Array => {
  const prefix = fromHex(SPKI);
  if (der.length !== prefix.length + POINT || !startsWith(der, prefix))
    throw new Error("public key: not an uncompressed P-256 key");
  return der.slice(prefix.length);
};

const pointOfHex = (text: string): Uint8Array => {
  if (!/^04[0-9A-Fa-f]{128}$/.test(text))
    throw new Error("public key: PEM (BEGIN PUBLIC KEY) or 130 hex digits of an uncompressed P-256 point are expected");
  return fromHex(text.toLowerCase());
};
