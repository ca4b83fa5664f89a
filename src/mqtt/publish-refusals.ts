import { MQTT_REPLY_TIMEOUT } from "../constants";
import type { BrokerConnection } from "./broker-connection";

/**
 * Recognizes a broker that refuses a publish by closing the connection: MQTT 3.1.1 has no other way to refuse one
 * (section 3.3.5). What tells it from a bad network is that the same publish meets the same end again.
 */
export class PublishRefusals {
  /** The first publish since anything was received: its name (undefined: none), topic and time. */
  private unanswered: string | undefined;
  private topic = "";
  private at = 0;
  /** Name of the publish at which the connection ended last, and how often in a row. */
  private name: string | undefined;
  private count = 0;

  sent(name: string, topic: string, now: number): void {
    if (this.unanswered !== undefined) return;
    this.unanswered = name;
    this.topic = topic;
    this.at = now;
  }

  received(): void {
    this.unanswered = undefined;
  }

  acknowledged(name: string): void {
    if (name === this.name) this.count = 0;
  }

  /** The broker closed a connection that was up. Returns why, if it refuses a publish. */
  closed(now: number, connection: Pick<BrokerConnection, "masked">): string | undefined {
    const { unanswered: name, topic, at } = this;
    this.unanswered = undefined;
    if (name === undefined || now - at >= MQTT_REPLY_TIMEOUT) {
      this.count = 0;
      return undefined;
    }
    this.count = name === this.name ? this.count + 1 : 1;
    this.name = name;
    if (this.count < 2) return undefined;
    return `the broker closed the connection ${this.count} times at the publish "${name}" to ${connection.masked(topic)}: check that this device may publish there`;
  }
}
