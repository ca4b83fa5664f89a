/**
 * The way to ThingsBoard. The server pushes an assignment only to a device that is connected, so the device asks for the
 * attributes at every connect. An offer stands there whatever became of it, so the device leaves two client attributes of
 * its own on the server: what it has settled, and the last `xs_ota_retry` that it acted on.
 */
import { connectionOf } from "../../agent/mqtt-cloud";
import type { BrokerConnection } from "../../agent/mqtt-cloud";
import type { ByteSource, SourceOptions } from "../../agent/byte-source";
import { THINGSBOARD_ALIVE, THINGSBOARD_SETTLE } from "../../constants";
import type { Identity } from "../../mqtt/message";
import { asObject, member } from "../../util/json";
import type { JsonObject } from "../../util/json";
import { decodeUtf8 } from "../../util/utf8";
import { earlier } from "../../util/earlier";
import { readObject } from "../incoming";
import type { CloudEvents, CloudLink, Incoming, LinkContext, Report } from "../platform";
import { ChunkSource } from "./chunk-source";
import { identityOf, readOffer } from "./offer";
import type { Means } from "./offer";
import { telemetryOf } from "./states";
import type { Current } from "./states";

const ATTRIBUTES = "v1/devices/me/attributes";
const ANSWERS = `${ATTRIBUTES}/response/`;
const TELEMETRY = "v1/devices/me/telemetry";
const CHUNK = "v2/fw/response/";
const ERROR = "v2/fw/error";
/** Set by the operator to any new value: what was refused counts no more. */
const RETRY = "xs_ota_retry";
/** Client attribute: "doing", "done" or "fail", and which offer it was; "" once that counts no more. */
const SETTLED = "xs_ota_settled";
/** Token of the report that a task has ended because nothing is wanted any more. */
const CANCELED = "canceled";
const REQUEST = `{"sharedKeys":"fw_title,fw_version,fw_size,fw_checksum,fw_checksum_algorithm,fw_url,${RETRY}","clientKeys":"${SETTLED},${RETRY}"}`;

export class ThingsBoardCloud implements CloudLink {
  readonly name = "mqtt";
  private readonly means: Means;
  private readonly current: Current;
  private readonly context: LinkContext;
  private readonly connection: BrokerConnection;
  private chunks: ChunkSource | undefined;
  private events: CloudEvents | undefined;
  private up = false;
  /** Number of the latest request for attributes; the answer to an older one counts no more. */
  private asked = 0;
  /** When the attributes are asked for next, ms. */
  private askAt = Infinity;
  /** The assignment changed since that request. */
  private stale = false;
  /** An offer that waits until the server has stored that its reset was seen. */
  private resetting: JsonObject | undefined;
  /** SETTLED as it was set last in this boot cycle; what the server shows may be older. */
  private settled: unknown;
  /** Which offer came last in this boot cycle. */
  private wanted: string | undefined;
  /** Version that was told to be in progress, and when that is told again, ms. */
  private progress: { readonly version: string; readonly payload: string; again: number } | undefined;

  constructor(means: Means, identity: () => Identity, context: LinkContext) {
    this.means = means;
    this.context = context;
    this.current = { title: means.title, version: context.running.version };
    this.connection = connectionOf({ identity }, context);
  }

  source(options: SourceOptions): ByteSource {
    this.chunks = new ChunkSource(options, {
      now: () => this.context.clock.now(),
      ask: () => this.ask(),
      publish: (topic, payload) => this.connection.link.publish({ topic, payload, qos: 0 }, undefined),
    });
    return this.chunks;
  }

  start(events: CloudEvents): void {
    this.events = events;
    const enter = (callback: () => void): void => this.context.enter(callback, this);
    const topics = [ATTRIBUTES, `${ANSWERS}+`];
    if (this.means.api === undefined) topics.push(`${CHUNK}+/chunk/+`, ERROR);
    this.connection.link.start(topics, {
      up: () => enter(() => this.connected()),
      down: (reason) => enter(() => this.disconnected(reason)),
      message: (topic, payload) => enter(() => this.message(topic, payload)),
      acked: (token) => enter(() => this.acked(token)),
      warning: (message) => enter(() => events.warning(message)),
    });
  }

  report(report: Report, token: string | undefined): void {
    const { kind } = report;
    // Nothing is cancelled by task: what is unassigned is not wanted any more.
    if (kind === "withdrawal" || (kind === "progress" && !this.isDue(report))) return;
    // What the job has in its store is told until it is acknowledged; other answers come before what hides the offer.
    if (kind === "outcome" && token !== "refused") this.settle(report);
    const messages = telemetryOf(report, this.current);
    messages.forEach((message, index) => {
      const payload = JSON.stringify(message);
      const settles = token !== undefined && index === messages.length - 1;
      this.connection.link.publish({ topic: TELEMETRY, payload, qos: settles ? 1 : 0 }, settles ? token : undefined);
    });
    if (kind === "outcome" && token === "refused") this.settle(report);
    // In a download the URL was refused: what is assigned may have changed, and shows a little later.
    if (kind === "version" && this.progress === undefined) this.ask();
    else if (kind === "version") this.askAt = this.context.clock.now() + THINGSBOARD_SETTLE;
  }

  urgency(cap: number): void {
    this.connection.link.urgency?.(cap);
  }

  tick(): void {
    this.connection.own?.tick();
    const { progress } = this;
    const now = this.context.clock.now();
    if (now >= this.askAt) this.ask();
    if (progress === undefined || now < this.aliveAt()) return;
    progress.again = now + THINGSBOARD_ALIVE;
    this.connection.link.publish({ topic: TELEMETRY, payload: progress.payload, qos: 0 }, undefined);
  }

  deadline(): number | undefined {
    const next = Math.min(this.aliveAt(), this.askAt);
    const own = earlier(this.connection.own?.deadline(), this.chunks?.deadline());
    return next === Infinity ? own : earlier(own, next);
  }

  stop(): void {
    this.up = false;
    this.connection.link.stop();
  }

  /* ---- connection ---- */

  private connected(): void {
    this.up = true;
    if (this.progress !== undefined) this.progress.again = 0;
    this.events?.up();
    this.chunks?.connected();
  }

  private disconnected(reason: string): void {
    this.up = false;
    this.askAt = Infinity;
    this.chunks?.disconnected(reason);
    this.events?.down(reason);
  }

  private acked(token: string): void {
    if (token === CANCELED) return this.remember({ [SETTLED]: "" });
    if (token !== SETTLED) return this.events?.acked(token);
    const shared = this.resetting;
    this.resetting = undefined;
    if (shared === undefined) return;
    this.events?.incoming({ kind: "forget" });
    this.offered(readOffer(shared, this.means));
  }

  private ask(): void {
    this.stale = false;
    this.askAt = Infinity;
    this.asked++;
    this.connection.link.publish({ topic: `${ATTRIBUTES}/request/${this.asked}`, payload: REQUEST, qos: 0 }, undefined);
  }

  private settle({ task, outcome }: Extract<Report, { kind: "outcome" }>): void {
    this.progress = undefined;
    this.remember({ [SETTLED]: `${outcome.kind} ${identityOf(task)}` });
  }

  /** In client attributes. `resetting`: the shared attributes whose offer comes once this is stored. */
  private remember(
    attributes: { readonly [SETTLED]: string; readonly [RETRY]?: unknown },
    resetting?: JsonObject,
  ): void {
    this.resetting = resetting;
    this.settled = attributes[SETTLED];
    this.connection.link.publish({ topic: ATTRIBUTES, payload: JSON.stringify(attributes), qos: 1 }, SETTLED);
  }

  /* ---- messages ---- */

  private message(topic: string, payload: Uint8Array): void {
    if (topic.startsWith(CHUNK)) return this.chunks?.received(topic.slice(CHUNK.length), payload);
    if (topic === ERROR) return this.chunks?.refused(decodeUtf8(payload.subarray(0, 40)));
    const answer = topic.startsWith(ANSWERS);
    if (!answer && topic !== ATTRIBUTES) return;
    const message = readObject(payload);
    if (typeof message === "string") return this.events?.incoming({ kind: "ignored", reason: message });
    if (!answer) return this.pushed(message);
    if (topic.slice(ANSWERS.length) === String(this.asked) && !this.stale) this.answered(message);
  }

  /** What stands on the server, perhaps for long. */
  private answered(message: JsonObject): void {
    const shared = asObject(member(message, "shared")) ?? {};
    const client = asObject(member(message, "client")) ?? {};
    const incoming = readOffer(shared, this.means);
    const retry = member(shared, RETRY);
    // Stored first, or the same value would reset the budgets after each restart.
    if (retry !== undefined && retry !== member(client, RETRY))
      return this.remember({ [RETRY]: retry, [SETTLED]: "" }, shared);
    this.settled ??= member(client, SETTLED) ?? "";
    this.chunks?.shown(incoming.kind === "offer" ? incoming.offer.url : undefined);
    // It was answered before: nothing more is wanted, of another job in hand neither.
    if (this.isSettled(incoming)) return this.events?.incoming({ kind: "withdrawn" });
    this.offered(incoming);
  }

  /** What was done counts as long as it runs: a board may have been flashed by hand. */
  private isSettled(incoming: Incoming): boolean {
    if (incoming.kind !== "offer" && incoming.kind !== "refused") return false;
    const task = incoming.kind === "offer" ? incoming.offer : incoming.task;
    const { settled } = this;
    const identity = identityOf(task);
    return settled === `fail ${identity}` || (settled === `done ${identity}` && task.version === this.current.version);
  }

  /**
   * The operator did something now. Keys that a package does not use are told as deleted with every new one; only with
   * the title nothing is assigned any more. One push has all keys of a package.
   */
  private pushed(message: JsonObject): void {
    const deleted = member(message, "deleted");
    const withdrawn = Array.isArray(deleted) && deleted.includes("fw_title");
    if (withdrawn || member(message, "fw_title") !== undefined) {
      this.stale = true;
      const incoming = readOffer(withdrawn ? {} : message, this.means);
      this.offered(incoming, true);
    } else if (member(message, RETRY) !== undefined) this.ask();
  }

  /**
   * What is settled counts no more once something else is wanted, or the same anew. What was wanted before is not wanted
   * any more, also where this device can not have what is wanted now.
   */
  private offered(incoming: Incoming, pushed = false): void {
    const { wanted, settled } = this;
    // What was begun before a restart is not known yet.
    if (incoming.kind === "withdrawn" && settled === undefined) return this.ask();
    this.wanted = incoming.kind === "offer" ? identityOf(incoming.offer) : "";
    const doing = typeof settled === "string" && settled.startsWith("doing ");
    if (incoming.kind === "withdrawn" && doing) this.cancel(settled);
    else if (settled !== "" && settled !== `doing ${this.wanted}`) this.remember({ [SETTLED]: "" });
    if (incoming.kind === "refused" || (pushed && this.wanted !== wanted)) this.events?.incoming({ kind: "withdrawn" });
    this.events?.incoming(incoming);
  }

  /** A task that was told to be in progress ends on the dashboard, too, also after a restart. Past the switch it is too late. */
  private cancel(doing: string): void {
    const { version } = this.current;
    if (`${doing} `.startsWith(`doing ${version} `)) return;
    this.progress = undefined;
    const payload = JSON.stringify({ fw_state: "FAILED", fw_error: "canceled", current_fw_version: version });
    this.connection.link.publish({ topic: TELEMETRY, payload, qos: 1 }, CANCELED);
  }

  /* ---- progress ---- */

  /** At the start, at the end, with a reason, and now and then: 600 messages a minute are the limit of a tenant. */
  private isDue(report: Extract<Report, { kind: "progress" }>): boolean {
    const now = this.context.clock.now();
    const { progress } = this;
    const { version } = report.task;
    const due =
      progress?.version !== version || now >= progress.again || report.percent >= 100 || report.note !== undefined;
    const doing = `doing ${identityOf(report.task)}`;
    if (this.settled !== doing && this.resetting === undefined) this.remember({ [SETTLED]: doing });
    if (due) {
      const payload = JSON.stringify(telemetryOf(report, this.current)[0]);
      this.progress = { version, payload, again: now + THINGSBOARD_ALIVE };
    }
    return due;
  }

  /** Requests for chunks are no activity to the server. */
  private aliveAt(): number {
    return this.up && this.chunks?.fetching === true ? (this.progress?.again ?? Infinity) : Infinity;
  }
}
