import { linkToBroker } from "../../agent/mqtt-cloud";
import type { Identity, Message } from "../../mqtt/message";
import type { Crypto } from "../../ports";
import { MESSAGE_MAX, MQTT_KEEPALIVE } from "../../constants";
import type { Cause, Task } from "../../job/types";
import { truncateUtf8 } from "../../util/utf8";
import { splitUrl } from "../../http/url";
import { ignored, readObject } from "../incoming";
import type { BrokerPlatform } from "../broker-platform";
import type { CloudLink, Incoming, LinkContext, PlatformDefinition, PlatformRules, Report, Setting } from "../platform";
import { PROFILES } from "./profiles";
import type { Profile, ProfileFacts } from "./profiles";
import { readTask } from "./task";

/**
 * ThingsPanel. Message shapes: "Firmware Upgrade (OTA)" of its manual. Where its servers differ, this follows the
 * servers.
 */

export interface ThingsPanelConfig {
  readonly profile: Profile;
  /** The access token. */
  readonly username: string;
  /** Absent or "" where the device's voucher is the token alone. A function is called at each connect. */
  readonly password?: string | (() => string | undefined);
  /** Unique, and always the same. */
  readonly clientId: string;
  /** v1 names the device by it in topics; default: the user name. */
  readonly deviceNumber?: string;
  /** Name under which the firmware itself is offered, beside "default". */
  readonly module?: string;
  /** Host of the broker. A download from a loopback address is accepted only where this is one too. */
  readonly brokerHost: string;
  /** Put before a relative URL, "http://host:port". Without it such an offer is refused. */
  readonly httpBase?: string;
  /** Where progress goes, if not to the profile's topic. */
  readonly progressTopic?: string;
  /** Seconds, 1 to 300 (the broker's limit). */
  readonly keepAlive?: number;
}

const KEEPALIVE_MAX = 300;

/** The manual: -1 failed, -2 download failed, -3 check failed, -4 write failed. */
export const STEPS: { readonly [cause in Cause]: number } = Object.freeze({
  "download-timeout": -2,
  "not-found": -2,
  "url-expired": -2,
  download: -2,
  "digest-mismatch": -3,
  flash: -4,
  rejected: -1,
  signature: -3,
  "rolled-back": -1,
});

const settings = (): Setting[] => [
  /** `v0` for servers up to 0.5, `v1` from 1.0 on. The two generations share nothing but the form of the messages. */
  { name: "profile", required: true, oneOf: ["v0", "v1"] },
  /** Host of the broker. */
  { name: "brokerHost", json: "mqtt.host", nvs: "mqttHost", required: true },
  /** The access token. */
  { name: "username", required: true, secret: "kept" },
  /** Absent, or "", where the device's voucher is the token alone; such a device is refused with a password. */
  { name: "password", secret: "fetched" },
  /** Any, but unique and always the same. */
  { name: "clientId", required: true },
  /** Names the device in v1's topics; default: `username`. */
  { name: "deviceNumber" },
  /** Name under which the firmware itself is offered; absent, null, "" and "default" always mean it. */
  { name: "module", blank: true },
  /** `http://host:port`, put before relative URLs. */
  { name: "httpBase" },
  /** Default: the profile's. v0 behind VerneMQ listens at `ota/device/progress/{accessToken}`. */
  { name: "progressTopic" },
];

export class ThingsPanelPlatform implements BrokerPlatform {
  readonly name = "thingspanel";
  readonly subscriptions: readonly string[];
  readonly rules: PlatformRules;
  private readonly config: ThingsPanelConfig;
  private readonly crypto: Crypto;
  private readonly profile: ProfileFacts;
  private readonly module: string;
  private readonly progressTopic: string;

  /** Throws with one line that names the setting if the configuration can not work. */
  constructor(config: ThingsPanelConfig, crypto: Crypto) {
    const {
      profile,
      username,
      brokerHost,
      clientId,
      deviceNumber = username,
      module = "default",
      httpBase,
      keepAlive = MQTT_KEEPALIVE,
    } = config;
    if (profile !== "v0" && profile !== "v1") throw new Error('profile: "v0" or "v1"');
    checkLevel("username", username);
    checkLevel("deviceNumber", deviceNumber);
    for (const [name, value] of Object.entries({ brokerHost, clientId, module }))
      if (typeof value !== "string" || value === "") throw new Error(`${name}: missing`);
    if (httpBase !== undefined && typeof splitUrl(httpBase) === "string")
      throw new Error(`httpBase: ${splitUrl(httpBase) as string}`);
    if (!Number.isInteger(keepAlive) || keepAlive < 1 || keepAlive > KEEPALIVE_MAX)
      throw new Error(`keepAlive: whole seconds from 1 to ${KEEPALIVE_MAX}`);
    this.config = config;
    this.crypto = crypto;
    this.module = module;
    this.profile = PROFILES[profile];
    this.progressTopic = config.progressTopic ?? this.profile.progress;
    this.subscriptions = this.profile.tasks(username, deviceNumber);
    this.rules = this.profile.rules;
  }

  link(context: LinkContext): CloudLink {
    return linkToBroker(this, context);
  }

  identity(): Identity {
    const { clientId, username, password: given, keepAlive = MQTT_KEEPALIVE } = this.config;
    const password = typeof given === "function" ? given() : given;
    return { clientId, username, keepAlive, ...(password === undefined || password === "" ? {} : { password }) };
  }

  parse(topic: string, payload: Uint8Array): Incoming {
    if (!this.subscriptions.includes(topic)) return ignored("another topic");
    const message = readObject(payload);
    return typeof message === "string" ? ignored(message) : readTask(message, { ...this.config, module: this.module });
  }

  encode(report: Report): Message | undefined {
    switch (report.kind) {
      case "version":
        return this.version(report.version);
      case "progress":
        // QoS 0: the next report follows within seconds. 0 is no step. 100 ends the task, which only the new firmware
        // may do.
        return this.progress(
          0,
          report.task,
          Math.min(Math.max(Math.floor(report.percent), 1), 99),
          report.note ?? "downloading",
        );
      case "burning":
        return this.progress(1, report.task, 99, "downloaded and verified, about to restart");
      case "outcome":
        return report.outcome.kind === "done"
          ? this.progress(1, report.task, 100, `${report.task.version} installed`)
          : this.progress(1, report.task, STEPS[report.outcome.cause], report.outcome.message);
    }
  }

  /** `id`: 10 digits, as in the manual. The server never refers to it. */
  private version(version: string): Message | undefined {
    const topic = this.profile.version;
    if (topic === undefined) return undefined;
    const id = String(1_000_000_000 + Math.floor(this.crypto.random() * 9_000_000_000));
    return { topic, qos: 1, payload: JSON.stringify({ id, params: { version, module: this.module } }) };
  }

  /** `module` is sent exactly as received: v0 compares it with that of the package, and reads an absent one as "". */
  private progress(qos: 0 | 1, { module }: Task, step: number, desc: string): Message {
    const content = {
      step: String(step),
      desc: truncateUtf8(desc, MESSAGE_MAX),
      ...(module === undefined ? {} : { module }),
    };
    return { topic: this.progressTopic, qos, payload: JSON.stringify(content) };
  }
}

/** ThingsPanel, both generations. */
export const thingspanel: PlatformDefinition<ThingsPanelConfig> = Object.freeze({
  name: "thingspanel",
  settings,
  title: "deviceNumber clientId",
  codes: STEPS,
  Platform: ThingsPanelPlatform,
});

/** These become one level of a topic. */
const checkLevel = (setting: string, value: unknown): void => {
  if (typeof value !== "string" || value === "") throw new Error(`${setting}: missing`);
  if (/[\0-\x20\x7f/+#]/.test(value)) throw new Error(`${setting}: has a character that no topic can carry`);
};
