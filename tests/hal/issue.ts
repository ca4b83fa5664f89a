/** Certificates of every sort for tests: proper ones, and those that must be refused. */
// The certificate library needs this polyfill to be there before it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";

x509.cryptoProvider.set(webcrypto);

export interface Wanted {
  readonly name: string;
  /** Its issuer; itself where absent. */
  readonly by?: Issued;
  /** May issue certificates; a number is its path length. */
  readonly authority?: boolean | number;
  /** DNS names and addresses. */
  readonly names?: readonly string[];
  readonly kind?: "rsa" | "ec" | "ec384" | "rsa1024";
  readonly hash?: "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
  readonly from?: Date;
  readonly to?: Date;
  readonly usage?: x509.ExtendedKeyUsage;
  readonly keyUsage?: number;
  readonly more?: readonly x509.Extension[];
  /** Default: new ones. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

export interface Issued {
  readonly der: Uint8Array;
  /** PEM. */
  readonly pem: string;
  readonly key: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly kind: NonNullable<Wanted["kind"]>;
}

export const { KeyUsageFlags, ExtendedKeyUsage } = x509;
/** An extension that nobody knows. */
export const stranger = (critical: boolean): x509.Extension =>
  new x509.Extension("1.2.3.4.5", critical, Uint8Array.of(5, 0));

const DAY = 86_400_000;
const KEYS = {
  rsa: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  rsa1024: { name: "RSASSA-PKCS1-v1_5", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) },
  ec: { name: "ECDSA", namedCurve: "P-256" },
  ec384: { name: "ECDSA", namedCurve: "P-384" },
} as const;

export async function issue(wanted: Wanted): Promise<Issued> {
  const { name, by, authority = false, names = [], kind = "ec", hash = "SHA-256" } = wanted;
  const keys = wanted.keys ?? (await generated(kind, hash));
  // A key of WebCrypto is bound to one hash: the issuer's is taken anew for the one that is wanted.
  const signer = by === undefined ? keys.privateKey : await rebound(by, hash);
  const usages =
    wanted.keyUsage ??
    (authority === false ? KeyUsageFlags.digitalSignature : KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
  const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(15).toString("hex")}`,
    subject: [{ CN: [name] }],
    issuer: by === undefined ? [{ CN: [name] }] : by.certificate.subject,
    notBefore: wanted.from ?? new Date(Date.now() - DAY),
    notAfter: wanted.to ?? new Date(Date.now() + 30 * DAY),
    publicKey: keys.publicKey,
    signingKey: signer,
    signingAlgorithm: { ...KEYS[by?.kind ?? kind], hash },
    extensions: [
      new x509.BasicConstraintsExtension(
        authority !== false,
        typeof authority === "number" ? authority : undefined,
        true,
      ),
      new x509.KeyUsagesExtension(usages, true),
      ...(wanted.usage === undefined ? [] : [new x509.ExtendedKeyUsageExtension([wanted.usage])]),
      ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
      ...(wanted.more ?? []),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    der: new Uint8Array(certificate.rawData),
    pem: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
    certificate,
    keys,
    kind,
  };
}

/** Another certificate of the same name and key. */
export function reissued({ certificate, keys }: Issued, by: Issued, wanted: Partial<Wanted> = {}): Promise<Issued> {
  const name = certificate.subjectName.getField("CN")[0]!;
  return issue({ authority: true, ...wanted, name, by, keys });
}

async function generated(kind: NonNullable<Wanted["kind"]>, hash: string): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey({ ...KEYS[kind], hash }, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
}

async function rebound({ keys, kind }: Issued, hash: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return await webcrypto.subtle.importKey("pkcs8", pkcs8, { ...KEYS[kind], hash }, false, ["sign"]);
}
