/**
 * A soil sensor on a battery: a measurement every quarter of an hour, the rest is deep sleep. Updates over the air from
 * Tencent IoT take as many wakes as they need: mcconfig ... productId=... deviceName=... deviceSecret=...
 */
import config from "mc/config";
import Resource from "Resource";
import OtaAgent from "xs-ota";
import { powerOn } from "xs-ota/moddable";
import { TencentPlatform, defaultBroker } from "xs-ota/tencent";
import { measure } from "soil";

/** Seconds from one measurement to the next, about. */
const EVERY = 15 * 60;

/** Certificate authorities of broker and file server: DER files under "data" in the manifest. */
const roots = (name: string) => (Resource.exists(name) ? [new Uint8Array(new Resource(name).slice(0))] : []);

powerOn(
  (device) => {
    const setting = (key: string): string => String(device.setting(key) ?? config[key] ?? "");
    const [productId, deviceName, deviceSecret] = [
      setting("productId"),
      setting("deviceName"),
      setting("deviceSecret"),
    ];
    const identity = { productId, deviceName, deviceSecret, authMode: "KEY" } as const;
    const tls = setting("mqttTls") !== "false";
    const own = { host: setting("mqttHost") || "127.0.0.1", port: Number(setting("mqttPort") || 1883) };
    const agent = new OtaAgent({
      ports: device.ports,
      platform: new TencentPlatform(identity, device.ports.crypto),
      broker: { ...(tls ? defaultBroker(productId) : own), tls },
      policy: { allowHttp: !tls },
      /** A wake costs 20 s at most. One without an update takes about 3 s. */
      wake: { seconds: Number(setting("awake") || 20) },
      onNotice: (notice) => trace(`${JSON.stringify(notice)}\n`),
    });
    device.connect(() => agent.start());
    /** At every start, also where the network never comes up: the agent sleeps as soon as it may. */
    measure(() => agent.sleepUntil(Number(setting("asleep") || EVERY)));
    return agent;
  },
  { trust: (kind) => ({ roots: roots(`${kind}.der`) }) },
);
