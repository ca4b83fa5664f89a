import {
  BACKOFF_CAP,
  CONNECT_TIMEOUT,
  HTTP_IDLE_TIMEOUT,
  POLL_BODY_MAX,
  POLL_FOLLOWS,
  POLL_JITTER,
  POLL_RETRY_CAP,
  POLL_TIMEOUT,
} from "../constants";
import { fault } from "../download/answers";
import { interpret } from "../http/response";
import { oneLine } from "../http/text";
import type { Incoming, Report } from "../platforms/platform";
import type { SocketError } from "../ports";
import type { ProtocolMachine } from "../protocol/machine";
import { CallRoute } from "./call-route";
import { Calls, answeredAt, pendingCall, retry } from "./calls";
import type { Pending } from "./calls";
import type { PollOutput, PollerOptions } from "./outputs";
import { PollConnection } from "./poll-connection";
import { TABLE } from "./poll-table";
import type { Action, EventName } from "./poll-table";
import { verdictOnCall } from "./verdict";

const NOTHING: Incoming = Object.freeze({ kind: "withdrawn" });
const NO_BYTES = new Uint8Array(0);
const TOO_LONG = `the answer is longer than ${POLL_BODY_MAX} bytes`;
/** Longest entity tag that is remembered; real ones have less than 80 characters. */
const VALIDATOR_MAX = 128;
/** Polls in a row that are refused and made again in a hurry: a trial of 120 s has fewer. A device that the server does not know any more would ask for ever. */
const HURRIED_MAX = 24;

/**
 * Polls a cloud and posts reports to it, over one connection at a time that ends when nothing is due. Every failure
 * leads to another attempt after a wait: full jitter under a ceiling that doubles, or what Retry-After asks for.
 */
export class Poller extends PollConnection implements ProtocolMachine<PollOutput> {
  private readonly options: PollerOptions;
  private readonly calls: Calls;
  private current: Pending;
  /** Calls that followed the poll. */
  private follows = 0;
  /** What the last answer that was read left with the platform. */
  private known: string | undefined;
  /** Of an answer that wanted nothing of this device, and of the answer that is read. */
  private validator: string | undefined;
  private seen: string | undefined;
  private reached = false;
  /** The server has answered the last poll, and refused it. */
  private refused = false;
  private cap = BACKOFF_CAP;
  /** From one poll to the next, ms, as named last. */
  private interval: number;

  constructor(options: PollerOptions) {
    super();
    this.options = options;
    const { platform, random } = options;
    this.interval = platform.interval;
    this.current = pendingCall("poll", platform.poll(), -Infinity, random);
    this.calls = new Calls(this.current);
  }

  /* ---- inputs ---- */

  start(now: number): PollOutput[] {
    return this.step("start", now);
  }

  opened(now: number): PollOutput[] {
    return this.step("opened", now);
  }

  received(count: number, now: number): PollOutput[] {
    this.reader.received(count);
    return this.step("received", now);
  }

  closed(error: SocketError | undefined, now: number): PollOutput[] {
    return this.step("closed", now, error);
  }

  tick(now: number): PollOutput[] {
    return now < (this.deadline() ?? Infinity) ? [] : this.step("due", now);
  }

  deadline(): number | undefined {
    if (this.state === "stopped") return undefined;
    return this.state === "resting" ? this.calls.deadline() : Math.min(this.until, this.limit);
  }

  stop(): PollOutput[] {
    this.state = "stopped";
    this.outputs.push({ type: "close" });
    return this.outputs.splice(0);
  }

  /** The same token replaces what waits. */
  report(report: Report, token: string | undefined, now: number): PollOutput[] {
    const { platform, random } = this.options;
    const call = platform.encode(report);
    const asks = platform.asksBefore?.(report) === true;
    if (call !== undefined) this.calls.put(pendingCall(token ?? "", call, now, random, asks));
    else if (token === "burning" || token === "version") {
      this.calls.pollSoon(token, now);
    } else if (token !== undefined) this.outputs.push({ type: "acked", token });
    const { outputs } = this;
    return this.state === "resting" ? this.step("due", now) : outputs.splice(0);
  }

  /** Longest wait for the next attempt to reach the cloud, ms. */
  urgency(cap: number, now: number): void {
    const { poll } = this.calls;
    this.cap = cap;
    if (poll.tries > 0 && this.mayHurry()) poll.at = Math.min(poll.at, Math.max(poll.earliest, now) + cap);
  }

  private step(event: EventName, now: number, error?: SocketError): PollOutput[] {
    const action = (TABLE[this.state] as { readonly [name in EventName]?: Action })[event];
    if (action !== undefined) this[action](now, error);
    return this.outputs.splice(0);
  }

  /* ---- actions ---- */

  private rest(now: number): void {
    this.state = "resting";
    this.begin(now);
  }

  /** Makes the call that is due, over the open connection where that leads to its server. */
  private begin(now: number): void {
    const call = this.calls.due(now);
    if (call === undefined) return this.close();
    const before = this.keepAlive ? this.route : undefined;
    const validator = call === this.calls.poll && this.follows === 0 ? this.validator : undefined;
    // What is reported may end the task that the poll has named: it is asked anew then.
    if (call !== this.calls.poll) this.pollAnew();
    this.current = call;
    this.limit = now + POLL_TIMEOUT;
    this.route = new CallRoute(call.call, validator, this.options.allowHttp);
    if (this.route.problem !== undefined) return this.failed(this.route.problem, now);
    this.reused = before !== undefined && this.route.sameServerAs(before);
    if (this.reused) this.ask(now);
    else this.connect(now);
  }

  private read(now: number): void {
    this.until = now + HTTP_IDLE_TIMEOUT;
    for (let event = this.reader.next(); event !== "more"; event = this.reader.next()) {
      switch (event) {
        case "head":
          if (this.headEnds(now)) return;
          break;
        case "end":
          return this.answered(now);
        case "long":
          return this.tooLong(now);
        case "garbage":
          return this.failed(fault("garbage", 0).message, now);
      }
    }
  }

  private noConnection(now: number): void {
    this.failed(fault("no-connection", 0, CONNECT_TIMEOUT / 1000).message, now);
  }

  private silent(now: number): void {
    const late = now >= this.limit;
    this.failed(
      late ? `no answer within ${POLL_TIMEOUT / 1000} s` : fault("silence", 0, HTTP_IDLE_TIMEOUT / 1000).message,
      now,
    );
  }

  private unreachable(now: number, error?: SocketError): void {
    this.failed(error === undefined ? "connection closed by the server" : oneLine(error.message), now);
  }

  /** A server that closes after its last answer has not seen this request: it is sent again over a new connection. */
  private broken(now: number, error?: SocketError): void {
    if (this.reader.endedWithConnection) this.answered(now);
    else if (this.reused && this.reader.pristine) {
      this.reused = false;
      this.connect(now);
    } else this.unreachable(now, error);
  }

  /* ---- the answer ---- */

  /** True: nothing more of this answer is read. */
  private headEnds(now: number): boolean {
    const { head } = this.reader;
    const { current } = this;
    const isPoll = current === this.calls.poll;
    const response = interpret(head);
    const { status } = response;
    if (!isPoll && this.options.platform.settles?.(status, current.call, response.type) === true) {
      this.taken(now);
      return true;
    }
    const verdict = verdictOnCall(response, current.call.method, isPoll, this.route?.server?.tls === true);
    switch (verdict.kind) {
      case "body": {
        const seen = head.field("etag") ?? head.field("last-modified");
        this.seen = this.follows > 0 || seen === undefined || seen.length > VALIDATOR_MAX ? undefined : seen;
        this.keepAlive = response.keepAlive;
        if (this.reader.accept(verdict.framing)) return false;
        this.tooLong(now);
        return true;
      }
      case "unchanged":
        this.seen = this.validator;
        this.wanted(NOTHING, now);
        return true;
      case "redirect": {
        const problem = this.route?.follow(verdict.location, status);
        if (problem === undefined) this.connect(now);
        else this.failed(problem, now);
        return true;
      }
      case "failed":
        if (isPoll && this.follows > 0 && status === 404 && current.tries === 0) this.missing(now);
        else this.failed(verdict.message, now, verdict.retryAfter, status >= 400 && status < 500);
        return true;
    }
  }

  /** What a poll has named is gone meanwhile: another poll tells. Once, then after a wait. */
  private missing(now: number): void {
    this.current.tries = 1;
    this.current.at = now;
    this.pollAnew();
    this.keepAlive = false;
    this.finish(now);
  }

  private tooLong(now: number): void {
    if (this.follows === 0) return this.failed(TOO_LONG, now);
    this.keepAlive = false;
    this.polled(NO_BYTES, now, true);
  }

  private answered(now: number): void {
    if (this.current !== this.calls.poll) return this.taken(now);
    this.polled(this.reader.bytes, now, false);
  }

  private polled(body: Uint8Array, now: number, cut: boolean): void {
    const { platform, running } = this.options;
    const { poll } = this.calls;
    const polled = platform.polled({ body, url: this.route!.url!, cut }, running, this.known);
    switch (polled.kind) {
      case "bad":
        return this.failed(polled.message, now);
      case "follow":
        if (++this.follows > POLL_FOLLOWS) return this.failed("the cloud leads from one request to the next", now);
        poll.call = polled.call;
        this.interval = polled.interval ?? platform.interval;
        return this.finish(now);
      case "read":
        if (this.follows === 0) this.interval = polled.interval ?? platform.interval;
        this.known = polled.known;
        this.wanted(polled.incoming, now);
        if (polled.remark !== undefined) this.outputs.push({ type: "warning", message: polled.remark });
    }
  }

  /** The cloud is reached. What the job answers comes after the I/O that is asked for here. */
  private wanted(incoming: Incoming, now: number): void {
    this.validator = incoming.kind === "withdrawn" && incoming.task === undefined ? this.seen : undefined;
    answeredAt(this.calls.poll, now + this.interval * (1 + POLL_JITTER * (2 * this.options.random() - 1)));
    this.pollAnew();
    this.calls.release(now);
    this.finish(now);
    if (!this.reached) this.outputs.push({ type: "up" });
    this.reached = true;
    this.outputs.push({ type: "incoming", incoming });
    for (const token of this.calls.awaited.splice(0)) this.outputs.push({ type: "acked", token });
  }

  private taken(now: number): void {
    const { current } = this;
    // Another report has come in its place meanwhile.
    const counts = this.calls.has(current);
    const { name } = current;
    this.calls.remove(current);
    const isTold = counts && name !== "";
    const asks = isTold && this.options.platform.pollsAfterReports === true;
    if (asks) {
      this.known = this.validator = undefined;
      this.calls.pollSoon(name === "burning" ? name : undefined, now);
    }
    this.finish(now);
    if (isTold && !(asks && name === "burning")) this.outputs.push({ type: "acked", token: name });
  }

  private finish(now: number): void {
    if (this.reader.unread) this.keepAlive = false;
    this.state = "resting";
    this.begin(now);
  }

  /* ---- failures ---- */

  /** `refused`: by the server, with a status of 4xx. */
  private failed(reason: string, now: number, retryAfter = 0, refused = false): void {
    const { current, calls } = this;
    this.close();
    this.state = "resting";
    // Nothing waits for a report but the next job.
    if (current === calls.poll) this.refused = refused;
    const isUrgent = current === calls.poll && this.cap < BACKOFF_CAP && this.mayHurry();
    retry(current, now, retryAfter, isUrgent ? this.cap : Math.min(POLL_RETRY_CAP, this.interval));
    if (current === calls.poll) {
      this.pollAnew();
      this.reached = false;
      this.outputs.push({ type: "down", reason });
    } else if (calls.has(current)) this.reportFailed(current, reason);
  }

  private mayHurry(): boolean {
    return !this.refused || this.calls.poll.tries < HURRIED_MAX;
  }

  private reportFailed(report: Pending, reason: string): void {
    const { name, tries } = report;
    const isLast = tries >= this.options.platform.reportTries || name === "";
    if (!isLast) return void this.outputs.push({ type: "warning", message: `report not taken: ${reason}` });
    this.calls.remove(report);
    this.outputs.push({ type: "warning", message: `report given up after ${tries} tries: ${reason}` });
    if (name !== "") this.outputs.push({ type: "acked", token: name });
  }

  private pollAnew(): void {
    this.follows = 0;
    this.calls.poll.call = this.options.platform.poll();
  }
}
