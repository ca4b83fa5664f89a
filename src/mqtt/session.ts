import type { Identity, Message } from "../platforms/platform";

export type SessionEffect =
  /** Open the connection to the broker now. */
  | { readonly type: "connect" }
  | { readonly type: "send"; readonly bytes: Uint8Array }
  /** Close the connection, or give up the connect. */
  | { readonly type: "close" }
  /** CONNACK accepted and one SUBACK for every subscription, at least one granted. */
  | { readonly type: "up" }
  /** Connection lost or not made; the session reconnects by itself after `retryIn` ms. */
  | { readonly type: "down"; readonly reason: string; readonly retryIn: number }
  /** `handle` 0: QoS 0. Otherwise call `handled(handle)` once the message was handled: the acknowledgement goes out then. */
  | { readonly type: "message"; readonly topic: string; readonly payload: Uint8Array; readonly handle: number }
  /** PUBACK for `publish(token, ...)`. */
  | { readonly type: "acked"; readonly token: string }
  /** One line for people. */
  | { readonly type: "warn"; readonly message: string };

export interface SessionOptions {
  identity(): Identity;
  readonly subscriptions: readonly string[];
  random(): number;
}

export class MqttSession {
  constructor(options: SessionOptions) {
    void options;
  }

  get isUp(): boolean {
    return false;
  }

  start(_now: number): SessionEffect[] {
    return [];
  }

  opened(_now: number): SessionEffect[] {
    return [];
  }

  received(_bytes: Uint8Array, _now: number): SessionEffect[] {
    return [];
  }

  closed(_reason: string, _now: number): SessionEffect[] {
    return [];
  }

  tick(_now: number): SessionEffect[] {
    return [];
  }

  publish(_token: string | undefined, _message: Message, _now: number): SessionEffect[] {
    return [];
  }

  cancel(_token: string): void {}

  handled(_handle: number, _now: number): SessionEffect[] {
    return [];
  }

  stop(_now: number): SessionEffect[] {
    return [];
  }

  deadline(): number | undefined {
    return undefined;
  }
}
