/** The platform of a scenario's device. */
import { HawkbitPlatform } from "../../../src/platforms/hawkbit/dialect";
import type { Platform, PlatformRules } from "../../../src/platforms/platform";
import { StaticPlatform } from "../../../src/platforms/static/dialect";
import { TencentPlatform } from "../../../src/platforms/tencent/dialect";
import { ThingsBoardPlatform } from "../../../src/platforms/thingsboard/dialect";
import { ThingsPanelPlatform } from "../../../src/platforms/thingspanel/dialect";
import { NodeCrypto } from "../../../host-sim/board/node-crypto";
import { HAWKBIT_DEVICE } from "./hawkbit-side";
import type { Scenario, ScenarioPlatform } from "./scenarios";

export const TENCENT_DEVICE = {
  productId: "P0WERCUT00",
  deviceName: "board",
  authMode: "KEY",
  deviceSecret: "c2VjcmV0c2VjcmV0c2VjcmV0cw==",
} as const;

/** The title is that of the peer's packages. */
export const THINGSBOARD_DEVICE = { title: "board", accessToken: "token" } as const;

export function platformOf({ platform }: Scenario): Platform {
  const crypto = new NodeCrypto(() => 0.5);
  if (platform === "tencent") {
    return new TencentPlatform(TENCENT_DEVICE, crypto);
  }
  if (platform === "hawkbit") return new HawkbitPlatform(HAWKBIT_DEVICE);
  if (platform === "static") {
    const { deviceName: deviceId } = TENCENT_DEVICE;
    const manifest = "http://cloud/manifest.json";
    return new StaticPlatform({ manifest, report: "http://cloud/report", deviceId, pollSeconds: 600 }, crypto);
  }
  if (platform === "thingsboard") return new ThingsBoardPlatform(THINGSBOARD_DEVICE);
  if (platform === "thingsboard-http")
    return new ThingsBoardPlatform({ ...THINGSBOARD_DEVICE, server: "http://files" });
  const profile = platform === "thingspanel-v0" ? "v0" : "v1";
  return new ThingsPanelPlatform({ profile, username: "token", clientId: "board", brokerHost: "broker" }, crypto);
}

export function rulesOf(platform: ScenarioPlatform): PlatformRules {
  return platformOf({ platform } as Scenario).rules;
}
