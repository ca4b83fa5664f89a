import { networkInterfaces } from "node:os";
import { Authority, tlsIdentity, type Credentials, type KeyKind, type TlsIdentity } from "./listeners/certificates";
import { daysLeft, EXPIRY_WARNING_DAYS, type WatchedCertificate } from "./listeners/expiry";
import type { ExternalBrokerOptions } from "./broker/external-broker";
import type { PlatformSide } from "./platforms/platform-side";
import type { SideOptions } from "./platforms/sides";

/** Options of the platforms stand beside them, by name. */
export interface CloudOptions extends SideOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /**
   * Name or address under which devices reach the cloud; default: that of `publicUrl`, or `host`, or this machine's
   * address if that is "any".
   */
  readonly publicHost?: string;
  /** Scheme, host and port of a reverse proxy in front of HTTP: downloads and links name it. */
  readonly publicUrl?: string;
  /** Plain MQTT and HTTP; default 0 = any free port; false = none. */
  readonly mqttPort?: number | false;
  readonly httpPort?: number | false;
  /** MQTT over TLS and HTTPS beside the plain listeners; downloads are then offered by https. */
  readonly tls?: CloudTls;
  /** Folder that holds everything which is to outlive the process; made if it is not there. Default: nothing does. */
  readonly state?: string;
  /** A broker elsewhere in place of the one in this process. */
  readonly broker?: Omit<ExternalBrokerOptions, "now" | "onState">;
  /** Folder of the package store; default: in the state folder, or in memory. */
  readonly packages?: string;
  /** Bytes per second for each download connection; default: as fast as it goes. */
  readonly throttle?: number;
  /** Seconds that a download URL is valid; default 86,400, as Tencent's are. */
  readonly urlLifetime?: number;
  /**
   * Scheme, host and port of download URLs, where devices reach the file server by another way: a weak link, a proxy.
   */
  readonly downloadOrigin?: string;
  /** Signs download URLs; with the same secret, URLs stay valid over restarts. Default: random. */
  readonly urlSecret?: string;
  /** Further platforms, asked after the cloud's own. */
  readonly sides?: readonly PlatformSide[];
  /** Messages stored for each device; default 500. */
  readonly logLimit?: number;
  /** The clock, milliseconds since 1970; default: the system's. */
  readonly now?: () => number;
  /** Milliseconds for durations; default: `now`, if that is given, and else the time in which the cloud runs. */
  readonly running?: () => number;
}

export interface CloudTls {
  /** Default 0 = any free port; false = none. */
  readonly mqttPort?: number | false;
  readonly httpsPort?: number | false;
  /** Who signs the server certificate; default: a new authority with keys of this kind (default "rsa"). */
  readonly authority?: Authority;
  readonly kind?: KeyKind;
  /** A certificate from elsewhere, in place of a generated one. */
  readonly credentials?: Credentials & { readonly root: string };
  /** Let devices prove themselves by a certificate of the authority. */
  readonly clientCertificates?: boolean;
}

export const DEFAULT_HOST = "127.0.0.1";

export interface PreparedTls {
  readonly identity: TlsIdentity;
  /** Issues client certificates, unless the server's certificate is from elsewhere. */
  readonly authority?: Authority;
  /** What is not renewed by itself. */
  readonly watched: readonly WatchedCertificate[];
  /** Replaces the server's certificate in `identity` shortly before its end, where it is our own. False: not yet. */
  readonly renew: (now: number) => Promise<boolean>;
}

/** The certificate that devices will see: given, or made here. */
export async function prepareTls(tls: CloudTls, options: CloudOptions): Promise<PreparedTls> {
  const ask = tls.clientCertificates === true;
  if (tls.credentials) {
    const { certificate, root } = tls.credentials;
    const cure = "get a new one, and start the cloud with it";
    const given = [
      { what: "the certificate", pem: certificate, cure, host: publicHostOf(options) },
      ...(root === certificate ? [] : [{ what: "the root", pem: root, cure }]),
    ];
    const identity = tlsIdentity(tls.credentials, root, ask);
    return { identity, watched: given, renew: () => Promise.resolve(false) };
  }
  const authority = tls.authority ?? (await Authority.create(tls.kind ?? "rsa"));
  const own = [publicHostOf(options), options.host ?? DEFAULT_HOST].filter((name) => !isAny(name));
  const names = new Set(["localhost", "127.0.0.1", "::1", ...own]);
  const identity = tlsIdentity(await authority.server([...names]), authority.root, ask);
  return {
    identity,
    authority,
    watched: [{ what: "the root that devices trust", pem: authority.root, cure: "start the cloud again to renew it" }],
    renew: async (now) => {
      if (daysLeft(String(identity.server.cert), now) > EXPIRY_WARNING_DAYS) return false;
      const { key, certificate } = await authority.server([...names]);
      Object.assign(identity.server, { key, cert: certificate });
      return true;
    },
  };
}

/** Ports as the listeners take them: absent = no such listener. */
export function ports(
  plain: number | false | undefined,
  tls: number | false | undefined,
): { port?: number; tlsPort?: number } {
  return {
    ...(plain === false ? {} : { port: plain ?? 0 }),
    ...(tls === false || tls === undefined ? {} : { tlsPort: tls }),
  };
}

/** Where HTTP and HTTPS listen. */
export function httpListener(
  { host = DEFAULT_HOST, httpPort, tls }: CloudOptions,
  prepared: PreparedTls | undefined,
): { host: string; port?: number; tlsPort?: number; tls?: TlsIdentity } {
  return {
    host,
    ...ports(httpPort, prepared && (tls?.httpsPort ?? 0)),
    ...(prepared ? { tls: prepared.identity } : {}),
  };
}

export function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Where devices find the cloud unless something else is said. */
export function publicHostOf({ publicHost, publicUrl, host = DEFAULT_HOST }: CloudOptions): string {
  return (
    publicHost ?? (publicUrl === undefined ? reachable(host) : new URL(publicUrl).hostname.replace(/^\[|\]$/g, ""))
  );
}

/** Where devices find a cloud that listens at `host`; for "any", this machine's first address in a network. */
function reachable(host: string): string {
  if (!isAny(host)) return host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}
