import { MQTT_KEEPALIVE, MQTT_REPLY_TIMEOUT } from "../constants";

/**
 * Decides when to ping and when a broker counts as dead. Silence of one keep-alive interval in EITHER direction asks
 * for a ping. The standard asks for one only after silence of the client (MQTT 3.1.1, section 3.1.2.10); a device that
 * keeps sending would then never notice a dead connection.
 */
export class Liveness {
  private readonly interval: number;
  private lastSent: number;
  private lastReceived: number;
  /** When the PINGRESP is due; undefined: no ping is under way. */
  private answerEnd: number | undefined;

  /**
   * `keepAlive` in seconds. 0: the broker does not check the client; the client still checks the broker, every
   * MQTT_KEEPALIVE.
   */
  constructor(keepAlive: number, now: number) {
    this.interval = (keepAlive || MQTT_KEEPALIVE) * 1000;
    this.lastSent = now;
    this.lastReceived = now;
  }

  sent(now: number): void {
    this.lastSent = now;
  }

  /** Any byte shows that the peer is there, not only a PINGRESP. */
  received(now: number): void {
    this.lastReceived = now;
    this.answerEnd = undefined;
  }

  /** A PINGREQ is sent. */
  pinged(now: number): void {
    this.lastSent = now;
    this.answerEnd = now + MQTT_REPLY_TIMEOUT;
  }

  check(now: number): "alive" | "ping" | "dead" {
    if (now < this.deadline()) return "alive";
    return this.answerEnd === undefined ? "ping" : "dead";
  }

  /** When the result of `check` changes unless something is sent or received. */
  deadline(): number {
    return this.answerEnd ?? Math.min(this.lastSent, this.lastReceived) + this.interval;
  }
}
