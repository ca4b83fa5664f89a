import { REDIRECTS } from "../constants";
import { fault } from "./answers";
import type { Fault } from "./answers";
import { resolveLocation, splitUrl, urlText } from "../http/url";
import type { HttpUrl } from "../http/url";

type Server = Pick<HttpUrl, "tls" | "host" | "port">;

/**
 * The URL in use: the offered one, or the one that its redirects led to, which is kept as long as it works. A
 * pre-signed redirect expires long before the offered URL does. Its refusal therefore counts only when the offered URL
 * has just led to it.
 */
export class Route {
  private readonly allowHttp: boolean;
  /** As offered. URLs are kept as text and split again for a redirect: their parts would be copies in memory. */
  private origin: string | undefined;
  /** The URL in use. */
  private current: string | undefined;
  /** The server that it names. */
  server: Server | undefined;
  /** The URL in use is the offered one. */
  private atOrigin = false;
  /** The request's bytes up to the range. */
  prefix: Uint8Array = new Uint8Array(0);
  private redirects = 0;
  /** No sector came since the offered URL was asked. */
  private firsthand = true;
  /** A URL was offered that was not used yet. */
  renewed = false;
  private wasDenied = false;
  private readonly prefixOf: (url: HttpUrl) => Uint8Array;

  /** `prefixOf`: makes `prefix`. */
  constructor(allowHttp: boolean, prefixOf: (url: HttpUrl) => Uint8Array) {
    this.allowHttp = allowHttp;
    this.prefixOf = prefixOf;
  }

  /**
   * Takes an offered URL, to be used from `toOrigin` on. Returns why it is not taken, "plain" for http where that is
   * not allowed.
   */
  offer(url: string): undefined | "plain" | { readonly problem: string } {
    const split = splitUrl(url);
    if (typeof split === "string") return { problem: split };
    if (!split.tls && !this.allowHttp) return "plain";
    this.origin = url;
    this.atOrigin = false;
    this.renewed = true;
    this.firsthand = false;
    this.wasDenied = false;
    return undefined;
  }

  /** The offered URL may answer otherwise than the one in use: a refusal counts only from the offered one. */
  get secondhand(): boolean {
    return !this.atOrigin && !this.firsthand;
  }

  toOrigin(): void {
    if (this.origin !== undefined && !this.atOrigin) {
      this.use(this.origin);
      this.atOrigin = true;
    }
    this.redirects = 0;
    this.renewed = false;
    this.firsthand = true;
  }

  /** A response has the file's bytes: redirects are counted anew. */
  arrived(): void {
    this.redirects = 0;
  }

  /** A sector came. True: the URL had been denied, by a limiter as it seems. */
  delivered(): boolean {
    const limited = this.wasDenied;
    this.firsthand = false;
    this.wasDenied = false;
    return limited;
  }

  /** The server denied the URL. True: once; it is tried again before a fresh one is asked for. */
  denied(): boolean {
    this.wasDenied = !this.wasDenied;
    return this.wasDenied;
  }

  /**
   * Uses the target of a redirect with `status`; returns why not. From https to http is refused, from http to https
   * allowed.
   */
  follow(location: string, status: number): Fault | undefined {
    const from = splitUrl(this.current ?? "");
    if (++this.redirects > REDIRECTS) return fault("redirect-loop", status, REDIRECTS);
    const to = typeof from === "string" ? from : resolveLocation(from, location);
    if (typeof to === "string" || typeof from === "string") return fault("redirect-target", status, String(to));
    if (!to.tls && (from.tls || !this.allowHttp)) return fault("redirect-plain", status);
    this.use(urlText(to));
    this.atOrigin = false;
    return undefined;
  }

  /** `text` is a URL that was split before. */
  private use(text: string): void {
    const url = splitUrl(text);
    if (typeof url === "string") return;
    const { tls, host, port } = url;
    this.current = text;
    this.server = { tls, host, port };
    this.prefix = this.prefixOf(url);
  }
}
