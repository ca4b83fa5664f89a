import { CONNECT_TIMEOUT, DENIED_WAIT, HTTP_IDLE_TIMEOUT, STALL_BUDGET } from "../constants";
import { ANSWERS, fault } from "./answers";
import type { Fault } from "./answers";
import type { Cause } from "../job/types";
import { oneLine } from "../http/text";
import type { SocketError } from "../ports";
import type { ProtocolMachine } from "../protocol/machine";
import { Exchange } from "./exchange";
import type { DownloadOptions, DownloadOutput } from "./outputs";
import { RetryPolicy } from "./retry-policy";
import { requestPrefix } from "./request";
import { Route } from "./route";
import type { Incident } from "./verdict";

/**
 * idle        start -> connecting
 * connecting  opened -> open
 * open        an incident (verdict.ts) leads to the next state: `resolve` below is the table
 * paused      wait over -> open, over the same connection; the connection ends -> waiting
 * waiting     wait over -> connecting
 * renewing    a fresh URL -> connecting
 * ended       for good
 *
 * From every state but the last: `stop` -> ended. From waiting, paused, connecting and open: the stall budget is used up
 * -> ended.
 */
type State =
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly until: number }
  /** `until`: it may be silent so long. `asked`: when a request left, until the first byte after it has come. */
  | { readonly name: "open"; until: number; asked: number | undefined }
  | { readonly name: "paused"; readonly until: number }
  | { readonly name: "waiting"; readonly until: number }
  | { readonly name: "renewing" }
  | { readonly name: "ended" };

const IDLE: State = Object.freeze({ name: "idle" });
const RENEWING: State = Object.freeze({ name: "renewing" });
const ENDED: State = Object.freeze({ name: "ended" });
const NOTHING = new Uint8Array(0);

/**
 * Fetches one file by HTTP/1.1 range requests, sector by sector, over one connection at a time. It ends by "finished",
 * by "download-failed", or because the stall budget without a new sector is used up.
 *
 * Transport failures are waited out and the download goes on at the next byte. A refusal that looks final gets a few
 * tries. Two events cost no wait: a close between two responses, and a redirected URL that expires after it delivered.
 */
export class Downloader implements ProtocolMachine<DownloadOutput> {
  private readonly url: string;
  private readonly platform: DownloadOptions["platform"];
  private readonly retry: RetryPolicy;
  private readonly route: Route;
  private readonly exchange: Exchange;
  private readonly outputs: DownloadOutput[] = [];
  private state: State = IDLE;

  constructor(options: DownloadOptions) {
    this.url = options.url;
    const { platform } = options;
    this.platform = platform;
    this.retry = new RetryPolicy(options.random);
    this.route = new Route(
      options.allowHttp,
      platform === undefined ? requestPrefix : (url) => requestPrefix(url, platform.fileHeaders?.(url)),
    );
    this.exchange = new Exchange(options, this.route, this.retry, this.outputs);
  }

  /* ---- inputs ---- */

  start(now: number): DownloadOutput[] {
    this.retry.onProgress(now);
    if (!this.takeUrl(this.url)) return this.outputs.splice(0);
    if (this.exchange.file.complete) this.finish();
    else this.connectToOrigin(now);
    return this.outputs.splice(0);
  }

  opened(now: number, window?: number): DownloadOutput[] {
    if (this.state.name === "connecting") {
      this.exchange.opened(window);
      this.ask(now);
    }
    return this.outputs.splice(0);
  }

  closed(error: SocketError | undefined, now: number): DownloadOutput[] {
    const message = error ? oneLine(error.message) : "connection closed by the server";
    const state = this.state;
    const { name } = state;
    if (name === "paused") this.state = { ...state, name: "waiting" };
    else if (name === "connecting" || name === "open") {
      // There is no connection left to close.
      this.state = IDLE;
      if (name === "open") this.resolve(this.exchange.connectionEnded(message, now), now);
      else this.resolve(fault(error?.kind === "certificate" ? "certificate" : "socket", 0, message), now);
    }
    return this.outputs.splice(0);
  }

  tick(now: number): DownloadOutput[] {
    const deadline = this.deadline();
    if (deadline === undefined || now < deadline) return [];
    if (now >= this.retry.stallsAt) this.stalled();
    else if ("until" in this.state && now < this.state.until) this.reportStall(now);
    else
      switch (this.state.name) {
        case "waiting":
          this.connect(now);
          break;
        case "paused":
          this.ask(now);
          break;
        case "connecting":
          this.resolve(fault("no-connection", 0, CONNECT_TIMEOUT / 1000), now);
          break;
        case "open": {
          const silence = this.state.asked === undefined ? HTTP_IDLE_TIMEOUT : this.retry.noFirstByte();
          this.resolve(this.exchange.fellSilent(silence, now), now);
          break;
        }
      }
    return this.outputs.splice(0);
  }

  readTarget(): Uint8Array {
    const { name } = this.state;
    return name === "open" || name === "paused" ? this.exchange.readTarget() : NOTHING;
  }

  received(count: number, now: number): DownloadOutput[] {
    const state = this.state;
    if (state.name !== "open" || count <= 0) {
      // Nothing was asked for: some servers announce with a 408 that they close.
      if (state.name === "paused" && count > 0) this.leave({ ...state, name: "waiting" });
      return this.outputs.splice(0);
    }
    if (state.asked !== undefined) {
      this.retry.gotFirstByte(now - state.asked);
      state.asked = undefined;
    }
    state.until = now + HTTP_IDLE_TIMEOUT;
    const incident = this.exchange.received(count, now);
    if (incident !== undefined) this.resolve(incident, now);
    // Nearly always: a piece of a sector.
    return this.outputs.length === 0 ? this.outputs : this.outputs.splice(0);
  }

  /**
   * A fresh URL for the same image: the download continues at the current offset. A connection that works, and a wait,
   * are not disturbed. A URL that cannot be used fails the download only where it was asked for.
   */
  renew(url: string, now: number): DownloadOutput[] {
    const { name } = this.state;
    if (name === "renewing") {
      this.retry.onProgress(now);
      if (this.takeUrl(url)) this.connectToOrigin(now);
    } else if (name !== "ended" && this.route.offer(url) === undefined) {
      this.retry.resetRefusals();
      if (name === "waiting") this.route.toOrigin();
      if (name === "paused") this.pause(this.state.until);
    }
    return this.outputs.splice(0);
  }

  /** Asks for no further range; those under way are received. */
  drain(): void {
    this.exchange.drain();
  }

  /** False: after `drain`, and nothing is under way any more. */
  get fetching(): boolean {
    return this.exchange.fetching;
  }

  stop(): DownloadOutput[] {
    this.leave(ENDED);
    return this.outputs.splice(0);
  }

  /** Asked for after each read. */
  deadline(): number | undefined {
    const state = this.state;
    if (!("until" in state)) return undefined;
    const { wakesAt } = this.retry;
    return state.until < wakesAt ? state.until : wakesAt;
  }

  /* ---- transitions ---- */

  /** What each incident leads to. */
  private resolve(incident: Incident, now: number): void {
    switch (incident.kind) {
      case "complete":
        return this.finish();
      case "redirect": {
        const problem = this.route.follow(incident.location, incident.status);
        return problem === undefined ? this.connect(now) : this.answered(problem, now, false);
      }
      case "probe":
        return this.connect(now);
      case "reconnect":
        if (!this.exchange.delivered) return this.retryLater(incident.reason, now);
        if (this.exchange.gap > 0) return this.retryLater(incident.reason, now, this.exchange.gap);
        return this.route.renewed ? this.connectToOrigin(now) : this.connect(now);
      case "broken":
        return this.retryLater(incident.message, now, this.exchange.delivered ? this.retry.promptWait() : undefined);
      case "fault":
        return this.answered(incident, now, false);
      case "kept":
        return this.answered(incident.fault, now, true);
      case "paced":
        return this.pause(now + incident.wait);
      case "replaced":
        return this.replaced(incident.reason, now);
    }
  }

  /** The rule of an answer's row. `keep`: the connection is good for the next request. */
  private answered({ answer, message, retryAfter }: Fault, now: number, keep: boolean): void {
    const [rule, cause] = ANSWERS[answer];
    if (rule !== "wait" && this.route.secondhand) return this.connectToOrigin(now);
    switch (rule) {
      case "wait":
        return this.retryLater(message, now, this.retry.wait(retryAfter), keep);
      case "refuse":
        return this.platform !== undefined && (cause === "not-found" || answer === "bad-plain" || answer === "bad-tls")
          ? this.expired(message)
          : this.refused(cause, message, now);
      case "renew":
        return this.denied(message, retryAfter, now, keep);
    }
  }

  /** Every change of state that ends a connection goes through here. */
  private leave(to: State): void {
    const { name } = this.state;
    if (name === "open" || name === "paused" || name === "connecting") this.outputs.push({ type: "close" });
    this.state = to;
  }

  private connect(now: number): void {
    this.leave(IDLE);
    const { server } = this.route;
    if (server === undefined) return;
    this.exchange.reset();
    this.state = { name: "connecting", until: now + CONNECT_TIMEOUT };
    this.outputs.push({ type: "connect", ...server });
  }

  private ask(now: number): void {
    this.state = { name: "open", until: now + this.retry.firstByte, asked: now };
    this.exchange.ask();
  }

  /** The connection stays, unless the next request goes to another server. */
  private pause(until: number): void {
    const { server } = this.route;
    if (!this.exchange.delivered || this.route.renewed) this.route.toOrigin();
    const { server: next } = this.route;
    if (server?.host === next?.host && server?.port === next?.port && server?.tls === next?.tls)
      this.state = { name: "paused", until };
    else this.leave({ name: "waiting", until });
  }

  private connectToOrigin(now: number): void {
    this.route.toOrigin();
    this.connect(now);
  }

  private retryLater(message: string, now: number, wait = this.retry.wait(), keep = false): void {
    if (!keep) this.leave(IDLE);
    this.retry.failed(message);
    if (now >= this.retry.stallsAt) this.stalled();
    else this.wait(message, now, wait);
  }

  private refused(cause: Cause, message: string, now: number): void {
    this.leave(IDLE);
    this.retry.failed(message);
    if (this.retry.countRefusal(now)) this.fail(cause, message);
    else this.wait(message, now, this.retry.wait());
  }

  /** The URL is tried once more after a wait; then a fresh one is asked for. */
  private denied(message: string, retryAfter: number, now: number, keep: boolean): void {
    if (this.route.denied())
      return this.retryLater(message, now, this.retry.wait(Math.max(retryAfter, DENIED_WAIT / 1000)), keep);
    this.expired(message);
  }

  private expired(message: string): void {
    this.leave(RENEWING);
    this.outputs.push({ type: "expired", message });
  }

  private replaced(reason: string, now: number): void {
    this.leave(IDLE);
    if (this.exchange.startOver(reason)) this.connect(now);
    else this.fail("download", `the file keeps changing on the server: ${reason}`);
  }

  private wait(reason: string, now: number, milliseconds: number): void {
    const until = now + milliseconds;
    if (this.state.name === "open") this.pause(until);
    else {
      if (!this.exchange.delivered || this.route.renewed) this.route.toOrigin();
      this.state = { name: "waiting", until };
    }
    const idle = !this.exchange.delivered;
    this.outputs.push({ type: "log", line: `download: ${reason}; again in ${milliseconds} ms`, idle });
    if (now >= this.retry.wakesAt) this.reportStall(now);
  }

  /** Once, until the next sector. */
  private reportStall(now: number): void {
    const message = this.retry.toReport();
    if (message !== undefined && now < this.retry.stallsAt) this.outputs.push({ type: "stalled", message });
  }

  private stalled(): void {
    this.fail(
      "download-timeout",
      `no new data for ${STALL_BUDGET / 60_000} min: ${this.retry.lastFailure ?? "nothing received"}`,
    );
  }

  private finish(): void {
    this.leave(ENDED);
    this.outputs.push({ type: "finished" });
  }

  private fail(cause: Cause, message: string): void {
    this.leave(ENDED);
    this.outputs.push({ type: "download-failed", cause, message });
  }

  /** Takes the offered URL; false: it can not be used, and the download has failed. */
  private takeUrl(url: string): boolean {
    const problem = this.route.offer(url);
    if (problem === undefined) return true;
    if (problem === "plain") this.fail("rejected", 'plain http is refused: offer an https URL, or set "allowHttp"');
    else this.fail("download", problem.problem);
    return false;
  }
}
