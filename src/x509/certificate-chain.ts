/**
 * Checks a server's certificate chain: RFC 5280, section 6, for the cases that TLS servers of an update need. The SDK's
 * own check is not used: it takes any certificate as an issuer, and returns success for a chain in which a later
 * certificate, not the server's own, carries the name and leads to a root.
 */
import { commonName, parseCertificate } from "./certificate";
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
 * Signature checks for one chain: one for each certificate at hand, and these for the rest of the path. Each costs tens
 * of milliseconds on a chip, and the peer chooses what it sends.
 */
const SPARE_CHECKS = 8;
/** RSA keys below 2048 bits are forgeable with effort (NIST SP 800-57); above 4096 they cost seconds. */
const RSA_MIN = 256;
const RSA_MAX = 512;

/**
 * The server's key; throws a CertificateError that says why not. One good path is enough (RFC 4158): certificates of the
 * same name and key are common, of which one has expired or leads to another root. The search takes the nearest issuers
 * first and each certificate once, so that authorities which have signed one another do not detain it.
 */
export const verifyChain = (options: ChainOptions): PublicKey => {
  const { host, now } = options;
  if (options.roots.length === 0) throw new CertificateError("no trusted root configured");
  const server = parse(options.certificates[0] ?? new Uint8Array(0));
  const roots = options.roots.map(parse);
  if (!matches(server, host)) throw new CertificateError(`certificate is not for ${host}`);
  if (!server.mayServe || !server.maySignHandshakes) throw new CertificateError("certificate is not for a TLS server");
  const flaw = flawOf(server, now);
  if (flaw !== undefined) throw new CertificateError(flaw);
  // A certificate that is itself among the roots needs no issuer.
  if (roots.some((root) => sameBytes(root.der, server.der))) return server.key!;
  new PathSearch(options, roots, options.certificates.slice(1).map(parse)).run(server);
  return server.key!;
};

class PathSearch {
  private readonly options: ChainOptions;
  private readonly roots: readonly Certificate[];
  private readonly others: readonly Certificate[];
  private checks: number;
  /** Why an issuer was passed over; that of a root is told first. */
  private rootFlaw: string | undefined;
  private otherFlaw: string | undefined;

  constructor(options: ChainOptions, roots: readonly Certificate[], others: readonly Certificate[]) {
    this.options = options;
    this.roots = roots;
    this.others = others;
    this.checks = others.length + roots.length + SPARE_CHECKS;
  }

  /** Throws where no path leads to a root. Level by level, so that each certificate is reached by its shortest path. */
  run(server: Certificate): void {
    let left = this.others;
    let level: readonly Certificate[] = [server];
    for (let depth = 0; level.length > 0; depth++) {
      const next: Certificate[] = [];
      for (let i = 0; i < level.length; i++) {
        const current = level[i]!;
        const issued = this.checker(current);
        if (this.roots.some((root) => this.fitRoot(root, current, depth) && issued(root))) return;
        const found = left.filter((other) => this.fit(other, current, depth) && issued(other));
        next.push(...found);
        left = left.filter((other) => !found.includes(other));
      }
      level = next;
    }
    throw new CertificateError(this.rootFlaw ?? this.otherFlaw ?? "certificate of unknown issuer");
  }

  /** Whether an issuer has signed `current`. Certificates of one key need one check. */
  private checker(current: Certificate): (by: Certificate) => boolean {
    const known: { readonly key: Uint8Array; readonly good: boolean }[] = [];
    return (by) => {
      const before = known.find(({ key }) => sameBytes(key, by.keyInfo));
      if (before !== undefined) return before.good;
      if (by.key === undefined || current.scheme === undefined || !strong(by.key)) return false;
      if (this.checks-- === 0) throw new CertificateError("too many possible issuers");
      const good = signs(by.key, current, current.scheme, this.options);
      known.push({ key: by.keyInfo, good });
      return good;
    };
  }

  /**
   * Roots of version 1 exist, and whoever configured one has said that it is an authority (RFC 5280, section 6.1.4 k).
   */
  private fitRoot(root: Certificate, current: Certificate, depth: number): boolean {
    if (!sameBytes(root.subject, current.issuer) || !(root.version === 1 || mayIssue(root, depth))) return false;
    const flaw = dateFlaw(root, this.options.now);
    if (flaw !== undefined) this.rootFlaw ??= `the trusted root ${commonName(root.subject)} ${flaw}`;
    return flaw === undefined;
  }

  private fit(other: Certificate, current: Certificate, depth: number): boolean {
    if (!sameBytes(other.subject, current.issuer) || !mayIssue(other, depth)) return false;
    const flaw = depth === INTERMEDIATES_MAX ? "chain too long" : flawOf(other, this.options.now);
    if (flaw !== undefined) this.otherFlaw ??= flaw;
    return flaw === undefined;
  }
}

/** A key or a signature that is malformed stops no other candidate. */
const signs = (
  key: PublicKey,
  { signed, signature }: Certificate,
  scheme: SignatureScheme,
  by: ChainOptions,
): boolean => {
  try {
    return by.verify(key, scheme, signed, signature);
  } catch {
    return false;
  }
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

/** Why it can be neither the server nor an issuer; undefined where it can. */
const flawOf = (certificate: Certificate, now: number): string | undefined => {
  if (certificate.unknownCritical) return "certificate has a critical extension of unknown meaning";
  if (certificate.key === undefined || !strong(certificate.key)) return "certificate has a weak or unknown key";
  const dates = dateFlaw(certificate, now);
  return dates === undefined ? undefined : `certificate ${dates}`;
};

const dateFlaw = ({ notBefore, notAfter }: Certificate, now: number): string | undefined => {
  if (now < notBefore) return "is not yet valid (is the clock set?)";
  return now > notAfter ? `has expired on ${new Date(notAfter).toISOString().slice(0, 10)}` : undefined;
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
