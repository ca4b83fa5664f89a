/**
 * A third cloud, as short as one can be: the example of docs/PLATFORMS.md. It pushes JSON, wants states as words, and
 * hears no versions. All types come from the public entry.
 */
import type {
  BrokerPlatform,
  CloudLink,
  Identity,
  Incoming,
  LinkContext,
  Message,
  PlatformDefinition,
  PlatformRules,
  PlatformSetting,
  Report,
} from "../../../src/index";
import { linkToBroker } from "../../../src/agent/mqtt-cloud";
import { badOffer, ignored, readObject } from "../../../src/platforms/incoming";
import { integerMember, stringMember } from "../../../src/util/json";

export interface ThirdConfig {
  readonly device: string;
  readonly key?: string | (() => string | undefined);
  readonly states?: "words" | "numbers";
}

const settings = (): PlatformSetting[] => [
  /** Name of the device in topics. */
  { name: "device", json: "identity.device", required: true },
  /** Password of the connection. */
  { name: "key", json: "identity.key", nvs: "thirdKey", secret: "fetched" },
  /** How states are reported. */
  { name: "states", required: true, oneOf: ["words", "numbers"] },
];

const CODES = Object.freeze({
  "download-timeout": 1,
  "not-found": 1,
  "url-expired": 1,
  download: 1,
  "digest-mismatch": 2,
  flash: 3,
  rejected: 4,
  signature: 4,
  "rolled-back": 5,
});

export class ThirdPlatform implements BrokerPlatform {
  readonly name = "third";
  readonly subscriptions: readonly string[];
  readonly rules: PlatformRules = { versionReport: false, versionWhileBusy: false, renewable: false, resumeDelay: 0 };
  readonly #config: ThirdConfig;

  constructor(config: ThirdConfig) {
    if (/[/+#]/.test(config.device)) throw new Error("device: has a character that no topic can carry");
    this.#config = config;
    this.subscriptions = [`fota/${config.device}/job`];
  }

  link(context: LinkContext): CloudLink {
    return linkToBroker(this, context);
  }

  identity(): Identity {
    const { device, key } = this.#config;
    const password = typeof key === "function" ? key() : key;
    return { clientId: device, username: device, keepAlive: 60, ...(password === undefined ? {} : { password }) };
  }

  parse(topic: string, payload: Uint8Array): Incoming {
    const job = readObject(payload);
    if (typeof job === "string") return ignored(job);
    const version = stringMember(job, "version");
    const url = stringMember(job, "url");
    const hex = stringMember(job, "sha256");
    if (version === undefined) return ignored(`no job on ${topic}`);
    if (url === undefined) return badOffer({ version }, "url: missing");
    if (hex === undefined || !/^[0-9a-f]{64}$/.test(hex)) return badOffer({ version }, "sha256: not 64 hex digits");
    return {
      kind: "offer",
      offer: { version, url, size: integerMember(job, "size") ?? 0, digest: { algorithm: "SHA256", hex } },
    };
  }

  encode(report: Report): Message | undefined {
    switch (report.kind) {
      case "version":
        return undefined;
      case "progress":
        return this.#message(0, { version: report.task.version, state: "LOADING", percent: report.percent });
      case "burning":
        return this.#message(1, { version: report.task.version, state: "INSTALLING" });
      case "outcome":
        return this.#message(1, {
          version: report.task.version,
          ...(report.outcome.kind === "done" ? { state: "DONE" } : { state: "FAILED", why: report.outcome.message }),
        });
    }
  }

  #message(qos: 0 | 1, content: object): Message {
    return { topic: `fota/${this.#config.device}/state`, qos, payload: JSON.stringify(content) };
  }
}

export const third: PlatformDefinition<ThirdConfig> = Object.freeze({
  name: "third",
  settings,
  title: "device",
  codes: CODES,
  Platform: ThirdPlatform,
});
