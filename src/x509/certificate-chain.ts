/**
 * Checks a server's certificate chain: RFC 5280, section 6, for the cases that TLS servers of an update need. The SDK's
 * own check is not used: it takes any certificate as an issuer, and returns success for a chain in which a later
 * certificate, not the server's own, carries the name and leads to a root.
 */
import { parseCertificate } from "./certificate";
import type { Certificate, PublicKey, SignatureScheme } from "./certificate";
import { sameBytes } from "./der";

export class CertificateError extends Error {}

export interface ChainOptions {
  /** As the server sent them: its own first, the others in any order. */
  readonly certificates: readonly Uint8Array[];
  /** Trusted roots. */
  readonly roots: readonly Uint8Array[];
  /** The name, or literal address, that was asked for. */
  readonly host: string;
  /** ms since 1970. */
  readonly now: number;
  verify(key: PublicKey, scheme: SignatureScheme, data: Uint8Array, signature: Uint8Array): boolean;
}

/** Certificates between server and root, at most; public chains have 1 to 3. */
const INTERMEDIATES_MAX = 4;
/**
 * Signature checks for one chain, at most: each costs tens of milliseconds on a chip, and the peer chooses what it
 * sends.
 */
const CHECKS_MAX = 8;
/** RSA keys below 2048 bits are forgeable with effort (NIST SP 800-57); above 4096 they cost seconds. */
const RSA_MIN = 256;
const RSA_MAX = 512;

/** The server's key; throws a CertificateError that says why not. */
export const verifyChain = (options: ChainOptions): PublicKey => {
  const { host, now } = options;
  if (options.roots.length === 0) throw new CertificateError("no trusted root configured");
  const server = parse(options.certificates[0] ?? new Uint8Array(0));
  // A self-signed certificate can not vouch for another.
  const others = options.certificates
    .slice(1)
    .map(parse)
    .filter((candidate) => !sameBytes(candidate.subject, candidate.issuer));
  const roots = options.roots.map(parse);
  if (!matches(server, host)) throw new CertificateError(`certificate is not for ${host}`);
  if (!server.mayServe || !server.maySignHandshakes) throw new CertificateError("certificate is not for a TLS server");
  let checks = 0;
  const issued = (by: Certificate, current: Certificate): boolean => {
    if (!sameBytes(by.subject, current.issuer)) return false;
    if (by.key === undefined || current.scheme === undefined || !strong(by.key)) return false;
    if (++checks > CHECKS_MAX) throw new CertificateError("chain too long");
    return options.verify(by.key, current.scheme, current.signed, current.signature);
  };
  let current = server;
  for (let depth = 0; depth <= INTERMEDIATES_MAX; depth++) {
    checkDates(current, now);
    if (current.unknownCritical) throw new CertificateError("certificate has a critical extension of unknown meaning");
    if (current.key === undefined || !strong(current.key))
      throw new CertificateError("certificate has a weak or unknown key");
    // A certificate that is itself among the roots needs no issuer.
    if (roots.some((root) => sameBytes(root.der, current.der))) return server.key!;
    // Roots of version 1 exist, and whoever configured one has said that it is an authority (RFC 5280, section 6.1.4
    // k).
    const root = roots.find(
      (candidate) => (candidate.version === 1 || mayIssue(candidate, depth)) && issued(candidate, current),
    );
    if (root !== undefined) {
      checkDates(root, now);
      return server.key!;
    }
    const issuer = others.find((candidate) => mayIssue(candidate, depth) && issued(candidate, current));
    if (issuer === undefined) throw new CertificateError("certificate of unknown issuer");
    current = issuer;
  }
  throw new CertificateError("chain too long");
};

const parse = (der: Uint8Array): Certificate => {
  try {
    return parseCertificate(der);
  } catch (error) {
    throw new CertificateError(`malformed certificate (${(error as Error).message})`);
  }
};

/** `depth`: authorities between it and the server. */
const mayIssue = (candidate: Certificate, depth: number): boolean =>
  candidate.authority && candidate.maySignCertificates && (candidate.pathLength ?? depth) >= depth;

const strong = (key: PublicKey): boolean =>
  key.kind === "ec" || (key.modulus.length >= RSA_MIN && key.modulus.length <= RSA_MAX);

const checkDates = (certificate: Certificate, now: number): void => {
  if (now < certificate.notBefore) throw new CertificateError("certificate not yet valid (is the clock set?)");
  if (now > certificate.notAfter) throw new CertificateError("certificate has expired");
};

/**
 * RFC 6125, section 6.4: names without regard to case; a wildcard stands for one whole first label. No fall-back to the
 * common name.
 */
const matches = (certificate: Certificate, host: string): boolean => {
  const address = addressBytes(host);
  if (address !== undefined) return certificate.addresses.some((candidate) => sameBytes(candidate, address));
  const wanted = host.toLowerCase().replace(/\.$/, "");
  return certificate.dnsNames.some((pattern) => {
    const name = pattern.toLowerCase();
    if (!name.startsWith("*.")) return name === wanted;
    const dot = wanted.indexOf(".");
    return dot > 0 && name.indexOf(".", 2) > 0 && wanted.slice(dot) === name.slice(1);
  });
};

/** Bytes of a literal IPv4 or IPv6 address; undefined for a name. */
export const addressBytes = (host: string): Uint8Array | undefined => {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  if (four !== null) return Uint8Array.of(Number(four[1]), Number(four[2]), Number(four[3]), Number(four[4]));
  if (!host.includes(":")) return undefined;
  const halves = host.split("::");
  const head = halves[0];
  const tail = halves[1];
  const first = head === undefined || head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = first.concat(
    Array.from({ length: zeros }, () => "0"),
    last,
  );
  const bytes = new Uint8Array(16);
  groups.slice(0, 8).forEach((group, index) => {
    const value = parseInt(group, 16) || 0;
    bytes[index * 2] = value >>> 8;
    bytes[index * 2 + 1] = value;
  });
  return bytes;
};
