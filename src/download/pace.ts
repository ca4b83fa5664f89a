import { SECTOR } from "../constants";

/** A sector that came within this time, ms, tells a fast link: 32 KiB/s. Flash takes a third of it. */
const FAST_SECTOR = 125;
/** A request leaves this much earlier than the last measurement says. */
const MARGIN = 1.25;
/** Bytes come in segments: the right moment may pass in the middle of one. A full one on Ethernet (RFC 9293 section 3.7.1). */
const SEGMENT = 1_460;

/** How fast a connection is: how long an answer takes to begin, and a sector to come. It tells when the next request must leave. */
export class Pace {
  #askedAt: number | undefined;
  /** From the first request to the head of its answer, ms. */
  #latency: number | undefined;
  #markedAt = 0;
  /** The last two sectors, ms each: the gap before an answer lengthens one of them at most. */
  #last = Infinity;
  #before = Infinity;

  /** A new connection. */
  reset(): void {
    this.#askedAt = undefined;
    this.#latency = undefined;
    this.#last = Infinity;
    this.#before = Infinity;
  }

  asked(now: number): void {
    this.#askedAt ??= now;
  }

  headSeen(now: number): void {
    if (this.#latency !== undefined || this.#askedAt === undefined) return;
    this.#latency = now - this.#askedAt;
    this.#markedAt = now;
  }

  sectorDone(now: number): void {
    this.#before = this.#last;
    this.#last = now - this.#markedAt;
    this.#markedAt = now;
  }

  get fast(): boolean {
    return this.#last <= FAST_SECTOR;
  }

  /** Bytes that arrive while an answer is on its way to begin: with fewer left to come, the line would fall silent. */
  get lead(): number {
    return ((this.#latency ?? 0) * MARGIN * SECTOR) / Math.max(1, Math.min(this.#last, this.#before)) + SEGMENT;
  }
}
