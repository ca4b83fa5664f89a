/** Every parser of input from outside, each with valid inputs to start from. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { NETWORK_TARGETS } from "./network-targets";
import { OFFER_TARGETS } from "./offer-targets";
import { STORED_TARGETS } from "./stored-targets";
import { JSON_TOKENS, mayRefuse, texts } from "./target";
import type { Target } from "./target";

const DEVICE = JSON.stringify({
  platform: "tencent",
  mqtt: { host: "h", port: 1883, tls: false },
  auth_mode: "KEY",
  productId: "A1",
  deviceName: "d",
  key_deviceinfo: { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
  trialSeconds: 60,
});
const PANEL = JSON.stringify({
  platform: "thingspanel",
  profile: "v1",
  mqtt: { host: "h", tls: false },
  username: "u",
  password: "",
  clientId: "c",
  deviceNumber: "n",
  module: "MCU",
});

/** All targets; `close` removes the temporary folder. */
export function createTargets(): { readonly targets: readonly Target[]; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-fuzz-"));
  const file = join(folder, "device.json");
  const config: Target = {
    name: "device.json",
    seeds: texts(DEVICE, PANEL),
    tokens: JSON_TOKENS,
    run: (input) => {
      writeFileSync(file, input, { mode: 0o600 });
      mayRefuse(() => readDeviceConfig(file));
    },
  };
  const targets = [...NETWORK_TARGETS, ...OFFER_TARGETS, ...STORED_TARGETS, config];
  return { targets, close: () => rmSync(folder, { recursive: true, force: true }) };
}
