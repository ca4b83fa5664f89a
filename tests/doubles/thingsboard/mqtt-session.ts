/**
 * One MQTT connection of a device: CONNECT, SUBSCRIBE, acknowledgements, and how it is ended (facts 1 to 7, 36, 47).
 * Bytes in, bytes out: it does not know what carries them. Topics are in device-topics.ts and chunk-requests.ts.
 */
import { generate, parser } from "mqtt-packet";
import type { IConnackPacket, IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from "mqtt-packet";
import { ChunkRequests } from "./chunk-requests";
import { DeviceTopics } from "./device-topics";
import type { Device } from "./model";
import { PAYLOAD_MAX } from "./session";
import type { Session } from "./session";
import type { Transport } from "./transport";

/** The other end. */
export interface Connection {
  send(bytes: Uint8Array): void;
  end(): void;
}

/** The only filters that are granted (fact 6). */
const FILTERS: ReadonlySet<string> = new Set([
  "v1/devices/me/attributes",
  "v1/devices/me/attributes/response/+",
  "v1/devices/me/rpc/request/+",
  "v1/devices/me/rpc/response/+",
  "v2/fw/response/+/chunk/+",
  "v2/fw/error",
  "v2/sw/response/+/chunk/+",
  "v2/sw/error",
]);
const ATTRIBUTES = "v1/devices/me/attributes";
const REFUSED = 128;
/** transport.sessions.inactivity_timeout */
const INACTIVITY = 600_000;

export class MqttSession implements Session {
  readonly #transport: Transport;
  readonly #connection: Connection;
  readonly #parser = parser();
  readonly #topics: DeviceTopics;
  readonly #chunks: ChunkRequests;
  /** QoS by granted filter. */
  readonly #subscriptions = new Map<string, 0 | 1>();
  #device: Device | undefined;
  #version = 4;
  #activeAt: number;
  #packetId = 0;
  #closed = false;

  constructor(transport: Transport, connection: Connection) {
    this.#transport = transport;
    this.#connection = connection;
    this.#activeAt = transport.now();
    this.#topics = new DeviceTopics(transport, this);
    this.#chunks = new ChunkRequests(transport, this);
    this.#parser.on("packet", (packet) => this.#packet(packet));
    this.#parser.on("error", () => this.end());
  }

  /** Throws before CONNECT was accepted. */
  get device(): Device {
    if (this.#device === undefined) throw new Error("no CONNECT");
    return this.#device;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get version(): number {
    return this.#version;
  }

  received(bytes: Uint8Array): void {
    if (!this.#closed) this.#parser.parse(Buffer.from(bytes));
  }

  active(): void {
    this.#activeAt = this.#transport.now();
  }

  send(topic: string, filter: string, payload: string | Uint8Array): void {
    const qos = this.#subscriptions.get(filter) ?? 1;
    this.#packetId = (this.#packetId % 65_535) + 1;
    const message = { topic, payload: typeof payload === "string" ? payload : Buffer.from(payload), qos } as const;
    this.#write({ cmd: "publish", ...message, messageId: this.#packetId, dup: false, retain: false });
  }

  push(message: Record<string, unknown>): void {
    if (this.#subscriptions.has(ATTRIBUTES)) this.send(ATTRIBUTES, ATTRIBUTES, JSON.stringify(message));
  }

  acknowledge({ qos, messageId = 0 }: IPublishPacket, reasonCode = 0): void {
    const reason = this.#version === 5 ? { reasonCode } : {};
    if (qos === 1) this.#write({ cmd: "puback", messageId, ...reason });
    if (qos === 2) this.#write({ cmd: "pubrec", messageId, ...reason });
  }

  end(reasonCode?: number): void {
    if (this.#closed) return;
    if (this.#version === 5 && reasonCode !== undefined) this.#write({ cmd: "disconnect", reasonCode });
    this.#closed = true;
    this.#connection.end();
    this.#transport.ended(this);
  }

  /** The device closed, or the line broke. */
  lost(): void {
    this.#closed = true;
    this.#transport.ended(this);
  }

  #packet(packet: Packet): void {
    if (this.#closed) return;
    if (packet.cmd === "connect") return this.#connect(packet);
    if (this.#device === undefined || this.#transport.now() - this.#activeAt >= INACTIVITY) return this.end();
    switch (packet.cmd) {
      case "publish":
        return this.#publish(packet);
      case "subscribe":
        return this.#subscribe(packet);
      case "unsubscribe":
        for (const filter of packet.unsubscriptions) this.#subscriptions.delete(filter);
        return this.#write({ cmd: "unsuback", messageId: packet.messageId!, granted: [] });
      case "pubrel":
        return this.#write({ cmd: "pubcomp", messageId: packet.messageId! });
      case "pingreq":
        this.active();
        return this.#write({ cmd: "pingresp" });
      case "disconnect":
        return this.end();
      default:
    }
  }

  /** clean=false is told to be kept, and nothing is (fact 5). */
  #connect(packet: IConnectPacket): void {
    if (this.#device !== undefined) return this.end();
    this.#version = packet.protocolVersion ?? 4;
    (this.#parser as unknown as { settings: object }).settings = { protocolVersion: this.#version };
    const admitted = this.#transport.admit(this, packet);
    if (typeof admitted === "number") {
      this.#write(this.#connack(admitted, false));
      return this.end();
    }
    this.#device = admitted;
    this.#write(this.#connack(0, packet.clean === false));
  }

  #connack(code: number, sessionPresent: boolean): IConnackPacket {
    const reasonCode = code === 5 ? 134 : code === 3 ? 136 : code === 2 ? 133 : code;
    return { cmd: "connack", sessionPresent, ...(this.#version === 5 ? { reasonCode } : { returnCode: code }) };
  }

  #subscribe({ subscriptions, messageId }: ISubscribePacket): void {
    this.active();
    const granted = subscriptions.map(({ topic, qos }) => {
      if (!FILTERS.has(topic)) return REFUSED;
      // QoS 2 is granted as 1 (fact 6).
      const most = qos === 0 ? 0 : 1;
      this.#subscriptions.set(topic, most);
      return most;
    });
    this.#write({ cmd: "suback", messageId: messageId!, granted });
  }

  #publish(packet: IPublishPacket): void {
    if (packet.payload.length > PAYLOAD_MAX) return this.end();
    this.#transport.heard(this.device, packet.topic, Buffer.from(packet.payload));
    if (this.#chunks.take(packet) || this.#topics.take(packet)) return;
    // An unknown topic is acknowledged and ignored (facts 27 and 47).
    this.acknowledge(packet);
  }

  #write(packet: Packet): void {
    if (!this.#closed) this.#connection.send(generate(packet, { protocolVersion: this.#version }));
  }
}
