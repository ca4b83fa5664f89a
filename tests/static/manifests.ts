/** A manifest as ESP Web Tools and ESPHome take it, with our own fields, and a platform that reads it. */
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { StaticPlatform } from "../../src/platforms/static/dialect";
import type { StaticConfig } from "../../src/platforms/static/dialect";
import type { Polled } from "../../src/platforms/poll-platform";
import { splitUrl } from "../../src/http/url";
import type { HttpUrl } from "../../src/http/url";
import type { Running } from "../../src/ports";

export const MD5 = "1d40bfcfc9d7d21ca16b5515c0f6a340";
export const SHA256 = "ab".repeat(32);
export const RUNNING: Running = { slot: "ota_0", version: "0.1.0", project: "thermostat", chip: 5, state: "valid" };
export const CONFIG: StaticConfig = { manifest: "http://files.example/fw/manifest.json", deviceId: "dev-1" };

export const OTA = { path: "thermostat-0.2.0.bin", md5: MD5, sha256: SHA256, size: 700_000 };
export const MANIFEST = {
  name: "Thermostat",
  version: "0.2.0",
  builds: [
    { chipFamily: "ESP32", ota: { path: "other.bin", md5: MD5 } },
    { chipFamily: "ESP32-C3", parts: [{ path: "full.bin", offset: 0 }], ota: OTA },
  ],
};
export const PREVIOUS = { version: "0.1.5", builds: [{ chipFamily: "ESP32-C3", ota: { path: "old.bin", md5: MD5 } }] };

export const platform = (change: Partial<StaticConfig> = {}): StaticPlatform =>
  new StaticPlatform({ ...CONFIG, ...change }, new NodeCrypto(() => 0.5));

export const polled = (
  manifest: unknown,
  { running = {}, config = {}, url = CONFIG.manifest }: { running?: object; config?: object; url?: string } = {},
): Polled =>
  platform(config).polled(
    {
      body: Buffer.from(typeof manifest === "string" ? manifest : JSON.stringify(manifest)),
      url: splitUrl(url) as HttpUrl,
    },
    { ...RUNNING, ...running },
  );

/** The version that is wanted, "nothing", or what is wrong. */
export const wanted = (...args: Parameters<typeof polled>): string => {
  const result = polled(...args);
  if (result.kind !== "read") return result.kind === "bad" ? result.message : result.kind;
  const { incoming, remark } = result;
  return incoming.kind === "offer" ? incoming.offer.version : `nothing${remark === undefined ? "" : `: ${remark}`}`;
};
