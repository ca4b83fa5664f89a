/**
 * The firmware's settings: each a value with a name, given on mcconfig's command line (`mqttHost=192.0.2.1`), in the manifest's `config`
 * or stored on the device. Names are those of device.json, drawn together to at most 15 characters, which is all that NVS takes.
 */
import { TencentPlatform, defaultBroker } from "xs-ota/tencent";
import { ThingsPanelPlatform } from "xs-ota/thingspanel";
import type { AgentOptions, BrokerAddress, Crypto, Platform, Policy } from "xs-ota";

export interface Settings {
  /** Of the device, for people. */
  readonly name: string;
  readonly platform: Platform;
  readonly broker: BrokerAddress;
  readonly policy: Partial<Policy>;
  readonly download: NonNullable<AgentOptions["download"]>;
}

/** Looks a setting up. From the command line everything is text. */
export type Lookup = (key: string) => string | number | boolean | undefined;

const TLS_PORT = 8883;
const PLAIN_PORT = 1883;

/** Throws with one line that names the setting where one is missing or impossible; a secret is never shown. */
export function readSettings(lookup: Lookup, crypto: Crypto): Settings {
  const read = new Reader(lookup);
  const tls = read.flag("mqttTls") ?? true;
  const { name, platform, host } = platformOf(read, crypto);
  const port = read.number("mqttPort", 1, 65_535) ?? (tls ? TLS_PORT : PLAIN_PORT);
  return { name, platform, broker: { host, port, tls }, policy: policyOf(read, tls), download: downloadOf(read) };
}

function downloadOf(read: Reader): Settings["download"] {
  const range = read.number("range", 4_096, 16_384);
  const crc16 = read.flag("crc16");
  return { ...(range === undefined ? {} : { range }), ...(crc16 === undefined ? {} : { crc16 }) };
}

function platformOf(read: Reader, crypto: Crypto): { name: string; platform: Platform; host: string } {
  switch (read.required("platform")) {
    case "tencent": {
      const productId = read.required("productId");
      const deviceName = read.required("deviceName");
      const authMode = read.oneOf("authMode", ["KEY", "CERT"]) ?? "KEY";
      // Asked for at each connect: in between it is not in memory.
      const deviceSecret = read.text("deviceSecret") === undefined ? undefined : () => read.text("deviceSecret");
      const hmac = read.oneOf("hmac", ["SHA256", "SHA1"]);
      const config = {
        productId,
        deviceName,
        authMode,
        ...(deviceSecret === undefined ? {} : { deviceSecret }),
        ...(hmac === undefined ? {} : { hmac }),
      };
      return {
        name: deviceName,
        platform: new TencentPlatform(config, crypto),
        host: read.text("mqttHost") ?? defaultBroker(productId).host,
      };
    }
    case "thingspanel": {
      const host = read.required("mqttHost");
      const config = {
        profile: read.oneOf("profile", ["v0", "v1"]) ?? "v0",
        username: read.required("username"),
        password: () => read.text("password"),
        clientId: read.required("clientId"),
        brokerHost: host,
        ...read.present("deviceNumber"),
        ...read.present("module"),
        ...read.present("httpBase"),
      };
      return {
        name: read.text("deviceNumber") ?? config.clientId,
        platform: new ThingsPanelPlatform(config, crypto),
        host,
      };
    }
    default:
      throw new Error('platform: "tencent" or "thingspanel"');
  }
}

function policyOf(read: Reader, tls: boolean): Partial<Policy> {
  const trialSeconds = read.number("trialSeconds", 30, 900);
  const maxAttempts = read.number("maxAttempts", 1, 15);
  const repeatBudget = read.number("repeatBudget", 0, 255);
  const allowDowngrade = read.flag("allowDowngrade");
  const allowNoDigest = read.flag("allowNoDigest");
  const allowForeign = read.flag("allowForeign");
  const signingKeys = read.text("signingKeys");
  return {
    // A download is as private as the connection that announced it, unless somebody says otherwise.
    allowHttp: read.flag("allowHttp") ?? !tls,
    ...(trialSeconds === undefined ? {} : { trialSeconds }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(repeatBudget === undefined ? {} : { repeatBudget }),
    ...(allowDowngrade === undefined ? {} : { allowDowngrade }),
    ...(allowNoDigest === undefined ? {} : { allowNoDigest }),
    ...(allowForeign === undefined ? {} : { allowForeign }),
    // Public keys as hex (04, X, Y) or PEM, with commas between them.
    ...(signingKeys === undefined ? {} : { signingKeys: signingKeys.split(",") }),
  };
}

class Reader {
  readonly #lookup: Lookup;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  /** Undefined where absent or "". */
  text(key: string): string | undefined {
    const value = this.#lookup(key);
    return value === undefined || value === "" ? undefined : String(value);
  }

  required(key: string): string {
    const value = this.text(key);
    if (value === undefined) throw new Error(`${key}: is missing`);
    return value;
  }

  present<K extends string>(key: K): { [key in K]?: string } {
    const value = this.text(key);
    return value === undefined ? {} : ({ [key]: value } as { [key in K]: string });
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value !== undefined && !words.includes(value as T))
      throw new Error(`${key}: ${words.map((word) => `"${word}"`).join(" or ")}`);
    return value as T | undefined;
  }

  flag(key: string): boolean | undefined {
    const value = this.oneOf(key, ["true", "false"]);
    return value === undefined ? undefined : value === "true";
  }

  number(key: string, least: number, most: number): number | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new Error(`${key}: a whole number from ${least} to ${most}`);
    return value;
  }
}
