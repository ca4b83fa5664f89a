/**
 * Transport limits of a device (facts 34 to 37), written as the server's settings have them: "20:1,600:60" is 20 in 1
 * second and 600 in 60. A community installation has none.
 */
interface Bucket {
  readonly capacity: number;
  /** Tokens a millisecond. */
  readonly rate: number;
  level: number;
}

export class RateLimit {
  readonly #now: () => number;
  readonly #buckets: readonly Bucket[];
  #at: number;

  constructor(limits: string, now: () => number, share = 1) {
    this.#now = now;
    this.#at = now();
    this.#buckets = limits.split(",").map((limit) => {
      const [count = 0, seconds = 1] = limit.split(":").map(Number);
      const capacity = Math.trunc(count * share);
      return { capacity, rate: capacity / (seconds * 1_000), level: capacity };
    });
  }

  /** Takes one from each; false where one is empty. */
  take(count = 1): boolean {
    const now = this.#now();
    for (const each of this.#buckets) each.level = Math.min(each.capacity, each.level + (now - this.#at) * each.rate);
    this.#at = now;
    if (this.#buckets.some(({ level }) => level < count)) return false;
    for (const each of this.#buckets) each.level -= count;
    return true;
  }
}

/** The 16th quick connect was refused where 20 messages a second were allowed: seen, the reason is not known. */
const CONNECT_SHARE = 0.75;

/** Of one device. */
export interface DeviceLimits {
  readonly connects: RateLimit;
  readonly messages: RateLimit;
  readonly telemetry: RateLimit;
}

export const limitsOf = (limits: string, now: () => number): DeviceLimits => ({
  connects: new RateLimit(limits, now, CONNECT_SHARE),
  messages: new RateLimit(limits, now),
  telemetry: new RateLimit(limits, now),
});
