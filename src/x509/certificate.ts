/** An X.509 certificate (RFC 5280), reduced to what the check of a TLS server needs. */
import {
  BIT_STRING,
  BOOLEAN,
  DerReader,
  GENERALIZED_TIME,
  INTEGER,
  OCTET_STRING,
  SEQUENCE,
  SET,
  UTC_TIME,
} from "./der";

export type PublicKey =
  | { readonly kind: "rsa"; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  /** `point`: 04 || X || Y. */
  | { readonly kind: "ec"; readonly curve: "secp256r1" | "secp384r1"; readonly point: Uint8Array };

export interface SignatureScheme {
  readonly kind: "rsa" | "ec";
  readonly hash: "SHA256" | "SHA384" | "SHA512";
}

export interface Certificate {
  readonly der: Uint8Array;
  /** What the issuer signed. */
  readonly signed: Uint8Array;
  /** undefined: an algorithm that is not trusted any more (MD5, SHA-1), or not known. */
  readonly scheme: SignatureScheme | undefined;
  readonly signature: Uint8Array;
  readonly version: number;
  /** Encoded names: equal bytes are equal names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** ms since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Encoded (SubjectPublicKeyInfo): equal bytes are equal keys. */
  readonly keyInfo: Uint8Array;
  /** undefined: a kind of key that is not known. */
  readonly key: PublicKey | undefined;
  readonly dnsNames: readonly string[];
  /** 4 or 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
  /** May issue certificates (basicConstraints). */
  readonly authority: boolean;
  /** Authorities that may stand between it and the server. */
  readonly pathLength: number | undefined;
  /** keyUsage allows it, or says nothing. */
  readonly maySignCertificates: boolean;
  readonly maySignHandshakes: boolean;
  /** extKeyUsage allows it, or says nothing. */
  readonly mayServe: boolean;
  /** There is a critical extension of unknown meaning: RFC 5280, section 4.2, wants it refused. */
  readonly unknownCritical: boolean;
}

const SCHEMES: Readonly<Record<string, SignatureScheme>> = Object.freeze({
  "2a864886f70d01010b": Object.freeze({ kind: "rsa", hash: "SHA256" } as const),
  "2a864886f70d01010c": Object.freeze({ kind: "rsa", hash: "SHA384" } as const),
  "2a864886f70d01010d": Object.freeze({ kind: "rsa", hash: "SHA512" } as const),
  "2a8648ce3d040302": Object.freeze({ kind: "ec", hash: "SHA256" } as const),
  "2a8648ce3d040303": Object.freeze({ kind: "ec", hash: "SHA384" } as const),
  "2a8648ce3d040304": Object.freeze({ kind: "ec", hash: "SHA512" } as const),
});
const RSA_KEY = "2a864886f70d010101";
const EC_KEY = "2a8648ce3d0201";
const CURVES: Readonly<Record<string, "secp256r1" | "secp384r1">> = Object.freeze({
  "2a8648ce3d030107": "secp256r1",
  "2b81040022": "secp384r1",
} as const);
const COMMON_NAME = "550403";
const KEY_USAGE = "551d0f";
const ALT_NAMES = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const CERTIFICATE_POLICIES = "551d20";
const EXTENDED_KEY_USAGE = "551d25";
const SERVER_AUTH = "2b06010505070301";
const ANY_USAGE = "551d2500";

/** The common name of an encoded name, or whatever it has last, for people. */
export const commonName = (name: Uint8Array): string => {
  let text = "";
  for (const sets = new DerReader(name).enter(); sets.more;) {
    const attribute = sets.enter(SET).enter();
    const kind = attribute.oid();
    text = ascii(attribute.next().content);
    if (kind === COMMON_NAME) break;
  }
  return text;
};

/** Throws on anything malformed. */
export const parseCertificate = (der: Uint8Array): Certificate => {
  const outer = new DerReader(der);
  const frame = outer.enter();
  outer.end();
  const signed = frame.next(SEQUENCE);
  const algorithm = frame.enter().oid();
  const signature = frame.bits();
  const tbs = new DerReader(signed.content);
  const version = tbs.tag === 0xa0 ? (tbs.enter(0xa0).integer()[0] ?? 0) + 1 : 1;
  tbs.next(INTEGER);
  if (tbs.enter().oid() !== algorithm) throw new Error("certificate: two signature algorithms");
  const issuer = tbs.next(SEQUENCE).whole;
  const validity = tbs.enter();
  const notBefore = time(validity);
  const notAfter = time(validity);
  const subject = tbs.next(SEQUENCE).whole;
  const keyInfo = tbs.next(SEQUENCE);
  const key = publicKey(new DerReader(keyInfo.content));
  const extensions = new Extensions();
  while (tbs.more) {
    const element = tbs.next();
    if (element.tag === 0xa3) extensions.read(new DerReader(element.content).enter());
  }
  return {
    der,
    signed: signed.whole,
    scheme: SCHEMES[algorithm],
    signature,
    version,
    issuer,
    subject,
    notBefore,
    notAfter,
    keyInfo: keyInfo.whole,
    key,
    ...extensions,
  };
};

const publicKey = (info: DerReader): PublicKey | undefined => {
  const algorithm = info.enter();
  const kind = algorithm.oid();
  if (kind === RSA_KEY) {
    const numbers = new DerReader(info.bits()).enter();
    return { kind: "rsa", modulus: numbers.integer(), exponent: numbers.integer() };
  }
  const curve = kind === EC_KEY ? CURVES[algorithm.oid()] : undefined;
  return curve === undefined ? undefined : { kind: "ec", curve, point: info.bits() };
};

class Extensions {
  dnsNames: string[] = [];
  addresses: Uint8Array[] = [];
  authority = false;
  pathLength: number | undefined = undefined;
  maySignCertificates = true;
  maySignHandshakes = true;
  mayServe = true;
  unknownCritical = false;

  read(list: DerReader): void {
    while (list.more) {
      const extension = list.enter();
      const id = extension.oid();
      const critical = extension.tag === BOOLEAN && extension.next().content[0] !== 0;
      const value = new DerReader(extension.next(OCTET_STRING).content);
      if (!this.known(id, value) && critical) this.unknownCritical = true;
    }
  }

  private known(id: string, value: DerReader): boolean {
    switch (id) {
      case KEY_USAGE: {
        const bits = value.next(BIT_STRING).content[1] ?? 0;
        this.maySignHandshakes = (bits & 0x80) !== 0;
        this.maySignCertificates = (bits & 0x04) !== 0;
        return true;
      }
      case BASIC_CONSTRAINTS: {
        const constraints = value.enter();
        this.authority = constraints.tag === BOOLEAN && constraints.next().content[0] !== 0;
        if (constraints.more) this.pathLength = constraints.integer()[0] ?? 0;
        return true;
      }
      case EXTENDED_KEY_USAGE: {
        this.mayServe = false;
        for (const usages = value.enter(); usages.more;) {
          const usage = usages.oid();
          if (usage === SERVER_AUTH || usage === ANY_USAGE) this.mayServe = true;
        }
        return true;
      }
      case ALT_NAMES:
        for (const names = value.enter(); names.more;) {
          const { tag, content } = names.next();
          if (tag === 0x82) this.dnsNames.push(ascii(content));
          else if (tag === 0x87) this.addresses.push(content);
        }
        return true;
      case CERTIFICATE_POLICIES:
        return true;
      default:
        return false;
    }
  }
}

const ascii = (bytes: Uint8Array): string => {
  let text = "";
  bytes.forEach((byte) => (text += String.fromCharCode(byte)));
  return text;
};

/** YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ (RFC 5280, section 4.1.2.5). */
const time = (reader: DerReader): number => {
  const { tag, content } = reader.next();
  const text = ascii(content);
  const digits = tag === UTC_TIME ? 12 : tag === GENERALIZED_TIME ? 14 : 0;
  if (digits === 0 || text.length !== digits + 1 || !/^\d+Z$/.test(text)) throw new Error("certificate: date");
  const pair = (at: number): number => Number(text.slice(at, at + 2));
  const year = digits === 14 ? pair(0) * 100 + pair(2) : pair(0) + (pair(0) < 50 ? 2000 : 1900);
  const at = digits - 10;
  return Date.UTC(year, pair(at) - 1, pair(at + 2), pair(at + 4), pair(at + 6), pair(at + 8));
};
