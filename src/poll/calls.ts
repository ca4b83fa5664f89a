import { BACKOFF_FIRST, POLL_RETRY_CAP } from "../constants";
import type { HttpCall } from "../platforms/poll-platform";
import { Backoff } from "../util/backoff";

/** A call that is due at a time: the poll, or a report that waits to be taken. */
export interface Pending {
  /** "poll", the report's token, or "" for a report without one. */
  readonly name: string;
  call: HttpCall;
  /** When it is made, ms of the clock, and not before `earliest`: the server has asked for that. */
  at: number;
  earliest: number;
  /** Times that it has failed. */
  tries: number;
  readonly backoff: Backoff;
  /** Each try waits for an answered poll. */
  readonly asks: boolean;
  /** It waits for one now. */
  held: boolean;
}

export const pendingCall = (name: string, call: HttpCall, at: number, random: () => number, asks = false): Pending => ({
  name,
  call,
  at,
  asks,
  held: asks,
  earliest: 0,
  tries: 0,
  backoff: new Backoff(random, BACKOFF_FIRST, POLL_RETRY_CAP),
});

/** It has failed, and is made again after a wait of at most `longest` ms beyond `retryAfter`, in seconds. */
export const retry = (call: Pending, now: number, retryAfter: number, longest: number): void => {
  call.tries++;
  call.held = call.asks;
  call.earliest = now + Math.min(POLL_RETRY_CAP, retryAfter * 1000);
  call.at = call.earliest + call.backoff.next(longest);
};

/** It was answered, and is made again at `next`. */
export const answeredAt = (call: Pending, next: number): void => {
  call.tries = 0;
  call.backoff.reset();
  call.earliest = 0;
  call.at = next;
};

/** The reports that wait, at most one for each token, and the poll. */
export class Calls {
  readonly poll: Pending;
  /** Tokens of reports that the next answered poll acknowledges. */
  readonly awaited: string[] = [];
  private readonly reports: Pending[] = [];
  /** The last report without a token. */
  private told: HttpCall | undefined;

  constructor(poll: Pending) {
    this.poll = poll;
  }

  /** In place of what waits under its name. The same report again changes nothing: its tries go on. What may be lost is told once. */
  put(report: Pending): void {
    if (report.name === "") {
      if (this.told !== undefined && sameCall(this.told, report.call)) return;
      this.told = report.call;
    }
    const at = this.reports.findIndex(({ name }) => name === report.name);
    if (at < 0) this.reports.push(report);
    else if (!sameCall(this.reports[at]!.call, report.call)) this.reports[at] = report;
  }

  /** The poll comes at once, and acknowledges `token`. */
  pollSoon(token: string | undefined, now: number): void {
    const { poll, awaited } = this;
    if (token !== undefined && !awaited.includes(token)) awaited.push(token);
    poll.at = Math.min(poll.at, Math.max(now, poll.earliest));
  }

  remove(call: Pending): void {
    const at = this.reports.indexOf(call);
    if (at >= 0) this.reports.splice(at, 1);
  }

  has(call: Pending): boolean {
    return call === this.poll || this.reports.includes(call);
  }

  /** The poll was answered. The job may replace a report because of it, so that goes a moment later. */
  release(now: number): void {
    for (const report of this.reports)
      if (report.held) {
        report.held = false;
        report.at = now + 1;
      }
  }

  /** Reports go first: what has ended is closed before more work is taken. */
  due(now: number): Pending | undefined {
    const report = this.reports.find(({ at, held }) => !held && at <= now);
    return report ?? (this.pollAt() <= now ? this.poll : undefined);
  }

  deadline(): number {
    let next = this.pollAt();
    for (const { at, held } of this.reports) if (!held && at < next) next = at;
    return next;
  }

  /** When it is made: a report that waits for it brings it forward, but not where it fails. */
  private pollAt(): number {
    let { at } = this.poll;
    if (this.poll.tries === 0) for (const report of this.reports) if (report.held && report.at < at) ({ at } = report);
    return at;
  }
}

const sameCall = (a: HttpCall, b: HttpCall): boolean => a.url === b.url && a.body === b.body && a.method === b.method;
