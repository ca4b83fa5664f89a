/**
 * Bringing the network up: the one thing that differs between boards. A manifest maps the module name "xs-ota/network" to an implementation:
 * wifi.ts, ethernet.ts and none.ts are here; an application may map its own. Types only.
 */
import type { Clock } from "../../../src/ports";

export interface BringUpOptions {
  /** A setting kept on the device, or in mc/config. Never traced. */
  setting(key: string): string | undefined;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  /** The device has an address. After `down` again whenever it has one anew. */
  up(): void;
  /** `reason`: one line for people. */
  down(reason: string): void;
  log(line: string): void;
}

/** Starts to bring the network up and keeps it so for ever. Called once; calls nobody back from inside. */
export type BringUp = (options: BringUpOptions) => void;
