/** A pump that gets its updates over the air from Tencent IoT. Its device: mcconfig ... productId=... deviceName=... deviceSecret=... */
import config from "mc/config";
import Resource from "Resource";
import OtaAgent from "xs-ota";
import { powerOn } from "xs-ota/moddable";
import { TencentPlatform, defaultBroker } from "xs-ota/tencent";
import { Pump } from "pump";

/** Whom to trust: certificate authorities of broker and file server, DER files under "data" in the manifest. */
const trust = (kind: "mqtt" | "https") => ({
  roots: Resource.exists(`${kind}.der`) ? [new Uint8Array(new Resource(`${kind}.der`).slice(0))] : [],
});

powerOn(
  (device) => {
    const { ports } = device;
    const setting = (key: string): string | undefined => (device.setting(key) ?? config[key])?.toString();
    const productId = setting("productId") ?? "";
    const tls = setting("mqttTls") !== "false";
    const pump = new Pump();
    const agent = new OtaAgent({
      ports,
      platform: new TencentPlatform(
        {
          productId,
          deviceName: setting("deviceName") ?? "",
          authMode: "KEY",
          deviceSecret: setting("deviceSecret") ?? "",
        },
        ports.crypto,
      ),
      broker: {
        ...defaultBroker(productId),
        ...(tls ? {} : { host: setting("mqttHost") ?? "127.0.0.1", port: Number(setting("mqttPort") ?? 1883) }),
        tls,
      },
      policy: { allowHttp: !tls },
      onNotice: (notice) => trace(`${JSON.stringify(notice)}\n`),
      /** Not in the middle of a dose: the new firmware is in flash already, only the restart waits. */
      onRestart: (_task, proceed) => pump.whenIdle(proceed),
      /** New firmware has reached the cloud; it stays if it also moves the pump. */
      onHealthCheck: (answer) => answer(pump.turns(), "the pump does not turn"),
    });
    device.connect(() => agent.start());
    return agent;
  },
  { trust },
);
