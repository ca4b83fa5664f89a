/** What the firmware of a board is configured with. Its board puts it into NVS at each power-on. */
import type { AgentOptions, BrokerAddress, Policy } from "../../../src/index";

/** `kind`: the platform's name. The rest is its configuration object, which its own definition checks. */
export interface PlatformConfiguration {
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/** Certificates are not here: trust belongs to the socket port, which the board provides. */
export interface FirmwareConfiguration {
  readonly platform: PlatformConfiguration;
  /** Absent where the platform is polled. */
  readonly broker?: BrokerAddress;
  readonly policy: Partial<Policy>;
  readonly download?: NonNullable<AgentOptions["download"]>;
  /** Modules that are not the firmware: their names in offers, and the data partitions that they go to. */
  readonly modules?: { readonly [name: string]: string };
  /** A battery device: seconds awake at most, and asleep. */
  readonly sleep?: { readonly awake: number; readonly asleep: number };
  /** False: failures are not recorded. */
  readonly recorder?: boolean;
  /** Topic to which recordings are published. */
  readonly diagnosticsTopic?: string;
  /** MD5 in JavaScript in place of the board's. */
  readonly portableMd5?: boolean;
}

/** Where a board is, which no firmware can change. */
export interface Surroundings {
  /** From the start of a boot to an address, ms; or why there is none. */
  readonly address: number | string;
  /** The clock is set (a chip keeps it over restarts), a time server will set it, or nobody does. */
  readonly time: "set" | "served" | "unknown";
}

/**
 * Firmware that is made to fail. "throw": as it is loaded; "hang": it never ends its first turn; "offline": no broker
 * ever answers; "no-network": it never brings its interface up; "no-clock": it never sets its clock; "throw-late": in
 * its health check's own time; "reject": its start is a promise that is rejected; "out-of-memory": as "throw-late".
 */
export const FAULTS = [
  "throw",
  "hang",
  "offline",
  "no-network",
  "no-clock",
  "throw-late",
  "reject",
  "out-of-memory",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Put in front of the bundle when an image is made of it. */
export interface FirmwareConstants {
  readonly version: string;
  readonly fault?: Fault;
}
