/** Keys and signatures for tests, made by Node's OpenSSL. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { encodeTrailer } from "../../src/signature/trailer";

export interface TestKey {
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly publicKey: string;
  /** 65 bytes. */
  readonly point: Uint8Array;
}

export function makeKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ format: "der", type: "spki" });
  return {
    privateKey,
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    point: new Uint8Array(spki.subarray(-65)),
  };
}

/** `file` with a trailer behind it. */
export function signed(file: Uint8Array, key: TestKey, name = true): Uint8Array {
  const der = sign("sha256", file, key.privateKey);
  const fingerprint = name ? createHash("sha256").update(key.point).digest() : new Uint8Array(32);
  return new Uint8Array(Buffer.concat([file, encodeTrailer(der, fingerprint)]));
}
