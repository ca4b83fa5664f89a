/**
 * When a battery device may sleep: the budget of one wake, against what the job is doing. It has no timer and does no
 * I/O; the agent acts on what it says.
 */
import { FETCH_END, SECTOR, SLEEP_GRACE, SLEEP_LISTEN, TRIAL_SLEEP_MAX, WAKE_SECONDS, WINDOW } from "../constants";
import type { StateName } from "../job/states";
import { frozen } from "../util/frozen";

/** What one wake of a battery device may cost. */
export interface WakeBudget {
  /** Seconds from the construction of the agent to the sleep, 1 or more; default: 60. */
  readonly seconds?: number;
  /** Bytes of files, 24,576 or more; default: no bound. */
  readonly bytes?: number;
}

/**
 * Work that is not cut off: at the next wake it would begin anew, and it takes a second or two. An installer takes its
 * own time.
 */
const UNBROKEN: readonly StateName[] = frozen<StateName[]>([
  "starting",
  "checking",
  "storing",
  "verifying",
  "committing",
  "installing",
  "burning",
  "activating",
  "rolling-back",
  "rolling-back-without-job",
]);

export class Wake {
  /** Time at which the device is to sleep. */
  private readonly end: number;
  private readonly fetchEnd: number;
  private readonly bytesLeast: number;
  private readonly versionReport: boolean;
  private received = 0;
  /** When a sector came last. */
  private sectorAt = -Infinity;
  /** When the cloud was heard last; undefined: not on this connection. */
  private heardAt: number | undefined;
  private answered = false;

  /** `versionReport`: the cloud acknowledges one. Throws one line on a budget that cannot work. */
  constructor({ seconds = WAKE_SECONDS, bytes = Infinity }: WakeBudget, versionReport: boolean, now: number) {
    if (!(seconds >= 1)) throw new Error("wake.seconds: 1 or more");
    if (!(bytes >= WINDOW + SECTOR)) throw new Error(`wake.bytes: ${WINDOW + SECTOR} or more`);
    this.end = now + seconds * 1000;
    this.fetchEnd = this.end - Math.min(FETCH_END, seconds * 200);
    // The next range leaves before a sector counts.
    this.bytesLeast = bytes - WINDOW - SECTOR;
    this.versionReport = versionReport;
  }

  /* ---- what happens ---- */

  link(up: boolean, now: number): void {
    this.heardAt = up ? now : undefined;
    this.answered = !this.versionReport;
  }

  /** A message or a PUBACK. */
  heard(version: boolean, now: number): void {
    if (this.heardAt !== undefined) this.heardAt = now;
    this.answered ||= version;
  }

  sector(bytes: number, now: number): void {
    this.received += bytes;
    this.sectorAt = now;
  }

  /* ---- what follows ---- */

  /**
   * Seconds, 0 for not now. `state`: undefined before the job was started. `fetching`: requests to the file server are
   * unanswered, or more will be sent.
   */
  maySleep(state: StateName | undefined, fetching: boolean, now: number): number {
    if (state !== undefined && UNBROKEN.includes(state)) return 0;
    const idle = state === "idle" && this.answered && now >= (this.heardAt ?? now) + SLEEP_LISTEN;
    const fetched = state === "downloading" && !fetching && this.fetchEnds(now);
    if (!idle && !fetched && now < this.end) return 0;
    return state === "trial" || state === "trial-without-job" ? TRIAL_SLEEP_MAX : Infinity;
  }

  /** No further range is asked for: what was asked for arrives before the sleep on most links, and is not lost then. */
  fetchEnds(now: number): boolean {
    return now >= this.fetchEnd || this.received >= this.bytesLeast;
  }

  /** What is in flight is given up: the sector in hand is stored, or takes too long. */
  cutsOff(now: number): boolean {
    return now >= this.end && (this.sectorAt >= this.end || now >= this.end + SLEEP_GRACE);
  }

  /** When one of these answers changes next. */
  deadline(now: number): number | undefined {
    const times = [this.fetchEnd, this.end, this.end + SLEEP_GRACE];
    if (this.heardAt !== undefined) times.push(this.heardAt + SLEEP_LISTEN);
    const next = Math.min(...times.filter((time) => time > now));
    return next === Infinity ? undefined : next;
  }
}
