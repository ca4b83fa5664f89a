import { URL_MAX } from "../constants";
import { decimal } from "./text";

/**
 * An absolute http or https URL, split and otherwise untouched: pre-signed URLs carry signatures over their exact
 * bytes, so no escape is decoded, added or corrected (one vendor's real URL ends with a stray "%00"). The one
 * exception: characters outside ASCII, which cannot stand in a request line (RFC 9112 section 3.2), are percent-encoded
 * as UTF-8 (RFC 3987 section 3.1).
 */
export interface HttpUrl {
  readonly tls: boolean;
  /** Name or literal address in lower case, an IPv6 literal without brackets. */
  readonly host: string;
  readonly port: number;
  /** For the Host field: with brackets, and with the port where it is not the scheme's own. */
  readonly hostHeader: string;
  /** Path and query, verbatim. */
  readonly target: string;
}

/** The inverse of `splitUrl`. */
export const urlText = ({ tls, hostHeader, target }: HttpUrl): string =>
  `${tls ? "https" : "http"}://${hostHeader}${target}`;

const TOO_LONG = `URL is longer than ${URL_MAX} bytes`;

/** Splits a URL. Returns the reason, one line without the URL, where it cannot be used. */
export const splitUrl = (url: string): HttpUrl | string => {
  if (url.length > URL_MAX) return TOO_LONG;
  const scheme = schemeOf(url);
  if (scheme !== "http" && scheme !== "https") return "URL is neither http nor https";
  const start = scheme.length + 3;
  if (url.slice(scheme.length, start) !== "://") return "URL has no host";
  const end = endOfAuthority(url, start);
  const authority = splitAuthority(url.slice(start, end), scheme === "https");
  if (typeof authority === "string") return authority;
  const target = requestTarget(url.slice(end));
  if (target === undefined) return "URL has a space or a control character in it";
  if (end + target.length > URL_MAX) return TOO_LONG;
  return { ...authority, target };
};

/**
 * Resolves a redirect's Location against the URL that answered with it (RFC 3986 section 5.2): absolute,
 * scheme-relative, absolute path, relative path, query only. Returns the reason where it cannot be followed.
 */
export const resolveLocation = (base: HttpUrl, location: string): HttpUrl | string => {
  const raw = escapeRawBytes(location);
  const scheme = schemeOf(raw);
  if (scheme !== "")
    return scheme === "http" || scheme === "https" ? splitUrl(raw) : "redirect to another scheme than http and https";
  if (raw.startsWith("//")) return splitUrl((base.tls ? "https:" : "http:") + raw);
  const query = base.target.indexOf("?");
  const path = query < 0 ? base.target : base.target.slice(0, query);
  let next: string;
  if (raw === "" || raw.startsWith("#")) next = base.target;
  else if (raw.startsWith("/")) next = withoutDots(raw);
  else if (raw.startsWith("?")) next = path + raw;
  else next = withoutDots(path.slice(0, path.lastIndexOf("/") + 1) + raw);
  return splitUrl((base.tls ? "https://" : "http://") + base.hostHeader + next);
};

/** The scheme in lower case, or "" for a relative reference. */
const schemeOf = (url: string): string => {
  const colon = url.indexOf(":");
  if (colon <= 0 || colon > 16) return "";
  const scheme = url.slice(0, colon).toLowerCase();
  return /^[a-z][a-z0-9+.-]*$/.test(scheme) ? scheme : "";
};

const endOfAuthority = (url: string, start: number): number => {
  for (let at = start; at < url.length; at++) {
    const character = url[at];
    if (character === "/" || character === "?" || character === "#") return at;
  }
  return url.length;
};

const splitAuthority = (authority: string, tls: boolean): Omit<HttpUrl, "target"> | string => {
  if (authority.includes("@")) return "URL carries a user name";
  const bracketed = authority.startsWith("[");
  const hostEnd = bracketed ? authority.indexOf("]") + 1 : authority.indexOf(":");
  const bare = (hostEnd < 0 ? authority : authority.slice(0, hostEnd)).toLowerCase();
  const host = bracketed ? bare.slice(1, -1) : bare;
  const valid = bracketed ? /^[0-9a-f:.]{2,45}$/ : /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/;
  if (host.length > 253 || !valid.test(host) || (bracketed && !host.includes(":")))
    return "URL has no usable host name";
  const rest = hostEnd < 0 ? "" : authority.slice(hostEnd);
  const standard = tls ? 443 : 80;
  let port = standard;
  if (rest.length > 1) port = rest.startsWith(":") ? decimal(rest, 1) : -1;
  else if (rest !== "" && rest !== ":") port = -1;
  if (port < 1 || port > 65535) return "URL has an impossible port";
  return { tls, host, port, hostHeader: port === standard ? bare : `${bare}:${port}` };
};

/** Path and query without the fragment; undefined where a character would break the request line. */
const requestTarget = (rest: string): string | undefined => {
  const hash = rest.indexOf("#");
  let target = hash < 0 ? rest : rest.slice(0, hash);
  if (!target.startsWith("/")) target = `/${target}`;
  let escaped = "";
  let plain = 0;
  for (let at = 0; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f) return undefined;
    if (code < 0x80) continue;
    const pair =
      code >= 0xd800 && code <= 0xdbff && at + 1 < target.length && (target.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (code >= 0xd800 && code <= 0xdfff && !pair) return undefined;
    escaped += target.slice(plain, at) + encodeURIComponent(target.slice(at, pair ? at + 2 : at + 1));
    if (pair) at++;
    plain = at + 1;
  }
  return plain === 0 ? target : escaped + target.slice(plain);
};

/** A header field is bytes: those outside ASCII are escaped one by one, whatever their charset was. */
const escapeRawBytes = (location: string): string => {
  return location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
};

/** RFC 3986 section 5.2.4 on an absolute path; the query stays as it is. */
const withoutDots = (reference: string): string => {
  const mark = reference.search(/[?#]/);
  const end = mark < 0 ? reference.length : mark;
  const path = reference.slice(0, end);
  if (!path.includes("/.")) return reference;
  const kept: string[] = [];
  const segments = path.slice(1).split("/");
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment === "." || segment === "..") {
      if (last) kept.push("");
    } else kept.push(segment);
  });
  return `/${kept.join("/")}${reference.slice(end)}`;
};
