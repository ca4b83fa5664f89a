import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

const DAY = 86_400_000;
/** Days before the end of a certificate from which on it is worth a warning. */
export const EXPIRY_WARNING_DAYS = 30;

/** A certificate, or several of them, whose end somebody should see to. */
export interface WatchedCertificate {
  /** What people know it by. */
  readonly what: string;
  readonly pem: string;
  /** What to do about it. */
  readonly cure: string;
  /** The name or address that the first of them has to hold. */
  readonly host?: string;
}

/** One line for each certificate that is not valid, or will not be for long. `now`: milliseconds since 1970. */
export function expiryWarnings({ what, pem, cure, host }: WatchedCertificate, now: number): string[] {
  return certificatesIn(pem).flatMap((certificate, index) => {
    if (host !== undefined && index === 0 && !names(certificate, host)) {
      const place = `${host}, where devices look for this cloud`;
      return [`${what} is not valid for ${place}: get one that names it, or say --public-host`];
    }
    const [start, end] = validityOf(certificate);
    if (now < start) return [`${what} is not valid before ${day(start)}: the clock of this machine says ${day(now)}`];
    if (now > end) return [`${what} expired on ${day(end)}, and no device gets in: ${cure}`];
    return end - now < EXPIRY_WARNING_DAYS * DAY ? [`${what} expires on ${day(end)}: ${cure}`] : [];
  });
}

/** Days from `now` to the end of the first certificate of a PEM text, below 0 after it. */
export function daysLeft(pem: string, now: number): number {
  return (validityOf(certificatesIn(pem)[0]!)[1] - now) / DAY;
}

export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function certificatesIn(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((one) => new X509Certificate(one));
}

function names(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

function validityOf({ validFrom, validTo }: X509Certificate): [number, number] {
  return [Date.parse(validFrom), Date.parse(validTo)];
}
