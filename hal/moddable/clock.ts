/** Clock and timers over the SDK's "time" and "timer", for chips and simulator alike. */
import Time from "time";
import Timer from "timer";
import type { Clock } from "../../src/ports";

/**
 * Longest wait given to a Timer, a day: its milliseconds are a 32-bit integer. A timer that fires early is allowed for.
 */
const LONGEST = 86_400_000;

export class ModdableClock implements Clock {
  private readonly timers = new Map<number, Timer>();
  private handle = 0;
  private ticks = Time.ticks;
  private latest = 0;

  /**
   * `Time.ticks` wraps after 2^32 ms on a chip. On the desktop it follows the wall clock, backwards too. Its steps
   * forward are added up here.
   */
  now(): number {
    const ticks = Time.ticks;
    const step = Time.delta(this.ticks, ticks);
    this.ticks = ticks;
    if (step > 0) this.latest += step;
    return this.latest;
  }

  set(callback: () => void, milliseconds: number): number {
    this.handle = (this.handle % 0x3fff_ffff) + 1;
    const handle = this.handle;
    const fire = (): void => {
      this.timers.delete(handle);
      callback();
    };
    this.timers.set(handle, Timer.set(fire, Math.min(LONGEST, Math.max(0, Math.ceil(milliseconds)))));
    return handle;
  }

  clear(handle: number): void {
    const timer = this.timers.get(handle);
    if (timer === undefined) return;
    this.timers.delete(handle);
    Timer.clear(timer);
  }

  /** Forgets every timer: the simulated power is off. */
  clearAll(): void {
    for (const timer of this.timers.values()) Timer.clear(timer);
    this.timers.clear();
  }
}
