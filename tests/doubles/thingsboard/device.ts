/** A device in a test: MQTT packets to the double and back, without a network. */
import assert from "node:assert/strict";
import { generate, parser } from "mqtt-packet";
import type { IConnectPacket, Packet } from "mqtt-packet";
import type { Package } from "../../../host-sim/operators/thingsboard/operator";
import type { HttpAnswer } from "../http/message";
import type { MqttSession } from "./mqtt-session";
import { ThingsBoardDouble } from "./server";

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
}

export const ATTRIBUTES = "v1/devices/me/attributes";
export const TELEMETRY = "v1/devices/me/telemetry";
export const OFFER_KEYS = "fw_title,fw_version,fw_size,fw_checksum,fw_checksum_algorithm,fw_url,fw_tag";

/** One connection. */
export class TbDevice {
  readonly messages: Message[] = [];
  readonly packets: Packet[] = [];
  closed = false;
  readonly #version: 3 | 4 | 5;
  readonly #session: MqttSession;
  readonly #settle: () => void;
  #packetId = 0;

  constructor(double: ThingsBoardDouble, settle: () => void, version: 3 | 4 | 5 = 4) {
    const reader = parser({ protocolVersion: version });
    reader.on("packet", (packet) => {
      this.packets.push(packet);
      if (packet.cmd === "publish")
        this.messages.push({ topic: packet.topic, payload: Buffer.from(packet.payload), qos: packet.qos });
    });
    this.#version = version;
    this.#settle = settle;
    this.#session = double.connect({
      send: (bytes) => void reader.parse(Buffer.from(bytes)),
      end: () => (this.closed = true),
    });
  }

  /** In one piece, as one segment of TCP would carry them. */
  send(...packets: readonly Packet[]): void {
    this.#session.received(Buffer.concat(packets.map((each) => generate(each, { protocolVersion: this.#version }))));
    this.#settle();
  }

  /** Code of the CONNACK. */
  connect(identity: Partial<IConnectPacket>): number {
    this.send({
      cmd: "connect",
      protocolId: this.#version === 3 ? "MQIsdp" : "MQTT",
      protocolVersion: this.#version,
      clean: true,
      clientId: "dev",
      keepalive: 60,
      ...identity,
    });
    const answer = this.last("connack");
    return answer.returnCode ?? answer.reasonCode ?? 0;
  }

  /** The granted QoS of each, 128: refused. */
  subscribe(qos: 0 | 1 | 2, ...filters: readonly string[]): number[] {
    const subscriptions = filters.map((topic) => ({ topic, qos }));
    this.send({ cmd: "subscribe", messageId: ++this.#packetId, subscriptions });
    return this.last("suback").granted as number[];
  }

  packet(topic: string, payload: string, qos: 0 | 1 | 2 = 1): Packet {
    return { cmd: "publish", topic, payload, qos, messageId: ++this.#packetId, dup: false, retain: false };
  }

  publish(topic: string, payload: string | object, qos: 0 | 1 | 2 = 1): void {
    this.send(this.packet(topic, typeof payload === "string" ? payload : JSON.stringify(payload), qos));
  }

  /** The answer to a request for a chunk; undefined: there was none. */
  chunk(id: number | string, chunk: number | string, size: number | string): Buffer | undefined {
    this.messages.length = 0;
    this.publish(`v2/fw/request/${id}/chunk/${chunk}`, String(size), 0);
    return this.messages.find(({ topic }) => topic === `v2/fw/response/${id}/chunk/${chunk}`)?.payload;
  }

  /** The answer to a request for attributes. */
  attributes(request: object = { sharedKeys: OFFER_KEYS }, id = 1): unknown {
    this.messages.length = 0;
    this.publish(`${ATTRIBUTES}/request/${id}`, request);
    return JSON.parse(String(this.messages.find(({ topic }) => topic === `${ATTRIBUTES}/response/${id}`)?.payload));
  }

  /** What was pushed on the topic of attributes since the last call. */
  pushed(): unknown[] {
    const found = this.messages
      .filter(({ topic }) => topic === ATTRIBUTES)
      .map(({ payload }) => JSON.parse(String(payload)) as unknown);
    this.messages.length = 0;
    return found;
  }

  /** Reasons on `v2/fw/error`. */
  get errors(): string[] {
    return this.messages.filter(({ topic }) => topic === "v2/fw/error").map(({ payload }) => String(payload));
  }

  last<T extends Packet["cmd"]>(cmd: T): Extract<Packet, { cmd: T }> {
    const found = this.packets.findLast((packet): packet is Extract<Packet, { cmd: T }> => packet.cmd === cmd);
    assert.ok(found !== undefined, `no ${cmd} came`);
    return found;
  }
}

export const image = (version: string, size = 10_000): Uint8Array =>
  Uint8Array.from(
    { length: size },
    (_, index) => (index * 31 + (index >> 8) * 7 + Number(version.replaceAll(".", ""))) & 0xff,
  );

export interface Bench {
  readonly double: ThingsBoardDouble;
  readonly profile: string;
  readonly id: string;
  readonly token: string;
  /** A connection that is accepted and subscribed to what a device subscribes to. */
  online(version?: 3 | 4 | 5): TbDevice;
  /** A connection, before CONNECT. */
  dial(version?: 3 | 4 | 5): TbDevice;
  upload(version: string, more?: Partial<Package>): Promise<string>;
  /** Uploads and assigns. */
  offer(version: string, more?: Partial<Package>): Promise<string>;
  states(): Promise<readonly string[]>;
  get(path: string, headers?: Record<string, string>): HttpAnswer;
  /** Lets time pass, seconds. */
  pass(seconds: number): void;
}

export async function newBench(limits?: string): Promise<Bench> {
  let now = Date.UTC(2026, 10, 28);
  const deferred: (() => void)[] = [];
  const double = new ThingsBoardDouble({ now: () => now, limits, defer: (run) => void deferred.push(run) });
  const { operator } = double;
  const settle = (): void => {
    for (let run = deferred.shift(); run !== undefined; run = deferred.shift()) run();
  };
  const profile = await operator.createProfile("xs");
  const { id, accessToken } = await operator.createDevice("dev-1", profile);
  const dial = (version?: 3 | 4 | 5): TbDevice => new TbDevice(double, settle, version);
  const upload = (version: string, more: Partial<Package> = {}): Promise<string> =>
    operator.upload(profile, { title: "xs-app", version, bytes: image(version), ...more });
  return {
    double,
    profile,
    id,
    token: accessToken,
    dial,
    upload,
    online(version) {
      const device = dial(version);
      assert.equal(device.connect({ username: accessToken }), 0);
      device.subscribe(1, ATTRIBUTES);
      return device;
    },
    async offer(version, more) {
      const firmware = await upload(version, more);
      await operator.assign(id, firmware);
      return firmware;
    },
    states: async () => (await operator.telemetry(id, ["fw_state"]))["fw_state"] ?? [],
    get: (path, headers = {}) =>
      double.answer({
        method: "GET",
        target: `/api/v1/${accessToken}/${path}`,
        headers,
        body: new Uint8Array(),
        address: "127.0.0.1",
        scheme: "http",
      }),
    pass: (seconds) => void (now += seconds * 1_000),
  };
}
