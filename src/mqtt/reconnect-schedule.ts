/**
 * When a session connects again. A connection that did its work earns a prompt retry: the attempts that failed before it
 * count no more. Two clients with one id end each other's connections, which work and last as long as the other one
 * waits; such waits double as well, until a connection lasts for MQTT_STABLE.
 */
import { BACKOFF_CAP, BACKOFF_FIRST, MQTT_STABLE } from "../constants";
import { Backoff } from "../util/backoff";

export class ReconnectSchedule {
  /** The longest wait, ms: smaller while a trial or an update is in hand. */
  cap = BACKOFF_CAP;
  private readonly backoff: Backoff;
  private attemptAt = 0;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.backoff = new Backoff(random, BACKOFF_FIRST, BACKOFF_CAP);
  }

  /** An attempt begins. */
  attempt(now: number): void {
    this.attemptAt = now;
  }

  /** The wait after an attempt that failed, ms. Attempts begin at most `cap` apart, or follow one another at once. */
  afterAttempt(now: number): number {
    return Math.min(this.backoff.next(this.cap), Math.max(0, this.cap - (now - this.attemptAt)));
  }

  /** The wait after a connection that was up for `lasted` ms. `worked`: the broker has answered what was asked. */
  afterConnection(lasted: number, worked: boolean): number {
    if (lasted >= MQTT_STABLE) this.backoff.reset();
    else if (worked) this.backoff.worked();
    return this.backoff.next(this.cap);
  }
}
