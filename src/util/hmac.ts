import type { Crypto, DigestAlgorithm } from "../ports";

/** Block length of MD5, SHA-1 and SHA-256 alike (RFC 2104, section 2; FIPS 180-4, section 1). */
const BLOCK = 64;

const digest = (crypto: Crypto, algorithm: DigestAlgorithm, ...parts: Uint8Array[]): Uint8Array => {
  const hash = crypto.digest(algorithm);
  parts.forEach((part) => hash.write(part));
  return hash.close();
};

/** The key's block XORed with one byte (RFC 2104: 0x36 inside, 0x5C outside). */
const pad = (key: Uint8Array, byte: number): Uint8Array => {
  const block = new Uint8Array(BLOCK).fill(byte);
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
  return block;
};

/** HMAC of RFC 2104; the result is as long as the digest. Leaves no copy of the key behind. */
export const hmac = (crypto: Crypto, algorithm: DigestAlgorithm, key: Uint8Array, message: Uint8Array): Uint8Array => {
  const short = key.length > BLOCK ? digest(crypto, algorithm, key) : key;
  const inside = pad(short, 0x36);
  const outside = pad(short, 0x5c);
  if (short !== key) short.fill(0);
  const result = digest(crypto, algorithm, outside, digest(crypto, algorithm, inside, message));
  inside.fill(0);
  outside.fill(0);
  return result;
};
