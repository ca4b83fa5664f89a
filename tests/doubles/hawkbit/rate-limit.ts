/**
 * The limiter of a stock server (fact 14): 200 GET and 50 writes in a second from one address, none for private
 * addresses. Refused with 429, no body, no Retry-After, and before anything else is looked at.
 */
export interface RateLimits {
  readonly reads: number;
  readonly writes: number;
  /** Addresses without a limit, a setting of the server. Default: private ones. */
  readonly spared?: RegExp;
}

export const STOCK_LIMITS: RateLimits = { reads: 200, writes: 50 };

const PRIVATE = /^(::ffff:)?(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)|^::1$|^f[cd]/i;
const SECOND = 1_000;

interface Bucket {
  level: number;
  at: number;
}

export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** False: 429. `forwarded` is the header X-Forwarded-For, which the limiter believes. */
  admits(method: string, address: string, forwarded: string | undefined): boolean {
    const client = forwarded?.split(",")[0]?.trim() ?? address;
    if ((this.#limits.spared ?? PRIVATE).test(client)) return true;
    const reading = method === "GET" || method === "HEAD";
    const most = reading ? this.#limits.reads : this.#limits.writes;
    const key = `${reading ? "read" : "write"} ${client}`;
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { level: most, at: now };
    this.#buckets.set(key, bucket);
    bucket.level = Math.min(most, bucket.level + ((now - bucket.at) * most) / SECOND);
    bucket.at = now;
    if (bucket.level < 1) return false;
    bucket.level--;
    return true;
  }
}
