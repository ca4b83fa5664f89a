import type { AgentOptions } from "../../../src/agent/agent";
import type { Crypto } from "../../../src/ports";

/** The agent of edition 1, with the options of today that it has as well. */
export class OtaAgent {
  constructor(options: Omit<AgentOptions, "platform"> & { readonly platform: TencentPlatform });
  readonly state: string;
  start(): void;
}

export class TencentPlatform {
  constructor(
    device: {
      readonly productId: string;
      readonly deviceName: string;
      readonly authMode: "KEY";
      readonly deviceSecret: string;
    },
    crypto: Crypto,
  );
}
