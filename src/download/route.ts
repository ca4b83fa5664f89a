import { REDIRECTS } from "../constants";
import { resolveLocation, splitUrl } from "../http/url";
import type { HttpUrl } from "../http/url";
import { requestPrefix } from "./request";

/**
 * Where to ask: the URL that was offered, or the one its redirects led to, which is kept as long as it works. A pre-signed
 * redirect expires long before the offered URL does, so its bad word counts only when the offered URL has just led to it.
 */
export class Route {
  readonly #allowHttp: boolean;
  #origin: HttpUrl | undefined;
  #current: HttpUrl | undefined;
  #prefix: Uint8Array = new Uint8Array(0);
  #redirects = 0;
  #firsthand = true;
  #renewed = false;

  constructor(allowHttp: boolean) {
    this.#allowHttp = allowHttp;
  }

  /** Takes an offered URL, without turning to it yet. Returns why it is not taken, "plain" for http where that is not allowed. */
  offer(url: string): undefined | "plain" | { readonly problem: string } {
    const split = splitUrl(url);
    if (typeof split === "string") return { problem: split };
    if (!split.tls && !this.#allowHttp) return "plain";
    this.#origin = split;
    this.#renewed = true;
    this.#firsthand = false;
    return undefined;
  }

  get url(): HttpUrl | undefined {
    return this.#current;
  }

  /** The request's bytes up to the range. */
  get prefix(): Uint8Array {
    return this.#prefix;
  }

  /** The offered URL may say otherwise than the one in use: ask it before believing a refusal. */
  get secondhand(): boolean {
    return this.#current !== this.#origin && !this.#firsthand;
  }

  /** A URL was offered that was not turned to yet. */
  get renewed(): boolean {
    return this.#renewed;
  }

  toOrigin(): void {
    if (this.#origin && this.#current !== this.#origin) this.use(this.#origin);
    this.#redirects = 0;
    this.#renewed = false;
    this.#firsthand = true;
  }

  /** A response with the file's bytes: the redirects so far are forgiven. */
  arrived(): void {
    this.#redirects = 0;
  }

  delivered(): void {
    this.#firsthand = false;
  }

  /** Turns to a redirect's target; returns why not. https to http is refused, http to https welcome. */
  follow(location: string): string | undefined {
    const from = this.#current;
    if (!from) return "redirect from nowhere";
    if (++this.#redirects > REDIRECTS) return `more than ${REDIRECTS} redirects`;
    const to = resolveLocation(from, location);
    if (typeof to === "string") return `redirect refused: ${to}`;
    if (!to.tls && (from.tls || !this.#allowHttp)) return "redirect from https to http refused";
    this.use(to);
    return undefined;
  }

  private use(url: HttpUrl): void {
    this.#current = url;
    this.#prefix = requestPrefix(url);
  }
}
