import { SECTOR } from "../constants";

/** A sector that came within this time, ms, tells a fast link: 32 KiB/s. Writing it to flash takes a third of it. */
const FAST_SECTOR = 125;
/** Factor on the measured latency: a request leaves this much earlier. */
const MARGIN = 1.25;
/**
 * Bytes come in segments, and the right moment may pass in the middle of one. Payload of a full one on Ethernet (RFC
 * 9293, section 3.7.1).
 */
const SEGMENT = 1_460;

/** Rate and latency of one connection: how long a response takes to begin, and a sector to arrive. */
export class RateEstimate {
  private askedAt: number | undefined;
  /** From the first request to the head of its response, ms. */
  private latency: number | undefined;
  private markedAt = 0;
  /** Time of the last two sectors, ms each: the gap before a response lengthens one of them at most. */
  private last = Infinity;
  private before = Infinity;

  /** A new connection. */
  reset(): void {
    this.askedAt = undefined;
    this.latency = undefined;
    this.last = Infinity;
    this.before = Infinity;
  }

  asked(now: number): void {
    this.askedAt ??= now;
  }

  /** The first head of a connection gives the latency: later responses queue behind each other. */
  headSeen(now: number): void {
    if (this.latency !== undefined || this.askedAt === undefined) return;
    this.latency = now - this.askedAt;
    this.markedAt = now;
  }

  sectorDone(now: number): void {
    this.before = this.last;
    this.last = now - this.markedAt;
    this.markedAt = now;
  }

  get fast(): boolean {
    return this.last <= FAST_SECTOR;
  }

  /**
   * Bytes that arrive before a response begins. With fewer than these outstanding, the link falls idle unless the next
   * request leaves now.
   */
  get prefetchBytes(): number {
    return ((this.latency ?? 0) * MARGIN * SECTOR) / Math.max(1, Math.min(this.last, this.before)) + SEGMENT;
  }
}
