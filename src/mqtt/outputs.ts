import type { Identity } from "./message";
import type { IoEffect } from "../protocol/machine";

/** What a session tells its owner, in order. */
export type SessionEvent =
  /** CONNACK accepted and one SUBACK for every subscription, at least one granted. */
  | { readonly type: "up" }
  /** Connection lost or not made; the session reconnects by itself after `retryIn` ms. */
  | { readonly type: "down"; readonly reason: string; readonly retryIn: number }
  /**
   * A message; brokers may send the first ones before "up". `handle` 0: QoS 0. Otherwise the owner calls
   * `handled(handle)` once the message was handled, and the acknowledgement leaves then. The payload is the owner's to
   * keep.
   */
  | { readonly type: "message"; readonly topic: string; readonly payload: Uint8Array; readonly handle: number }
  /** PUBACK for `publish(token, ...)`. */
  | { readonly type: "acked"; readonly token: string }
  /** One line for people. */
  | { readonly type: "warning"; readonly message: string };

export type SessionOutput = IoEffect | SessionEvent;

export interface SessionOptions {
  /** Called for each connection. */
  identity(): Identity;
  readonly subscriptions: readonly string[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
}
