import type { Identity, Message } from "../mqtt/message";
import type { Incoming, Platform, Report } from "./platform";

/**
 * The protocol of a cloud that a device reaches over MQTT: it turns messages into offers, and reports into messages. Its
 * `link` is `linkToBroker` (agent/mqtt-cloud.ts).
 */
export interface BrokerPlatform extends Platform {
  /** Credentials of one connection. Called at each connect. */
  identity(): Identity;
  /** Topics; each is sent in a SUBSCRIBE packet of its own, QoS 1. */
  readonly subscriptions: readonly string[];
  /** Never throws, whatever the bytes. */
  parse(topic: string, payload: Uint8Array): Incoming;
  /** The message for a report; undefined where this cloud has no such message. */
  encode(report: Report): Message | undefined;
}
