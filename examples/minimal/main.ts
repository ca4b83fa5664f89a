/** A pump with updates over the air from Tencent IoT: mcconfig ... productId=... deviceName=... deviceSecret=... */
import config from "mc/config";
import Resource from "Resource";
import OtaAgent from "xs-ota";
import { powerOn } from "xs-ota/moddable";
import { TencentPlatform, defaultBroker } from "xs-ota/tencent";
import { Pump } from "pump";

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
    const pump = new Pump();
    return new OtaAgent({
      ports: device.ports,
      platform: new TencentPlatform(identity, device.ports.crypto),
      broker: { ...(tls ? defaultBroker(productId) : own), tls },
      policy: { allowHttp: !tls },
      onNotice: (notice) => trace(`${JSON.stringify(notice)}\n`),
      /** Not in the middle of a dose: the new firmware is in flash already, only the restart waits. */
      onRestart: (_task, proceed) => pump.whenIdle(proceed),
      /** New firmware has reached the cloud; it stays if it also moves the pump. */
      onHealthCheck: (answer) => answer(pump.turns(), "the pump does not turn"),
    });
  },
  { trust: (kind) => ({ roots: roots(`${kind}.der`) }) },
);
