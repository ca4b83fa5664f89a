/**
 * When the percentage of a download is reported: the current one first, then at most one per REPORT_INTERVAL, and
 * always the last.
 */
import { REPORT_INTERVAL } from "../constants";
import type { JobEffect } from "./effects";
import type { Offer } from "./types";

/** 0 to 100. Exact for sizes beyond 4 GiB: doubles carry 2^53. */
const percentOf = (stored: number, size: number): number => (size === 0 ? 0 : Math.floor((stored * 100) / size));

/** Of a job. */
interface Progressing {
  readonly offer: Offer;
  readonly container: { readonly length: number; readonly file: { readonly length: number } } | undefined;
  readonly isStaging: boolean;
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Bytes that a percentage is made of: of a container fetching and expanding count together. */
const progressOf = ({ container, isStaging, offset, size }: Progressing): { done: number; of: number } => {
  if (container === undefined) return { done: offset, of: size };
  const { length, file } = container;
  return { done: isStaging ? offset : length + offset, of: length + file.length };
};

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
  stalled(job: Progressing, reason: string): JobEffect[] {
    const { done, of } = progressOf(job);
    const percent = percentOf(done, of);
    return [{ type: "report", report: { kind: "progress", task: job.offer, percent, note: reason } }];
  }

  /** The report that is due, if any. */
  report(job: Progressing, now: number): JobEffect[] {
    const { done, of } = progressOf(job);
    const percent = this.due(done, of, now);
    if (percent === undefined) return [];
    return [
      { type: "report", report: { kind: "progress", task: job.offer, percent } },
      { type: "notify", notice: { event: "state", state: "downloading", percent } },
    ];
  }
}
