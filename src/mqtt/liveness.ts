import { MQTT_KEEPALIVE, MQTT_REPLY_TIMEOUT } from "../constants";

/**
 * Is the broker still there? Silence of a keep-alive's length in EITHER direction asks for a ping: the standard wants one
 * after silence of ours (MQTT 3.1.1, section 3.1.2.10), but a device that keeps sending would then never notice that a
 * connection is dead.
 */
export class Liveness {
  readonly #interval: number;
  #lastSent: number;
  #lastReceived: number;
  /** When the answer to a ping must have come; undefined: none under way. */
  #answerEnd: number | undefined;

  /** `keepAlive` in seconds. 0 means that the broker does not watch us; we still watch it. */
  constructor(keepAlive: number, now: number) {
    this.#interval = (keepAlive || MQTT_KEEPALIVE) * 1000;
    this.#lastSent = now;
    this.#lastReceived = now;
  }

  sent(now: number): void {
    this.#lastSent = now;
  }

  /** Any byte is a sign of life, not only a PINGRESP. */
  received(now: number): void {
    this.#lastReceived = now;
    this.#answerEnd = undefined;
  }

  /** A ping leaves now. */
  pinged(now: number): void {
    this.#lastSent = now;
    this.#answerEnd = now + MQTT_REPLY_TIMEOUT;
  }

  judge(now: number): "alive" | "ping" | "dead" {
    if (now < this.deadline()) return "alive";
    return this.#answerEnd === undefined ? "ping" : "dead";
  }

  /** When the judgement changes unless something happens. */
  deadline(): number {
    return this.#answerEnd ?? Math.min(this.#lastSent, this.#lastReceived) + this.#interval;
  }
}
