import type { Session } from "./bus";

/** What a client shows when it connects. */
export interface ConnectAttempt {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Common name of a client certificate that our own authority issued and the TLS handshake proved. */
  readonly certificateName: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** CONNACK codes: 4 bad user name or password, 5 not authorized (MQTT 3.1.1, table 3.1). */
export type Admission =
  | { readonly admitted: true; readonly side: string; readonly device: string }
  | { readonly admitted: false; readonly code: 4 | 5; readonly reason: string };

/**
 * "drop": acknowledged and thrown away, as brokers do with a topic that is not the client's; "disconnect": the harder
 * answer.
 */
export type PublishVerdict = "accept" | "drop" | "disconnect";

/** Who may connect, publish and subscribe: asked by the broker, answered by the platform sides. Must not throw. */
export interface Gate {
  connect(attempt: ConnectAttempt): Admission;
  publish(session: Session, topic: string): PublishVerdict;
  /** False: SUBACK 0x80. */
  subscribe(session: Session, filter: string): boolean;
}
