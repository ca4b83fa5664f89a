import type { Message } from "../mqtt/message";

/** Where the broker is. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/**
 * The way to the broker: the agent's own connection (broker-link.ts) or an external MQTT client of the application,
 * where the platform allows a device a single connection. All calls are made outside of each other's callbacks, in the
 * order of events.
 */
export interface MqttLink {
  /** Once. Subscribes to `topics` at QoS 1 whenever a connection is up, each in a SUBSCRIBE of its own. */
  start(topics: readonly string[], events: LinkEvents): void;
  /**
   * With a token: QoS 1, kept and sent again until `acked(token)`; the same token replaces what was kept. QoS 0 while
   * down is dropped.
   */
  publish(message: Message, token: string | undefined): void;
  /**
   * The longest wait for a reconnect from now on, ms: short while a trial or an update is in hand. An external client
   * that keeps a schedule of its own may leave it out.
   */
  urgency?(cap: number): void;
  stop(): void;
}

export interface LinkEvents {
  /** Connected, and at least one subscription granted. */
  up(): void;
  down(reason: string): void;
  /** `payload` is valid during the call. */
  message(topic: string, payload: Uint8Array): void;
  /** PUBACK. */
  acked(token: string): void;
  /** One line for people. */
  warning(message: string): void;
}
