import { linkByPolls } from "../../agent/poll-link";
import {
  HAWKBIT_SECONDS,
  HAWKBIT_SECONDS_MIN,
  POLL_SECONDS_MAX,
  POLL_SECONDS_MIN,
  RESUME_DELAY,
} from "../../constants";
import { splitUrl, urlText } from "../../http/url";
import type { HttpUrl } from "../../http/url";
import type { Running } from "../../ports";
import { badOffer, readObject } from "../incoming";
import type { CloudLink, LinkContext, PlatformDefinition, PlatformRules, Report, Setting } from "../platform";
import type { HttpAnswer, HttpCall, PollPlatform, Polled } from "../poll-platform";
import { readDeployment, sleepOf, workOf } from "./documents";
import type { Home, Work } from "./documents";
import { RESULT_CODES } from "../result-codes";
import { feedbackOf } from "./feedback";

/** Eclipse hawkBit: the device API of an update server. An action is a task, and its id that of the job. */
export interface HawkbitConfig {
  /** http(s)://host[:port] */
  readonly server: string;
  readonly tenant?: string;
  readonly controllerId: string;
  /** Of this device; or `gatewayToken`, of all devices of a gateway. */
  readonly targetToken?: string;
  readonly gatewayToken?: string;
  /** Type of the software module that is the device's own firmware. */
  readonly part: string;
  /** From one poll to the next, seconds, whatever the server asks for. */
  readonly pollSeconds?: number;
}

/** The version is reported this long after an outcome, ms: `closed` has to be taken first. */
const VERSION_AFTER = 1;

const settings = (): Setting[] => [
  /** Address of the update server: http(s)://host[:port]. */
  { name: "server", required: true },
  /** Name of the tenant. Default: DEFAULT. */
  { name: "tenant", blank: true },
  /** Name of the target: 1 to 128 of A-Z a-z 0-9 . _ - */
  { name: "controllerId", required: true },
  /** Security token of the target. */
  { name: "targetToken", blank: true, secret: "kept" },
  /** Gateway token of the tenant, in place of a target token: an unknown target is registered. */
  { name: "gatewayToken", blank: true, secret: "kept" },
  /** Type of the software module that is the firmware of the device; other types are its components. */
  { name: "part", required: true },
  /** Seconds from one poll to the next, 60 to 604800. Default: what the server asks for. */
  { name: "pollSeconds", number: [POLL_SECONDS_MIN, POLL_SECONDS_MAX] },
];

export class HawkbitPlatform implements PollPlatform {
  readonly name = "hawkbit";
  readonly rules: PlatformRules = {
    versionReport: true,
    proof: "burning",
    versionAfterOutcome: VERSION_AFTER,
    versionWhileBusy: true,
    renewable: true,
    missingAsks: true,
    resumeDelay: RESUME_DELAY,
  };
  readonly interval: number;
  readonly reportTries = Infinity;
  readonly pollsAfterReports = true;
  private readonly home: Home;
  /** Path of the device's resources. */
  private readonly base: string;
  private readonly headers: readonly string[];
  private readonly fixedInterval: boolean;

  /** Throws with one line that names the setting if the configuration can not work. */
  constructor(config: HawkbitConfig) {
    const { server, tenant = "DEFAULT", controllerId, targetToken, gatewayToken, part, pollSeconds } = config;
    const url = splitUrl(server);
    if (typeof url === "string") throw new Error(`server: ${url}`);
    if (url.target.includes("?")) throw new Error("server: an address without a query is expected");
    if (!/^[A-Za-z0-9._-]{1,40}$/.test(tenant)) throw new Error("tenant: 1 to 40 of A-Z a-z 0-9 . _ -");
    if (!/^[A-Za-z0-9._-]{1,128}$/.test(controllerId)) throw new Error("controllerId: 1 to 128 of A-Z a-z 0-9 . _ -");
    if ((targetToken === undefined) === (gatewayToken === undefined))
      throw new Error("targetToken: either this or gatewayToken is expected");
    const token = targetToken ?? gatewayToken ?? "";
    if (!/^[!-~]{1,256}$/.test(token))
      throw new Error(`${targetToken === undefined ? "gatewayToken" : "targetToken"}: 1 to 256 printable characters`);
    if (part === "") throw new Error("part: is missing");
    const path = url.target.endsWith("/") ? url.target.slice(0, -1) : url.target;
    this.home = { server: url, path, tenant, part };
    this.base = `${path}/${tenant}/controller/v1/${controllerId}`;
    this.headers = [`Authorization: ${targetToken === undefined ? "GatewayToken" : "TargetToken"} ${token}`];
    this.fixedInterval = pollSeconds !== undefined;
    this.interval = (pollSeconds ?? HAWKBIT_SECONDS) * 1000;
  }

  link(context: LinkContext): CloudLink {
    return linkByPolls(this, context);
  }

  poll(): HttpCall {
    return this.call("GET", "");
  }

  private call(method: HttpCall["method"], path: string, body?: string): HttpCall {
    const url = urlText({ ...this.home.server, target: this.base + path });
    return { method, url, headers: this.headers, ...(body === undefined ? {} : { body }) };
  }

  polled({ body, url, cut }: HttpAnswer, _running: Running, known: string | undefined): Polled {
    const [, id, stamp = ""] = /\/deploymentBase\/([0-9]{1,19})(?:\?(.*))?$/.exec(url.target) ?? [];
    if (id !== undefined && cut === true)
      return { kind: "read", incoming: badOffer({ version: "", id }, "deployment: the document is too long") };
    const object = readObject(body);
    if (typeof object === "string") return { kind: "bad", message: `hawkBit: ${object}` };
    if (id === undefined) return this.choose(object, known);
    const incoming = readDeployment(object, id, this.home);
    return incoming.kind === "hold"
      ? { ...nothing(`action ${id} waits for its maintenance window`), known: `${id}?${stamp}` }
      : { kind: "read", incoming, known: id };
  }

  private choose(poll: Parameters<typeof workOf>[0], known: string | undefined): Polled {
    const work = workOf(poll);
    if (typeof work === "string") return { kind: "bad", message: `hawkBit: ${work}` };
    const seconds = this.fixedInterval ? undefined : sleepOf(poll);
    const interval = seconds === undefined ? {} : { interval: Math.max(HAWKBIT_SECONDS_MIN, seconds) * 1000 };
    return { ...this.next(work, known), ...interval };
  }

  private next(work: Work | undefined, known: string | undefined): Exclude<Polled, { kind: "bad" }> {
    if (work === undefined) return nothing();
    const { kind, id, stamp } = work;
    if (kind === "cancelAction") return { kind: "read", incoming: { kind: "withdrawn", task: { version: "", id } } };
    if (kind === "confirmationBase") return nothing(`action ${id} waits for its confirmation on the server`);
    // Each GET of the document is an entry in the history of the action.
    if (known === id || known === `${id}?${stamp}`) return { kind: "read", incoming: { kind: "unchanged" }, known };
    return { kind: "follow", call: this.call("GET", `/deploymentBase/${id}${stamp === "" ? "" : `?${stamp}`}`) };
  }

  encode(report: Report): HttpCall | undefined {
    const feedback = feedbackOf(report);
    return feedback && this.call(feedback.method, feedback.path, feedback.body);
  }

  /**
   * 410: closed already. 404: not this device's. 405: nothing is being cancelled. 429: too many requests of this address,
   * or a quota is used up; what tells of progress alone is dropped then, and a trial has shown that it can report.
   */
  settles(status: number, { method, body = "" }: HttpCall, type: string): boolean {
    if (status === 429) return body.includes('"proceeding"') || (method === "PUT" && type.endsWith("json"));
    return status === 410 || status === 404 || status === 405;
  }

  /** A failure of an action that was superseded would leave the target in error, whatever the next one brings. */
  asksBefore(report: Report): boolean {
    return report.kind === "outcome" && report.outcome.kind === "fail";
  }

  /** The token is for the device's own server alone. */
  fileHeaders({ tls, hostHeader }: HttpUrl): readonly string[] {
    const { server } = this.home;
    return tls === server.tls && hostHeader === server.hostHeader ? this.headers : [];
  }
}

const nothing = (remark?: string): Extract<Polled, { kind: "read" }> => ({
  kind: "read",
  incoming: { kind: "withdrawn" },
  ...(remark === undefined ? {} : { remark }),
});

export const hawkbit: PlatformDefinition<HawkbitConfig> = Object.freeze({
  name: "hawkbit",
  settings,
  title: "controllerId",
  codes: RESULT_CODES,
  server: (config: HawkbitConfig) => config.server,
  Platform: HawkbitPlatform,
});
