import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { TLSSocket } from "node:tls";
import type { Access } from "./access";

export interface GuardOptions {
  readonly access: Access;
  /** False: only programs on this machine are answered. */
  readonly network: boolean;
  /** Names and addresses under which the cloud is known, beside those of this machine. */
  readonly names: readonly string[];
  /** Scheme, host and port of a reverse proxy in front. */
  readonly publicUrl?: string | undefined;
}

export interface Refused {
  readonly status: 401 | 403 | 421;
  readonly message: string;
}

/** The browser's session, by port: cookies do not know ports (RFC 6265, section 8.5). */
export function cookieName(request: IncomingMessage): string {
  return `xs-ota-${request.socket.localPort ?? 0}`;
}

/**
 * What is checked of a request before anything is made of it.
 *
 * - The peer is on this machine, unless the console was opened to the network. A reverse proxy on this machine is such a peer, and speaks
 *   for whomever it lets in.
 * - Host names this cloud: a page whose own name was pointed at this address (DNS rebinding) sends its own. An address can not be pointed.
 * - Origin, where a browser sends one, is this very origin, or that of the proxy; and it sends one, or says so in Sec-Fetch-Site, with
 *   everything that changes something.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #names: ReadonlySet<string>;

  constructor(options: GuardOptions) {
    this.#options = options;
    const { names, network, publicUrl } = options;
    const outer = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
    const own = [...names, ...outer, ...addresses(), ...(network ? [hostname()] : [])];
    this.#names = new Set(["localhost", "127.0.0.1", "::1", ...own].map((name) => unbracketed(name).toLowerCase()));
  }

  /** For pages and scripts, which hold nothing that is secret. */
  page(request: IncomingMessage): Refused | undefined {
    if (!this.#options.network && !isFromHere(request)) {
      return {
        status: 403,
        message: "the console answers on this machine only, unless xs-ota cloud runs with --network",
      };
    }
    const name = hostOf(request);
    if (name === undefined || !this.#names.has(name)) return { status: 421, message: "this cloud has another name" };
    return undefined;
  }

  /** For everything else. `open`: without a session, to get one. */
  api(request: IncomingMessage, open: boolean): Refused | undefined {
    const { origin, "sec-fetch-site": site } = request.headers;
    const refused = this.page(request);
    if (refused) return refused;
    if (origin !== undefined && !this.#isOwn(origin, request)) return { status: 403, message: "asked by another site" };
    if (site !== undefined && site !== "same-origin" && site !== "none")
      return { status: 403, message: "asked by another site" };
    const bearer = /^Bearer ([\w-]{1,128})$/.exec(request.headers.authorization ?? "")?.[1];
    if (bearer !== undefined && this.#options.access.isApiToken(bearer)) return undefined;
    const changes = request.method !== "GET" && request.method !== "HEAD";
    if (changes && origin === undefined && site !== "same-origin" && (!open || session(request) !== undefined)) {
      return { status: 403, message: "a browser that does not say which site asks" };
    }
    if (open) return undefined;
    const cookie = session(request);
    if (cookie !== undefined && this.#options.access.isSession(cookie)) return undefined;
    return { status: 401, message: "no session: open the link that the cloud printed, or send the API token" };
  }

  /** The proxy may pass on the Host that it was sent, or put the one of this listener in its place. */
  #isOwn(origin: string, request: IncomingMessage): boolean {
    const { publicUrl } = this.#options;
    if (publicUrl === undefined) return origin === ownOrigin(request);
    const atProxy = hostOf(request) === unbracketed(new URL(publicUrl).hostname);
    return origin === publicUrl || (!atProxy && origin === ownOrigin(request));
  }
}

/** What the browser holds as its session; unchecked. */
export function session(request: IncomingMessage): string | undefined {
  const wanted = cookieName(request);
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === wanted) return value;
  }
  return undefined;
}

/** The browser came by TLS, up to this process or to a proxy in front of it. For requests that the guard let pass. */
export function isSecure(request: IncomingMessage): boolean {
  return isTls(request) || request.headers.origin?.startsWith("https:") === true;
}

function isTls(request: IncomingMessage): boolean {
  return request.socket instanceof TLSSocket;
}

function ownOrigin(request: IncomingMessage): string {
  return `${isTls(request) ? "https" : "http"}://${request.headers.host}`;
}

function hostOf(request: IncomingMessage): string | undefined {
  const name = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i.exec(request.headers.host ?? "")?.[1];
  return name === undefined ? undefined : unbracketed(name).toLowerCase();
}

function unbracketed(name: string): string {
  return name.replace(/^\[|\]$/g, "");
}

/** From the loopback, or from an address of this machine to itself. */
function isFromHere({ socket: { remoteAddress, localAddress } }: IncomingMessage): boolean {
  const plain = remoteAddress?.replace(/^::ffff:/, "") ?? "";
  if (plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."))) return true;
  return plain !== "" && remoteAddress === localAddress;
}

function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
