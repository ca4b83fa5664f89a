/**
 * How a board brings its network up. A manifest maps the module name "xs-ota/network" to an implementation: wifi.ts,
 * ethernet.ts or none.ts, or one of the application. Types only.
 */
import type { Clock } from "../../../src/ports";

export interface BringUpOptions {
  /** A setting kept on the device, or in mc/config. Never traced. */
  setting(key: string): string | undefined;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  /** The device has an address. Called again after `down`, when it has a new one. */
  up(): void;
  /** There is no address any more. `reason`: one line for people. */
  down(reason: string): void;
  /** An attempt has ended without an address. */
  failed?(reason: string): void;
  log(line: string): void;
}

/** Brings the network up and keeps it up. Called once. It makes no callback before it returns. */
export type BringUp = (options: BringUpOptions) => void;
