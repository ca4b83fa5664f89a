/** Parsers of offers: the platforms' dialects. */
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { splitUrl } from "../../src/http/url";
import type { HttpUrl } from "../../src/http/url";
import { StaticPlatform } from "../../src/platforms/static/dialect";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { JSON_TOKENS, texts } from "./target";
import type { Target } from "./target";

const crypto = new NodeCrypto(() => 0.5);
export const OFFER = JSON.stringify({
  file_size: 11821,
  md5sum: "1d40bfcfc9d7d21ca16b5515c0f6a340",
  type: "update_firmware",
  url: "https://h.example/f?sign=q%3D1",
  version: "0.0.2",
});
const PANEL_OFFER =
  '{"code":"200","id":"123456789","params":{"extData":{},"module":null,"sign":"1d40bfcfc9d7d21ca16b5515c0f6a340","signMethod":"MD5","size":"1234","url":"http://h.example/f.bin","version":"v1.1"}}';

const MANIFEST =
  '{"name":"n","version":"0.2.0","percent":10,"builds":[{"chipFamily":"ESP32","ota":{"path":"a/b.bin","md5":"1d40bfcfc9d7d21ca16b5515c0f6a340","size":9}}],' +
  '"previous":{"version":"0.1.5","builds":[{"chipFamily":"ESP32","ota":{"path":"../c.bin","sha256":"' +
  `${"ab".repeat(32)}"}}]}}`;

const tencent = new TencentPlatform({ productId: "P", deviceName: "D", authMode: "CERT" }, crypto);
const panels = (["v0", "v1"] as const).map(
  (profile) => new ThingsPanelPlatform({ profile, username: "u", clientId: "c", brokerHost: "h.example" }, crypto),
);
const files = new StaticPlatform({ manifest: "http://h.example/m/manifest.json", deviceId: "d" }, crypto);
const MANIFEST_URL = splitUrl("http://h.example/m/manifest.json") as HttpUrl;
const RUNNING = { slot: "ota_0", version: "0.1.0", project: "p", chip: 0, state: "valid" } as const;
const panelTopics = panels.map((panel) => panel.subscriptions[0] ?? "");

export const OFFER_TARGETS: readonly Target[] = [
  {
    name: "offer, Tencent",
    seeds: texts(OFFER, '{"result_code":0,"result_msg":"success","type":"report_version_rsp","version":"1"}'),
    tokens: JSON_TOKENS,
    run: (input) => void tencent.parse("$ota/update/P/D", input),
  },
  {
    name: "offer, ThingsPanel v0",
    seeds: texts(PANEL_OFFER),
    tokens: JSON_TOKENS,
    run: (input) => void panels[0]?.parse(panelTopics[0] ?? "", input),
  },
  {
    name: "offer, ThingsPanel v1",
    seeds: texts(PANEL_OFFER),
    tokens: JSON_TOKENS,
    run: (input) => void panels[1]?.parse(panelTopics[1] ?? "", input),
  },
  {
    name: "manifest of a release",
    seeds: texts(MANIFEST, MANIFEST.replace('"percent":10', '"percent":0')),
    tokens: [...JSON_TOKENS, ...texts('"builds"', '"ota"', '"previous"', '"percent"', '"ESP32"', "//", "https://")],
    run: (input) => void files.polled({ body: input, url: MANIFEST_URL }, RUNNING),
  },
];
