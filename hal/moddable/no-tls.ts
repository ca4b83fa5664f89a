/**
 * In place of safe-tls.ts in firmware that is built with manifest_without_tls.json: each connection that asks for TLS
 * ends at once, with the cause.
 */
import Timer from "timer";
import type { Socket, SocketEvents } from "../../src/ports";

const CAUSE = "this firmware was built without TLS: use plain MQTT and HTTP, or leave out manifest_without_tls.json";

export class SafeTls implements Socket {
  private events: SocketEvents | undefined;

  constructor(_options: unknown, events: SocketEvents) {
    this.events = events;
    Timer.set(() => this.events?.closed({ kind: "tls", message: CAUSE }), 0);
  }

  read(): number {
    return 0;
  }

  write(): number {
    return 0;
  }

  close(): void {
    this.events = undefined;
  }
}
