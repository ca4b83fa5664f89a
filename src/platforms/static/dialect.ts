import { linkByPolls } from "../../agent/poll-link";
import { POLL_SECONDS, POLL_SECONDS_MAX, POLL_SECONDS_MIN, RESUME_DELAY } from "../../constants";
import { splitUrl } from "../../http/url";
import { CHIP_NAMES } from "./chip-names";
import type { Offer } from "../../job/types";
import { compareVersions } from "../../job/versions";
import type { Crypto, Running } from "../../ports";
import { readObject } from "../incoming";
import type { CloudLink, LinkContext, PlatformDefinition, PlatformRules, Report, Setting } from "../platform";
import type { HttpAnswer, HttpCall, PollPlatform, Polled } from "../poll-platform";
import { RESULT_CODES } from "../result-codes";
import { readManifest } from "./release-manifest";
import type { Manifest } from "./release-manifest";
import { placeOf } from "./rollout";

/** Files on any web server: a manifest that is polled, and the images that it names. */
export interface StaticConfig {
  /** URL of the manifest. */
  readonly manifest: string;
  /** Unique, and always the same: the device's place in a rollout comes from it. */
  readonly deviceId: string;
  /** From one poll to the next, seconds. */
  readonly pollSeconds?: number;
  /** URL that gets each outcome as one JSON POST. */
  readonly report?: string;
}

/** Tries of one outcome. Chosen: over several minutes; an address that is gone keeps no device from its next update. */
const REPORT_TRIES = 10;

const settings = (): Setting[] => [
  /** URL of the manifest, which `xs-ota publish` writes. */
  { name: "manifest", required: true },
  /** Unique, and always the same: it decides when the device takes part in a rollout. */
  { name: "deviceId", required: true },
  /** Seconds from one poll to the next, 60 to 604800; default: 21600, four a day. */
  { name: "pollSeconds", number: [POLL_SECONDS_MIN, POLL_SECONDS_MAX] },
  /** URL that gets each outcome as one JSON POST. Default: nobody is told. */
  { name: "report", nvs: "reportUrl", blank: true },
];

export class StaticPlatform implements PollPlatform {
  readonly name = "static";
  readonly rules: PlatformRules = {
    versionReport: false,
    versionWhileBusy: false,
    renewable: true,
    resumeDelay: RESUME_DELAY,
    wantedState: true,
  };
  readonly interval: number;
  readonly reportTries = REPORT_TRIES;
  private readonly config: StaticConfig;
  private readonly crypto: Crypto;

  /** Throws with one line that names the setting if the configuration can not work. */
  constructor(config: StaticConfig, crypto: Crypto) {
    const { manifest, deviceId, pollSeconds = POLL_SECONDS, report } = config;
    checkUrl("manifest", manifest);
    if (report !== undefined) checkUrl("report", report);
    if (!/^[!-~]{1,64}$/.test(deviceId)) throw new Error("deviceId: 1 to 64 printable characters without blanks");
    if (!Number.isInteger(pollSeconds) || pollSeconds < POLL_SECONDS_MIN || pollSeconds > POLL_SECONDS_MAX)
      throw new Error(`pollSeconds: whole seconds from ${POLL_SECONDS_MIN} to ${POLL_SECONDS_MAX}`);
    this.config = config;
    this.crypto = crypto;
    this.interval = pollSeconds * 1000;
  }

  link(context: LinkContext): CloudLink {
    return linkByPolls(this, context);
  }

  poll(): HttpCall {
    return { method: "GET", url: this.config.manifest };
  }

  polled({ body, url }: HttpAnswer, running: Running): Polled {
    const object = readObject(body);
    if (typeof object === "string") return { kind: "bad", message: `manifest: ${object}` };
    const chip = CHIP_NAMES[running.chip] ?? `chip ${running.chip}`;
    const manifest = readManifest(object, url, chip);
    return typeof manifest === "string"
      ? { kind: "bad", message: `manifest: ${manifest}` }
      : this.choose(manifest, running);
  }

  /** What runs already is wanted whatever the percentage: that decides who begins. */
  private choose({ release, percent, previous }: Manifest, running: Running): Polled {
    const { project, version } = running;
    const isIn = placeOf(this.crypto, project, release.version, this.config.deviceId) < percent / 100;
    const chosen = isIn || release.version === version ? release : previous;
    if (chosen === undefined || chosen.version === version) return nothing();
    if (chosen !== release && compareVersions(chosen.version, version) !== "newer") return nothing();
    const { offer, why } = chosen;
    return offer === undefined ? nothing(`manifest: ${why}`) : wanted(offer);
  }

  encode(report: Report): HttpCall | undefined {
    const { report: url, deviceId } = this.config;
    if (url === undefined || report.kind !== "outcome") return undefined;
    const { task, outcome } = report;
    const { version } = task;
    const result =
      outcome.kind === "done"
        ? { state: "done" }
        : { state: "fail", code: RESULT_CODES[outcome.cause], cause: outcome.cause, message: outcome.message };
    return { method: "POST", url, body: JSON.stringify({ deviceId, version, ...result }) };
  }
}

const wanted = (offer: Offer): Polled => ({ kind: "read", incoming: { kind: "offer", offer } });

const nothing = (remark?: string): Polled => ({
  kind: "read",
  incoming: { kind: "withdrawn" },
  ...(remark === undefined ? {} : { remark }),
});

const checkUrl = (setting: string, url: string): void => {
  const split = splitUrl(url);
  if (typeof split === "string") throw new Error(`${setting}: ${split}`);
};

export const staticFiles: PlatformDefinition<StaticConfig> = Object.freeze({
  name: "static",
  settings,
  title: "deviceId",
  codes: RESULT_CODES,
  server: (config: StaticConfig) => config.manifest,
  Platform: StaticPlatform,
});
