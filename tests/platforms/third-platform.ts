/** A third cloud, as short as one can be: the example of docs/PLATFORMS.md. It pushes JSON, wants states as words and no versions. */
import type { Identity, Incoming, Message, Platform, PlatformRules, Report } from "../../src/platforms/platform";
import { badOffer, ignored, readObject } from "../../src/platforms/incoming";
import { integerMember, stringMember } from "../../src/util/json";

export class ThirdPlatform implements Platform {
  readonly name = "third";
  readonly subscriptions: readonly string[];
  readonly rules: PlatformRules = { versionReport: false, versionWhileBusy: false, renewable: false, resumeDelay: 0 };
  readonly #device: string;

  constructor(device: string) {
    this.#device = device;
    this.subscriptions = [`fota/${device}/job`];
  }

  identity(): Identity {
    return { clientId: this.#device, keepAlive: 60 };
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
    return { topic: `fota/${this.#device}/state`, qos, payload: JSON.stringify(content) };
  }
}
