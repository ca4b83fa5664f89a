// The certificate library needs this polyfill to be there before it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { TlsOptions } from "node:tls";

x509.cryptoProvider.set(webcrypto);

export type KeyKind = "ec" | "rsa";

/** A private key and what proves it, both PEM. */
export interface Credentials {
  readonly key: string;
  /** Leaf first, then its issuer. Moddable's TLS checks a server's name only when it is sent at least those two. */
  readonly certificate: string;
}

/** What the cloud's TLS listeners present and trust. */
export interface TlsIdentity {
  /** PEM: what a device must trust. */
  readonly root: string;
  readonly server: TlsOptions;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const DAY = 86_400_000;
const ROOT_DAYS = 3_650;
/**
 * Longest validity that common clients accept of a server certificate (CA/Browser Forum baseline since 2020: 398 days).
 */
const LEAF_DAYS = 397;
/** Devices whose clock is a little behind must not refuse a fresh certificate. */
const BACKDATED = DAY;

const algorithms = {
  ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  rsa: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
} as const;

/** A certificate authority of the cloud's own: one root that signs leaves directly. */
export class Authority {
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;
  readonly #kind: KeyKind;
  /** PEM of the root's private key, to keep it. */
  readonly keyPem: string;

  private constructor(certificate: x509.X509Certificate, key: webcrypto.CryptoKey, kind: KeyKind, keyPem: string) {
    this.#certificate = certificate;
    this.#key = key;
    this.#kind = kind;
    this.keyPem = keyPem;
  }

  static async create(kind: KeyKind): Promise<Authority> {
    const { publicKey, privateKey } = await generate(kind);
    // Two roots never share a name: trust stores look issuers up by it.
    const name = `CN=xs-ota local cloud ${randomBytes(4).toString("hex")}`;
    const certificate = await selfIssued(name, publicKey, privateKey, kind);
    return new Authority(certificate, privateKey, kind, await exportKey(privateKey));
  }

  /** From the PEM texts that `root` and `keyPem` gave. Rejects if they are not that. */
  static async load(root: string, keyPem: string): Promise<Authority> {
    const certificate = new x509.X509Certificate(root);
    const kind: KeyKind = new X509Certificate(root).publicKey.asymmetricKeyType === "rsa" ? "rsa" : "ec";
    const der = x509.PemConverter.decodeFirst(keyPem);
    const key = await webcrypto.subtle.importKey("pkcs8", der, algorithms[kind], false, ["sign"]);
    return new Authority(certificate, key as webcrypto.CryptoKey, kind, keyPem);
  }

  /**
   * With a new root of the same name and key: what either root issued is good for devices that trust the other one, as
   * long as that is valid.
   */
  async renewed(): Promise<Authority> {
    const publicKey = await this.#certificate.publicKey.export();
    const certificate = await selfIssued(this.#certificate.subject, publicKey, this.#key, this.#kind);
    return new Authority(certificate, this.#key, this.#kind, this.keyPem);
  }

  /** PEM. */
  get root(): string {
    return `${this.#certificate.toString("pem")}\n`;
  }

  /**
   * For a server known by these DNS names and IP addresses. Another validity than the usual one is for trying refusals.
   */
  server(names: readonly string[], validity: Validity = lasting(LEAF_DAYS)): Promise<Credentials> {
    const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const);
    return this.#issue(names[0] ?? "localhost", validity, x509.ExtendedKeyUsage.serverAuth, [
      new x509.SubjectAlternativeNameExtension(alternatives),
    ]);
  }

  /** For a device that proves itself by certificate; the broker gets that name. */
  client(name: string): Promise<Credentials> {
    return this.#issue(name, lasting(LEAF_DAYS), x509.ExtendedKeyUsage.clientAuth, []);
  }

  async #issue(
    name: string,
    validity: Validity,
    usage: x509.ExtendedKeyUsage,
    extensions: x509.Extension[],
  ): Promise<Credentials> {
    const keys = await generate(this.#kind);
    const certificate = await x509.X509CertificateGenerator.create({
      ...identity(validity),
      subject: [{ CN: [name] }],
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: algorithms[this.#kind],
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate, false),
        ...extensions,
      ],
    });
    return { key: await exportKey(keys.privateKey), certificate: `${certificate.toString("pem")}\n${this.root}` };
  }
}

async function selfIssued(
  name: string,
  publicKey: webcrypto.CryptoKey,
  privateKey: webcrypto.CryptoKey,
  kind: KeyKind,
): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.createSelfSigned({
    ...identity(lasting(ROOT_DAYS)),
    name,
    keys: { publicKey, privateKey },
    signingAlgorithm: algorithms[kind],
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey, false),
    ],
  });
}

/** A server that vouches for itself: for trying that it is refused. */
export async function selfSigned(names: readonly string[]): Promise<Credentials> {
  const keys = await generate("ec");
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...identity(lasting(LEAF_DAYS)),
    name: `CN=${names[0] ?? "localhost"}`,
    keys,
    signingAlgorithm: algorithms.ec,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
      ),
    ],
  });
  return { key: await exportKey(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

/** `clientCertificates`: ask every device for one; those that have none still connect and must show a password. */
export function tlsIdentity(credentials: Credentials, root: string, clientCertificates: boolean): TlsIdentity {
  return {
    root,
    server: {
      key: credentials.key,
      cert: credentials.certificate,
      minVersion: "TLSv1.2",
      ...(clientCertificates ? { ca: root, requestCert: true, rejectUnauthorized: false } : {}),
    },
  };
}

function lasting(days: number): Validity {
  const start = Date.now() - BACKDATED;
  return { notBefore: new Date(start), notAfter: new Date(start + days * DAY) };
}

/** A serial number is positive and of at most 20 bytes (RFC 5280, section 4.1.2.2). */
function identity(validity: Validity): Validity & { serialNumber: string } {
  return { ...validity, serialNumber: `01${randomBytes(15).toString("hex")}` };
}

async function generate(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithms[kind], true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}
