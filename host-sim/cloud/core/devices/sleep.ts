/**
 * When a device that sleeps will be back. A device with an update in hand says so before it sleeps, in the text of its
 * last progress report: no platform has another place for it. Of any other the cloud can only learn from how long it
 * stayed away before.
 */

/** Times are milliseconds since 1970. */
export interface DeviceSleep {
  readonly since: number;
  /** When it is expected back. */
  readonly until: number;
  /** "announced": by the device. "learned": a guess, from its last absences. */
  readonly basis: "announced" | "learned";
}

/** Seconds, from the text of a progress report (src/job/sleep.ts). */
export function announcedSeconds(text: string): number | undefined {
  const match = /^asleep for (\d{1,8}) s$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** A device starts and connects within this, ms; then it is late. */
const LATE = 60_000;

/** It sleeps as it has announced. */
export function isAsleep(sleep: DeviceSleep | undefined, now: number): boolean {
  return sleep?.basis === "announced" && now < sleep.until + LATE;
}

/** Absences from which the next one is guessed. */
const ABSENCES = 3;
/** Shorter ones are reconnects, ms. */
const SHORTEST = 3_000;

/** How long a device stays away. */
export class SleepHabit {
  #absences: number[] = [];
  #leftAt: number | undefined;

  left(at: number): DeviceSleep | undefined {
    this.#leftAt = at;
    const shortest = Math.min(...this.#absences);
    const longest = Math.max(...this.#absences);
    // Regular, or it is no habit.
    if (this.#absences.length < ABSENCES || longest > shortest * 1.25 + 1_000) return undefined;
    return { since: at, until: at + longest, basis: "learned" };
  }

  returned(at: number): void {
    const absence = at - (this.#leftAt ?? at);
    this.#leftAt = undefined;
    if (absence < SHORTEST) return;
    this.#absences = [...this.#absences, absence].slice(-ABSENCES);
  }
}
