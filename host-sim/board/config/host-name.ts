/** Names and addresses of hosts, as people write them. */
import { isIPv6 } from "node:net";

/** The parts of a URL or of host:port: scheme, user, host, port, path. */
const PARTS = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:[^/@]*@)?(\[[^\]/]*\]|[^:/?#[\]]*)(?::(\d*))?([/?#].*)?$/is;
const NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i;

/**
 * The bare name or address: blanks around it, brackets of IPv6 and the dot at the end of a full name are no part of it,
 * and names have no case. Throws one line that says what to write instead of a URL or of host:port; `portSetting` is what
 * takes the port. The line shows no user and no password.
 */
export function hostName(text: string, portSetting: string): string {
  const trimmed = text.trim();
  // Without brackets an IPv6 address looks like host:port. A zone may stand behind it (RFC 4007, section 11).
  if (isIPv6(trimmed)) return trimmed.toLowerCase();
  const [, scheme, written = "", port, path] = PARTS.exec(trimmed) ?? [];
  const host = bare(written);
  if (host === undefined) throw new Error("a host name or an address is expected");
  if (scheme === undefined && port === undefined && path === undefined && !trimmed.includes("@")) return host;
  const rest = port === undefined || port === "" ? "" : `, and ${port} in ${portSetting}`;
  throw new Error(`the name or address alone is expected, ${JSON.stringify(host)}${rest}`);
}

function bare(written: string): string | undefined {
  const address = /^\[(.*)\]$/.exec(written)?.[1];
  if (address !== undefined) return isIPv6(address) ? address.toLowerCase() : undefined;
  const name = written.replace(/\.$/, "").toLowerCase();
  return NAME.test(name) ? name : undefined;
}

/** As a URL names it. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
