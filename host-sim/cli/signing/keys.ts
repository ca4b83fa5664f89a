/** ECDSA P-256 keys in files: made here, or by `openssl ecparam -name prime256v1 -genkey`. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readPublicKey } from "../../../src/signature/keys";
import { readText } from "../../board/config/text-file";
import { writeSecret } from "../whole-file";

/** OpenSSL puts the curve's name in front of the key; Node takes the first block it finds. */
const PARAMETERS = /-----BEGIN EC PARAMETERS-----[^-]+-----END EC PARAMETERS-----\s*/;
const PRIVATE = /-----BEGIN (?:EC |ENCRYPTED )?PRIVATE KEY-----/;

/** Makes a key and writes it, readable by its owner alone. Throws if the file exists. Returns the public half, PEM. */
export function createKeyFile(path: string): string {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeSecret(path, privateKey.export({ format: "pem", type: "pkcs8" }).toString());
  return publicKey.export({ format: "pem", type: "spki" }).toString();
}

export function readPrivateKey(path: string): KeyObject {
  const text = readText(path);
  if (!PRIVATE.test(text)) throw new Error(`${path} holds no private key; signing needs one (xs-ota keygen makes it)`);
  try {
    const key = createPrivateKey(text.replace(PARAMETERS, ""));
    checkCurve(key);
    return key;
  } catch (error) {
    throw new Error(`${path}: ${reason(error)}`, { cause: error });
  }
}

/** The public point in a file: 65 bytes. A private key serves as well: its public half is meant. */
export function readKeyPoint(path: string): Uint8Array {
  const text = readText(path);
  try {
    if (PRIVATE.test(text)) return pointOf(readPrivateKey(path));
    const key = createPublicKey(text);
    checkCurve(key);
    return pointOf(key);
  } catch (error) {
    throw new Error(`${path}: ${reason(error)}`, { cause: error });
  }
}

export function pointOf(key: KeyObject): Uint8Array {
  const open = key.type === "private" ? createPublicKey(key) : key;
  return readPublicKey(open.export({ format: "pem", type: "spki" }).toString());
}

function checkCurve(key: KeyObject): void {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== "ec" || curve !== "prime256v1")
    throw new Error(`a P-256 key is expected, this is ${curve ?? key.asymmetricKeyType}`);
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code?.startsWith("ERR_OSSL") === true ? "not a key in PEM form, or protected by a passphrase" : message;
}
