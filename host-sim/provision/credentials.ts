/** Certificates and keys for NVS: always the content, in the form that the chip's engine reads. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileReason } from "../board/config/file-errors";
import { decodeText } from "../board/config/text-file";
import { BadSetting } from "./bad-setting";

export const CREDENTIALS: readonly string[] = ["mqttCa", "httpsCa", "devCertFile", "devKeyFile"];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** A path, or the name of a file of this kind; another word is a resource of the firmware. */
const FILE = /[/\\]|\.(pem|crt|cer|key)$/i;

/** `value`: PEM, a file relative to `folder`, or the name of a resource in the firmware. Throws without showing it. */
export function credential(key: string, value: string, folder: string): string {
  const pem = value.includes("-----BEGIN ");
  if (!pem && !FILE.test(value)) return value;
  const text = pem ? value : contentOf(resolve(folder, value), value);
  if (key === "devKeyFile") return privateKey(text);
  const found = certificates(text);
  // The chip shows its own certificate and no issuer's.
  return key === "devCertFile" ? found[0]! : found.join("");
}

function contentOf(path: string, shown: string): string {
  try {
    return decodeText(readFileSync(path));
  } catch (error) {
    throw new Error(`${shown} can not be read: ${fileReason(error)}`, { cause: error });
  }
}

/** Without the text that some tools put around certificates: NVS is small. */
function certificates(text: string): string[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error("holds no certificate in PEM form");
  try {
    return found.map((each) => new X509Certificate(each).toString());
  } catch (error) {
    throw new Error("holds a certificate that can not be read", { cause: error });
  }
}

/** PKCS #8, which is what the SDK reads; it signs with RSA only. */
function privateKey(text: string): string {
  const key = readKey(text);
  if (key.asymmetricKeyType !== "rsa")
    throw new Error(`the key is ${key.asymmetricKeyType}: the chip's engine signs with RSA keys only`);
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function readKey(text: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(text);
  } catch {
    throw new Error("is no private key in PEM form, or protected by a passphrase");
  }
}

/** Throws where the key is not that of the certificate. Resources of the firmware can not be looked at. */
export function checkPair(settings: ReadonlyMap<string, string>, line: number): void {
  const [certificate, key] = [settings.get("devCertFile"), settings.get("devKeyFile")];
  if (certificate?.includes("-----BEGIN ") !== true || key?.includes("-----BEGIN ") !== true) return;
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new BadSetting(`line ${line}: devKeyFile is not the key of devCertFile`);
}
