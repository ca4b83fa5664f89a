import type { JsonFields } from "./json-fields";
import type { PlatformFields } from "./platform-fields";

/** MQTT over TLS (IANA). */
const TLS_PORT = 8883;

/** A device of ThingsPanel: its voucher, and how its server is set up. */
export function thingspanelFields(fields: JsonFields): PlatformFields {
  const profile = fields.oneOf("profile", ["v0", "v1"]);
  if (profile === undefined) throw fields.error("profile", "is missing");
  const host = fields.object("mqtt")?.string("host");
  if (host === undefined || host === "") throw fields.error("mqtt.host", "is missing");
  const optional = {
    password: fields.string("password"),
    deviceNumber: fields.string("deviceNumber"),
    // "" is a way to write "default".
    module: fields.string("module") || undefined,
    httpBase: fields.string("httpBase"),
    progressTopic: fields.string("progressTopic"),
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  const platform = {
    kind: "thingspanel",
    profile,
    username: fields.required("username"),
    clientId: fields.required("clientId"),
    brokerHost: host,
    ...given,
  } as const;
  return { platform, broker: { host, port: TLS_PORT }, secret: true };
}
