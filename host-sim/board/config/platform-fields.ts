import type { Trust } from "../node-network";
import type { PlatformConfiguration } from "../firmware/configuration";

/** What the keys of one platform give. */
export interface PlatformFields {
  readonly platform: PlatformConfiguration;
  /** Where a device of it connects, over TLS, unless `mqtt` says otherwise. */
  readonly broker: { readonly host: string; readonly port: number };
  /** How the device proves itself in TLS. */
  readonly credentials?: Pick<Trust, "certificate" | "privateKey">;
  /** The file holds something that others must not read. */
  readonly secret: boolean;
}
