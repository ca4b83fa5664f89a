import type { Identity } from "../platforms/platform";

/** What the session wants done, in order. */
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
  /**
   * A message; brokers may send the first ones before "up". `handle` 0: QoS 0. Otherwise call `handled(handle)` once the
   * message was handled: the acknowledgement goes out then. The payload is the receiver's to keep.
   */
  | { readonly type: "message"; readonly topic: string; readonly payload: Uint8Array; readonly handle: number }
  /** PUBACK for `publish(token, ...)`. */
  | { readonly type: "acked"; readonly token: string }
  /** One line for people. */
  | { readonly type: "warn"; readonly message: string };

export interface SessionOptions {
  /** Asked for each connection anew. */
  identity(): Identity;
  readonly subscriptions: readonly string[];
  /** Uniform in [0, 1). */
  random(): number;
}
