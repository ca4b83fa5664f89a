import type { Crypto } from "../../../src/ports";
import type { Platform } from "../../../src/index";
import { TencentPlatform } from "../../../src/platforms/tencent/dialect";
import { ThingsPanelPlatform } from "../../../src/platforms/thingspanel/dialect";
import type { PlatformConfiguration } from "./configuration";

/** The cloud dialect that a configuration names. Throws with one line if the configuration can not work. */
export function createPlatform(configuration: PlatformConfiguration, crypto: Crypto): Platform {
  switch (configuration.kind) {
    case "tencent":
      return new TencentPlatform(configuration, crypto);
    case "thingspanel":
      return new ThingsPanelPlatform(configuration, crypto);
  }
}
