/** What a board tells its firmware: a chip would keep this in NVS or build it in. Types only. */
import type { AgentOptions, BrokerAddress, Policy } from "../../../src/index";
import type { TencentConfig } from "../../../src/platforms/tencent/dialect";
import type { ThingsPanelConfig } from "../../../src/platforms/thingspanel/dialect";

export type PlatformConfiguration =
  | ({ readonly kind: "tencent" } & TencentConfig)
  | ({ readonly kind: "thingspanel" } & ThingsPanelConfig);

/** Certificates are not here: trust belongs to the socket port, which the board provides. */
export interface FirmwareConfiguration {
  readonly platform: PlatformConfiguration;
  readonly broker: BrokerAddress;
  readonly policy: Partial<Policy>;
  readonly download?: NonNullable<AgentOptions["download"]>;
  /** Modules that are not the firmware: their names in offers, and the data partitions that they go to. */
  readonly modules?: { readonly [name: string]: string };
}

/** Put in front of the bundle when an image is made of it. */
export interface FirmwareConstants {
  readonly version: string;
  /** Never opens a connection. */
  readonly offline?: boolean;
}
