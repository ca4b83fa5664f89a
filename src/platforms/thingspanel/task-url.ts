import { URL_MAX } from "../../constants";
import { splitUrl } from "../../http/url";
import { utf8Length } from "../../util/utf8";

/** Settings of the device that decide about URLs. */
export interface UrlSettings {
  /** Host of the broker, as configured. */
  readonly brokerHost: string;
  /** Put before relative URLs; replaces an unset `ota.download_address` of the server. */
  readonly httpBase?: string;
}

/** The URL to fetch, or the problem with it. An absolute URL is used verbatim. */
export const taskUrl = (
  given: string | undefined,
  settings: UrlSettings,
): { readonly url: string } | { readonly problem: string } => {
  if (given === undefined || given === "") return { problem: "url: missing" };
  const relative = !/^[a-z][a-z0-9+.-]*:/i.test(given);
  // A server whose download address is empty sends the bare path.
  if (relative && settings.httpBase === undefined)
    return { problem: "url: relative; set ota.download_address on the server, or httpBase here" };
  const url = relative ? `${settings.httpBase!.replace(/\/+$/, "")}/${given.replace(/^(?:\.?\/)+/, "")}` : given;
  if (utf8Length(url) > URL_MAX) return { problem: `url: longer than ${URL_MAX} bytes` };
  const split = splitUrl(url);
  if (typeof split === "string") return { problem: `url: ${split}` };
  // The server's shipped configuration says 127.0.0.1, which is the device itself.
  if (isLoopback(split.host) && !isLoopback(settings.brokerHost))
    return { problem: `url: ${split.host} is the device itself; set ota.download_address on the server` };
  return { url };
};

/**
 * Whether a name or address is the device itself (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section
 * 2.5).
 */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[|\]$|\.$/g, "");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    /^(?:::ffff:)?(?:127\.[0-9.]+|0\.0\.0\.0)$/.test(name) ||
    name === "::1" ||
    name === "::"
  );
};
