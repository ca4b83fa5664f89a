/**
 * The firmware's settings. Each is a value with a name, given on mcconfig's command line (`mqttHost=192.0.2.1`), in the
 * manifest's `config`, or stored on the device. Those of a platform come from its folder. A name has at most 15
 * characters, the limit of NVS.
 */
import { PLATFORMS } from "xs-ota/src/platforms/index";
import type {
  AgentOptions,
  AnyPlatform,
  BrokerAddress,
  Crypto,
  Platform,
  Policy,
  PlatformSetting as Setting,
} from "xs-ota";

export interface Settings extends Pick<AgentOptions, "recorder" | "diagnosticsTopic"> {
  /** What people call the device. */
  readonly name: string;
  readonly platform: Platform;
  /** Absent where the platform is polled. */
  readonly broker?: BrokerAddress;
  readonly policy: Partial<Policy>;
  readonly download: NonNullable<AgentOptions["download"]>;
}

/** Looks a setting up. From the command line everything is text. */
export type Lookup = (key: string) => string | number | boolean | undefined;

const TLS_PORT = 8883;
const PLAIN_PORT = 1883;

/** Throws with one line that names the setting where one is missing or impossible; a secret is never shown. */
export const readSettings = (
  lookup: Lookup,
  crypto: Crypto,
  platforms: readonly AnyPlatform[] = PLATFORMS,
): Settings => {
  const read = new Reader(lookup);
  const kind = read.required("platform");
  const definition = platforms.find(({ name }) => name === kind);
  if (definition === undefined) throw new Error(`platform: ${anyOf(platforms.map(({ name }) => name))}`);
  // `never`: only the definition knows which configuration its settings make.
  const config = read.each(definition.settings());
  const platform = new definition.Platform(config as never, crypto);
  const server = definition.server?.(config as never);
  const broker = server === undefined ? brokerOf(read, definition.brokerHost?.(config as never)) : undefined;
  return {
    name: String(config[definition.title.split(" ").find((name) => config[name] !== undefined)!]),
    platform,
    ...(broker === undefined ? {} : { broker }),
    policy: policyOf(read, broker?.tls ?? !isPlain(server)),
    download: present({ range: read.number("range", 4_096, 16_384), crc16: read.flag("crc16") }),
    ...present({ recorder: read.flag("recorder"), diagnosticsTopic: read.topic("diagTopic") }),
  };
};

const brokerOf = (read: Reader, usual: string | undefined): BrokerAddress => {
  const tls = read.flag("mqttTls") ?? true;
  const host = read.text("mqttHost") ?? usual ?? read.required("mqttHost");
  return { host, port: read.number("mqttPort", 1, 65_535) ?? (tls ? TLS_PORT : PLAIN_PORT), tls };
};

const isPlain = (url = ""): boolean => url.slice(0, 5).toLowerCase() === "http:";

const policyOf = (read: Reader, tls: boolean): Partial<Policy> => {
  return present({
    // Plain downloads are refused while the cloud is reached over TLS, unless a setting allows them.
    allowHttp: read.flag("allowHttp") ?? !tls,
    trialSeconds: read.number("trialSeconds", 30, 900),
    maxAttempts: read.number("maxAttempts", 1, 15),
    repeatBudget: read.number("repeatBudget", 0, 255),
    eraseBlock: read.number("eraseBlock", 4, 64),
    allowDowngrade: read.flag("allowDowngrade"),
    allowNoDigest: read.flag("allowNoDigest"),
    allowForeign: read.flag("allowForeign"),
    allowDelta: read.flag("allowDelta"),
    // Public keys as hex (04, X, Y) or PEM, with commas between them.
    signingKeys: read.text("signingKeys")?.split(","),
  });
};

/** Without the fields that are undefined. */
const present = <T extends object>(all: T): { [K in keyof T]?: NonNullable<T[K]> } => {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
};

const anyOf = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(" or ");

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

  /** The configuration object of a platform. */
  each(settings: readonly Setting[]): { readonly [name: string]: unknown } {
    const values = settings
      .filter(({ file }) => file === undefined)
      .map(({ name, nvs = name, required, oneOf, number, secret }) => {
        // At each connect: in between, a secret is not in memory.
        if (secret === "fetched") return [name, () => this.text(nvs)];
        if (number !== undefined) return [name, this.number(nvs, ...number)];
        const given = oneOf === undefined ? this.text(nvs) : this.oneOf(nvs, oneOf);
        return [name, given ?? (required ? (oneOf?.[0] ?? this.required(nvs)) : undefined)];
      });
    return present(Object.fromEntries(values) as { [name: string]: unknown });
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value !== undefined && !words.includes(value as T)) throw new Error(`${key}: ${anyOf(words)}`);
    return value as T | undefined;
  }

  topic(key: string): string | undefined {
    const topic = this.text(key);
    if (topic?.includes("+") || topic?.includes("#")) throw new Error(`${key}: a topic without + and #`);
    return topic;
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
