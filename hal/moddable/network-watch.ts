/** What a connection still waits for: an address, then the clock. */
import type { Clock } from "../../src/ports";

/**
 * With a network whose time server does not answer, connections are tried all the same after this, ms: plain ones need
 * no clock.
 */
const CLOCK_TIMEOUT = 10_000;

export interface NetworkWatchOptions {
  readonly clock: Clock;
  /** Whether the time of day is known. */
  isClockSet(): boolean;
  /** How long a clock that is not set is waited for, ms. Default: CLOCK_TIMEOUT. */
  readonly clockTimeout?: number;
  /** See StartUpParts.connect. */
  missing(what: string | undefined): void;
}

export class NetworkWatch {
  private readonly options: NetworkWatchOptions;
  private timer: number | undefined;

  constructor(options: NetworkWatchOptions) {
    this.options = options;
  }

  /** The device has an address. */
  up(): void {
    const { clock, isClockSet, clockTimeout = CLOCK_TIMEOUT, missing } = this.options;
    this.cancel();
    if (isClockSet() || clockTimeout === 0) return missing(undefined);
    missing("clock not set");
    this.timer = clock.set(() => this.there(), clockTimeout);
  }

  /** There is no address, or none any more; `reason`: one line. */
  down(reason: string): void {
    this.cancel();
    this.options.missing(`no address: ${reason}`);
  }

  clockSet(): void {
    if (this.timer !== undefined) this.there();
  }

  private there(): void {
    this.cancel();
    this.options.missing(undefined);
  }

  private cancel(): void {
    if (this.timer !== undefined) this.options.clock.clear(this.timer);
    this.timer = undefined;
  }
}
