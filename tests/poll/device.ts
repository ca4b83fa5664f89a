/** A poller on a connection that the test plays: what it sends, and what it makes of answers. Time is the test's. */
import { Poller } from "../../src/poll/poller";
import type { PollEvent, PollOutput } from "../../src/poll/outputs";
import type { HttpCall, PollPlatform, Polled } from "../../src/platforms/poll-platform";
import type { Incoming, Report } from "../../src/platforms/platform";
import type { Running, SocketError } from "../../src/ports";

export const RUNNING: Running = { slot: "ota_0", version: "0.1.0", project: "p", chip: 0, state: "valid" };
export const INTERVAL = 1_000_000;
const OFFER: Incoming = {
  kind: "offer",
  offer: { version: "0.2.0", size: 9, url: "http://files/fw.bin" },
};

/**
 * A platform for tests: "offer", "nothing", "soon" and "more" are what an answer may say; reports go to the address of
 * the same server.
 */
export class TestPlatform implements PollPlatform {
  readonly name = "test";
  readonly rules = {
    versionReport: false,
    versionWhileBusy: false,
    renewable: true,
    resumeDelay: 0,
    wantedState: true,
  };
  readonly interval = INTERVAL;
  reportTries = Infinity;
  url = "http://cloud.example/poll";
  reports: HttpCall | undefined = { method: "POST", url: "http://cloud.example/report", body: '{"text":"ä"}' };
  readonly headers: string[] = [];
  /** An outcome waits for an answered poll. */
  asks = false;
  /** Where answers came from. */
  readonly answeredBy: string[] = [];

  link(): never {
    throw new Error("the test is the link");
  }

  poll(): HttpCall {
    return { method: "GET", url: this.url, headers: this.headers };
  }

  polled({ body, url }: Parameters<PollPlatform["polled"]>[0]): Polled {
    this.answeredBy.push(`${url.hostHeader}${url.target}`);
    const text = Buffer.from(body).toString();
    if (text === "offer") return { kind: "read", incoming: OFFER };
    if (text === "nothing") return { kind: "read", incoming: { kind: "withdrawn" } };
    if (text === "soon") return { kind: "read", incoming: { kind: "withdrawn" }, interval: 5_000 };
    if (text === "more") return { kind: "follow", call: { method: "GET", url: "http://cloud.example/more" } };
    return { kind: "bad", message: `not known: ${text.slice(0, 20)}` };
  }

  encode(): HttpCall | undefined {
    return this.reports;
  }

  settles(status: number): boolean {
    return status === 410;
  }

  asksBefore({ kind }: Report): boolean {
    return this.asks && kind === "outcome";
  }
}

export class PollDevice {
  readonly platform = new TestPlatform();
  readonly events: PollEvent[] = [];
  /** Requests, as text. */
  readonly requests: string[] = [];
  /** Servers that were connected to. */
  readonly servers: string[] = [];
  connected = false;
  now = 0;
  readonly poller: Poller;

  constructor(change: (platform: TestPlatform) => void = () => undefined, allowHttp = true, random = 0.5) {
    change(this.platform);
    this.poller = new Poller({ platform: this.platform, running: RUNNING, allowHttp, random: () => random });
    this.take(this.poller.start(this.now));
  }

  /** The connection stands. */
  open(): this {
    this.take(this.poller.opened(this.now));
    return this;
  }

  /** Bytes of the server, in slices of `slice`. */
  receive(bytes: string | Uint8Array, slice = 512): this {
    const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    for (let at = 0; at < all.length && this.connected;) {
      const target = this.poller.readTarget();
      const part = all.subarray(at, at + Math.min(slice, target.length));
      target.set(part);
      at += part.length;
      this.take(this.poller.received(part.length, this.now));
    }
    return this;
  }

  /** A whole answer with a length. */
  answer(body: string, status = "200 OK", ...fields: readonly string[]): this {
    const head = [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...fields].join("\r\n");
    return this.receive(`${head}\r\n\r\n${body}`);
  }

  close(error?: SocketError): this {
    this.connected = false;
    this.take(this.poller.closed(error, this.now));
    return this;
  }

  /** To the next deadline; returns how long that took, ms. */
  wait(): number {
    const before = this.now;
    this.now = Math.max(this.now, this.poller.deadline() ?? this.now);
    this.take(this.poller.tick(this.now));
    return this.now - before;
  }

  report(kind: "outcome" | "burning" | "version", token: string | undefined = kind): this {
    const task = { version: "0.2.0" };
    const report =
      kind === "outcome"
        ? ({ kind, task, outcome: { kind: "done" } } as const)
        : kind === "burning"
          ? ({ kind, task } as const)
          : ({ kind, version: "0.1.0" } as const);
    this.take(this.poller.report(report, token, this.now));
    return this;
  }

  /** What was told since the last call: names of events, with what is particular. */
  told(): string[] {
    return this.events.splice(0).map((event) => {
      switch (event.type) {
        case "up":
          return "up";
        case "down":
          return `down: ${event.reason}`;
        case "incoming":
          return event.incoming.kind;
        case "acked":
          return `acked ${event.token}`;
        case "warning":
          return `warning: ${event.message}`;
      }
    });
  }

  /** The next request in full. */
  request(): string {
    return this.requests.shift() ?? "";
  }

  private take(outputs: readonly PollOutput[]): void {
    for (const output of outputs) {
      if (output.type === "connect") {
        this.connected = true;
        this.servers.push(`${output.tls ? "https" : "http"}://${output.host}:${output.port}`);
      } else if (output.type === "send") this.requests.push(Buffer.from(output.bytes).toString());
      else if (output.type === "close") this.connected = false;
      else this.events.push(output);
    }
  }
}
