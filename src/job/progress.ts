/**
 * When the percentage of a download is reported: the current one first, then at most one per REPORT_INTERVAL, and
 * always the last.
 */
import { REPORT_INTERVAL } from "../constants";
import type { JobEffect } from "./effects";
import type { Offer } from "./types";

/** 0 to 100. Exact for sizes beyond 4 GiB: doubles carry 2^53. */
const percentOf = (stored: number, size: number): number => (size === 0 ? 0 : Math.floor((stored * 100) / size));

export class Progress {
  private reported = -1;
  private next: number;

  constructor(now: number) {
    this.next = now;
  }

  /** A new connection: the cloud may have missed what was reported. */
  again(now: number): void {
    this.reported = -1;
    this.next = now;
  }

  /** The percent to report now, 0..100, or undefined. */
  due(stored: number, size: number, now: number): number | undefined {
    const percent = percentOf(stored, size);
    if (percent <= this.reported || (now < this.next && percent < 100)) return undefined;
    this.reported = percent;
    this.next = now + REPORT_INTERVAL;
    return percent;
  }

  /** A report of what is stored, with the reason why nothing is added. */
  stalled(task: Offer, stored: number, reason: string): JobEffect[] {
    const percent = percentOf(stored, task.size);
    return [{ type: "report", report: { kind: "progress", task, percent, note: reason } }];
  }

  /** The report that is due, if any, with `stored` bytes in flash. */
  report(offer: Offer, stored: number, now: number): JobEffect[] {
    const percent = this.due(stored, offer.size, now);
    if (percent === undefined) return [];
    return [
      { type: "report", report: { kind: "progress", task: offer, percent } },
      { type: "notify", notice: { event: "state", state: "downloading", percent } },
    ];
  }
}
