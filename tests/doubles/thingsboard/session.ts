/** A connection of a device, as the topics see it. */
import type { IPublishPacket } from "mqtt-packet";
import type { Device } from "./model";

/** NETTY_MAX_PAYLOAD_SIZE; a larger packet ends the connection (fact 45). */
export const PAYLOAD_MAX = 65_536;
/** MQTT 5 reasons. */
export const REASON = { implementationSpecific: 131, payloadFormatInvalid: 153 } as const;

export interface Session {
  readonly device: Device;
  readonly isClosed: boolean;
  /** Of MQTT: 3, 4 or 5. */
  readonly version: number;
  /** Anything but a chunk of a request id that is known (fact 33). */
  active(): void;
  /** Needs no subscription, which only sets the QoS: 1 without one (fact 7). */
  send(topic: string, filter: string, payload: string | Uint8Array): void;
  /** A change of shared attributes: only these need a subscription (fact 7). */
  push(message: Record<string, unknown>): void;
  acknowledge(packet: IPublishPacket, reasonCode?: number): void;
  /** A version of MQTT before 5 hears no reason (fact 36). */
  end(reasonCode?: number): void;
}
