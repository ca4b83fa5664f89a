/** What a board gives its firmware as configuration. A chip keeps this in NVS or in the firmware. Types only. */
import type { AgentOptions, BrokerAddress, Policy } from "../../../src/index";

/** `kind`: the platform's name. The rest is its configuration object, which its own definition checks. */
export interface PlatformConfiguration {
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/** Certificates are not here: trust belongs to the socket port, which the board provides. */
export interface FirmwareConfiguration {
  readonly platform: PlatformConfiguration;
  readonly broker: BrokerAddress;
  readonly policy: Partial<Policy>;
  readonly download?: NonNullable<AgentOptions["download"]>;
  /** Modules that are not the firmware: their names in offers, and the data partitions that they go to. */
  readonly modules?: { readonly [name: string]: string };
  /** A battery device: seconds awake at most, and asleep. */
  readonly sleep?: { readonly awake: number; readonly asleep: number };
  /** MD5 in JavaScript in place of the board's. */
  readonly portableMd5?: boolean;
}

/** Put in front of the bundle when an image is made of it. */
export interface FirmwareConstants {
  readonly version: string;
  /** Never opens a connection. */
  readonly offline?: boolean;
}
