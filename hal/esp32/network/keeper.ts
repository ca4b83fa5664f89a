/**
 * Keeps an ECMA-419 network interface connected: it joins again after each failure, with full jitter between attempts.
 * The longest wait is a minute. The jitter keeps a fleet from joining all at once.
 */
import { BACKOFF_CAP, BACKOFF_FIRST } from "../../../src/constants";
import { Backoff } from "../../../src/util/backoff";
import type { BringUpOptions } from "./bring-up";

export interface Interface {
  /** May throw. */
  connect(): void;
  disconnect(): void;
  /** ECMA-419: up to 200 disconnected, from 500 on it has an address. */
  readonly connection: number;
}

/** From the start of an attempt to an address, ms: a scan takes 3 s, a slow DHCP server its 10. */
const ATTEMPT = 30_000;
/** A connection that lasted this long was a good one: waits begin small again. */
const STABLE = 30_000;
const DISCONNECTED = 200;
const ADDRESS = 500;

export class LinkKeeper {
  private readonly options: BringUpOptions;
  private readonly open: () => Interface;
  private readonly backoff: Backoff;
  private interface: Interface | undefined;
  private state: "idle" | "joining" | "up" = "idle";
  private since = 0;
  private timer: number | undefined;

  /**
   * `open`: makes the interface; may throw, and is then tried again. Its owner calls `changed` at each of its events.
   */
  constructor(options: BringUpOptions, open: () => Interface) {
    this.options = options;
    this.open = open;
    this.backoff = new Backoff(() => options.random(), BACKOFF_FIRST, BACKOFF_CAP);
  }

  start(): void {
    this.after(0, () => this.join());
  }

  /** Never throws: it is called out of the SDK's callbacks. */
  changed(): void {
    try {
      const { connection } = this.interface ?? { connection: DISCONNECTED };
      if (connection >= ADDRESS) this.arrived();
      else if (connection <= DISCONNECTED) this.gone("disconnected");
      else if (this.state === "up") this.lost("address lost");
    } catch (error) {
      this.options.log(`network: ${(error as Error).message}`);
    }
  }

  private join(): void {
    this.state = "joining";
    try {
      this.interface ??= this.open();
      // It may be up already: the application, or the system, was faster.
      if (this.interface.connection >= ADDRESS) return this.arrived();
      this.after(ATTEMPT, () => this.giveUp());
      this.interface.connect();
    } catch (error) {
      this.retry((error as Error).message);
    }
  }

  private arrived(): void {
    if (this.state === "up") return;
    this.state = "up";
    this.since = this.options.clock.now();
    this.cancel();
    this.options.up();
  }

  private gone(reason: string): void {
    if (this.state === "up") {
      if (this.options.clock.now() - this.since >= STABLE) this.backoff.reset();
      this.state = "joining";
      this.options.down(reason);
    }
    if (this.state === "joining") this.retry(reason);
  }

  /** Still associated: an address may come again. */
  private lost(reason: string): void {
    this.state = "joining";
    this.after(ATTEMPT, () => this.giveUp());
    this.options.down(reason);
  }

  private giveUp(): void {
    try {
      this.interface?.disconnect();
    } catch {
      // The next attempt will show.
    }
    this.retry("no address in time");
  }

  private retry(reason: string): void {
    this.state = "idle";
    const wait = this.backoff.next();
    this.options.log(`network: ${reason}; again in ${wait} ms`);
    this.options.failed?.(reason);
    this.after(wait, () => this.join());
  }

  private after(milliseconds: number, action: () => void): void {
    this.cancel();
    this.timer = this.options.clock.set(() => {
      this.timer = undefined;
      action();
    }, milliseconds);
  }

  private cancel(): void {
    if (this.timer !== undefined) this.options.clock.clear(this.timer);
    this.timer = undefined;
  }
}
