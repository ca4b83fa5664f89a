/**
 * An external MQTT client: the application's own one of the SDK's `embedded:network/mqtt/client`, for clouds that allow
 * a device a single connection. The application passes its client's callbacks on; the agent answers with true what it
 * has taken.
 *
 * The client of SDK 8.2 acknowledges a message before anybody has handled it, never recovers from one with an empty
 * payload, does not reconnect, and its TLS sockets accept a session without encryption. The agent's own connection has
 * none of these faults.
 */
import { MQTT_INFLIGHT, MQTT_PAYLOAD_MAX } from "../../src/constants";
import type { LinkEvents, MqttLink } from "../../src/agent/link";
import type { Message } from "../../src/mqtt/message";
import { encodeUtf8 } from "../../src/util/utf8";

/** The members of the client that are used, as it implements them; its declarations differ. */
export interface ExternalClient {
  /** Throws where it does not fit the socket's room; nothing was written then. */
  write(data: Uint8Array | null, options: object): number;
  read(into: Uint8Array): unknown;
}

/** An argument of the client's onControl. */
export interface ControlMessage {
  readonly operation: number;
  readonly id?: number;
  /** Of a SUBACK: the QoS granted, 0x80 = refused. */
  readonly payload?: readonly number[];
}

/** The second argument of the client's onReadable. */
export interface ReadableOptions {
  /** In the first part of a message only. */
  readonly topic?: string;
  /** Of the whole payload; in the first part only. */
  readonly byteLength?: number;
  /** More parts follow. */
  readonly more: boolean;
}

/** Control packet types (MQTT 3.1.1, table 2.1). */
const PUBACK = 4;
const SUBSCRIBE = 8;
const SUBACK = 9;
/** The client counts its packet ids up from 2: the agent's are far above. */
const FIRST_ID = 0xc000;
const LAST_ID = 0xffff;
const REFUSED = 0x80;

interface Waiting {
  readonly id: number;
  /** What the client is given. */
  readonly data: Uint8Array | null;
  readonly options: object;
}

export class ExternalMqtt implements MqttLink {
  private topics: readonly string[] = [];
  private events: LinkEvents | undefined;
  private client: ExternalClient | undefined;
  private up = false;
  private id = LAST_ID;
  /** QoS 1 by token, until acknowledged; `id` of this connection, 0: not sent on it. */
  private readonly kept = new Map<string, { readonly message: Message; id: number }>();
  /** Packets that did not fit yet, in order. */
  private waiting: Waiting[] = [];
  /** Ids of the subscriptions under way. */
  private subscribing: number[] = [];
  /** A message of the agent's on its way in; without bytes: too large, read and dropped. */
  private incoming: { readonly topic: string; readonly bytes: Uint8Array | undefined; at: number } | undefined;

  /* ---- for the agent ---- */

  start(topics: readonly string[], events: LinkEvents): void {
    this.topics = topics;
    this.events = events;
    this.subscribe();
  }

  publish(message: Message, token: string | undefined): void {
    if (token === undefined) {
      // QoS 0: the next report makes up for a lost one.
      if (this.up && this.waiting.length === 0) this.send(this.publication(message, 0));
      return;
    }
    if (!this.kept.has(token) && this.kept.size >= MQTT_INFLIGHT)
      return this.events?.warning(`${token}: too many reports wait for their PUBACK`);
    this.kept.set(token, { message, id: 0 });
    if (this.up) this.sendKept(token);
  }

  stop(): void {
    this.events = undefined;
    this.forgetConnection();
  }

  /* ---- for the application: its client's callbacks ---- */

  /** CONNACK has come. */
  connected(client: ExternalClient): void {
    this.client = client;
    this.subscribe();
  }

  /** The connection has ended; the application makes another, with another client. */
  disconnected(reason: string): void {
    this.client = undefined;
    this.forgetConnection();
    this.events?.down(reason);
  }

  /** From onControl. True: that was an answer to the agent. */
  control({ operation, id = 0, payload }: ControlMessage): boolean {
    if (id < FIRST_ID) return false;
    if (operation === SUBACK) this.subscribed(id, payload?.[0] ?? REFUSED);
    if (operation === PUBACK) this.acknowledged(id);
    return operation === SUBACK || operation === PUBACK;
  }

  /** From onReadable. True: the bytes were the agent's and are read. */
  readable(client: ExternalClient, count: number, { topic, byteLength = count, more }: ReadableOptions): boolean {
    if (topic !== undefined) {
      if (this.events === undefined || !this.topics.includes(topic)) return false;
      const fits = byteLength <= MQTT_PAYLOAD_MAX;
      this.incoming = { topic, bytes: fits ? new Uint8Array(byteLength) : undefined, at: 0 };
    }
    const incoming = this.incoming;
    if (incoming === undefined) return false;
    client.read(incoming.bytes?.subarray(incoming.at, incoming.at + count) ?? new Uint8Array(count));
    incoming.at += count;
    if (more) return true;
    this.incoming = undefined;
    if (incoming.bytes === undefined) this.events?.warning(`message of ${byteLength} bytes or more skipped`);
    else this.events?.message(incoming.topic, incoming.bytes);
    return true;
  }

  /** From onWritable. */
  writable(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const packet of waiting) this.send(packet);
  }

  /* ---- packets ---- */

  /** Each topic in a packet of its own. */
  private subscribe(): void {
    if (this.client === undefined || this.events === undefined) return;
    for (const topic of this.topics) {
      const id = this.takeId();
      this.subscribing.push(id);
      this.send({ id, data: null, options: { operation: SUBSCRIBE, id, items: [{ topic, QoS: 1 }] } });
    }
  }

  private subscribed(id: number, code: number): void {
    if (!this.subscribing.includes(id)) return;
    this.subscribing = this.subscribing.filter((other) => other !== id);
    if (code >= REFUSED) return this.events?.warning("subscription refused by the broker");
    if (this.up) return;
    this.up = true;
    for (const token of this.kept.keys()) this.sendKept(token);
    this.events?.up();
  }

  private acknowledged(id: number): void {
    for (const [token, kept] of this.kept) {
      if (kept.id !== id) continue;
      this.kept.delete(token);
      this.events?.acked(token);
      return;
    }
  }

  private sendKept(token: string): void {
    const kept = this.kept.get(token);
    if (kept === undefined) return;
    kept.id = this.takeId();
    this.send(this.publication(kept.message, kept.id));
  }

  private publication({ topic, payload, qos }: Message, id: number): Waiting {
    return { id, data: encodeUtf8(payload), options: { topic, QoS: qos, ...(id === 0 ? {} : { id }) } };
  }

  /** In order: behind what waits. A packet that the socket has no room for is tried again when there is some. */
  private send(packet: Waiting): void {
    if (this.client === undefined) return;
    if (this.waiting.length === 0) {
      try {
        this.client.write(packet.data, packet.options);
        return;
      } catch {
        if (packet.id === 0) return;
      }
    }
    this.waiting.push(packet);
  }

  private takeId(): number {
    this.id = this.id === LAST_ID ? FIRST_ID : this.id + 1;
    return this.id;
  }

  private forgetConnection(): void {
    this.up = false;
    this.waiting = [];
    this.subscribing = [];
    this.incoming = undefined;
    for (const kept of this.kept.values()) kept.id = 0;
  }
}
