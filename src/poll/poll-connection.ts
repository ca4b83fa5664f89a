/** The one connection of a poller: to the server of a call, and as long as that keeps it for the next one. */
import { CONNECT_TIMEOUT, HTTP_IDLE_TIMEOUT } from "../constants";
import { AnswerReader } from "./answer-reader";
import type { CallRoute } from "./call-route";
import type { PollOutput } from "./outputs";
import type { State } from "./poll-table";

export class PollConnection {
  protected readonly reader = new AnswerReader();
  protected readonly outputs: PollOutput[] = [];
  protected state: State = "stopped";
  /** What is awaited ends then: the next byte, and all of the call. */
  protected until = 0;
  protected limit = 0;
  protected route: CallRoute | undefined;
  /** The connection has answered a call before. */
  protected reused = false;
  protected keepAlive = false;

  readTarget(): Uint8Array {
    return this.reader.target();
  }

  protected connect(now: number): void {
    this.close();
    const server = this.route?.server;
    if (server === undefined) return;
    this.state = "connecting";
    this.until = now + CONNECT_TIMEOUT;
    this.outputs.push({ type: "connect", ...server });
  }

  protected ask(now: number): void {
    this.state = "asking";
    this.keepAlive = false;
    this.until = now + HTTP_IDLE_TIMEOUT;
    this.reader.reset();
    if (this.route !== undefined) this.outputs.push({ type: "send", bytes: this.route.request });
  }

  protected close(): void {
    this.keepAlive = false;
    this.outputs.push({ type: "close" });
  }
}
