/** Telemetry, attributes and the question for limits (facts 8, 17, 19, 43 to 48). */
import type { IPublishPacket } from "mqtt-packet";
import type { AttributeValue } from "../../../host-sim/operators/thingsboard/operator";
import { isRecord, parseJson } from "../http/message";
import { addSample } from "./model";
import type { Device, Sample } from "./model";
import { PAYLOAD_MAX, REASON } from "./session";
import type { Session } from "./session";
import type { Transport } from "./transport";

const TELEMETRY = "v1/devices/me/telemetry";
const ATTRIBUTES = "v1/devices/me/attributes";
const REQUEST = "v1/devices/me/attributes/request/";
const RESPONSE = "v1/devices/me/attributes/response/";
const RPC = /^v1\/devices\/me\/rpc\/request\/(\d+)$/;
const INFLIGHT_MAX = 100;

export class DeviceTopics {
  readonly #transport: Transport;
  readonly #session: Session;

  constructor(transport: Transport, session: Session) {
    this.#transport = transport;
    this.#session = session;
  }

  /** False: not such a topic. */
  take(packet: IPublishPacket): boolean {
    const { topic } = packet;
    const [, rpc] = RPC.exec(topic) ?? [];
    if (topic !== TELEMETRY && topic !== ATTRIBUTES && !topic.startsWith(REQUEST) && rpc === undefined) return false;
    this.#session.active();
    const limits = this.#transport.limitsOf(this.#session.device);
    if ((topic === TELEMETRY ? limits?.telemetry : limits?.messages)?.take() === false) {
      this.#session.end(REASON.implementationSpecific);
      return true;
    }
    const message = parseJson(Buffer.from(packet.payload));
    const taken =
      topic === TELEMETRY
        ? saveTelemetry(this.#session.device, message, this.#transport.now())
        : topic === ATTRIBUTES
          ? this.#save(packet, message)
          : rpc === undefined
            ? this.#request(topic.slice(REQUEST.length), message)
            : this.#rpc(rpc, message);
    if (taken === "later") return true;
    if (taken) this.#session.acknowledge(packet);
    else this.#malformed(packet);
    return true;
  }

  #save(packet: IPublishPacket, message: unknown): false | "later" {
    if (!isRecord(message)) return false;
    const { device } = this.#session;
    this.#transport.queues.run("save", device, () => {
      saveAttributes(device, message);
      this.#session.acknowledge(packet);
    });
    return "later";
  }

  /** 3.1.1 has no word for it (fact 47). */
  #malformed(packet: IPublishPacket): void {
    if (this.#session.version === 5 && packet.qos > 0) this.#session.acknowledge(packet, REASON.payloadFormatInvalid);
    else this.#session.end(REASON.payloadFormatInvalid);
  }

  #request(id: string, message: unknown): boolean {
    if (!/^\d+$/.test(id) || !isRecord(message)) return false;
    const { clientKeys, sharedKeys } = message;
    const { queues } = this.#transport;
    const { device } = this.#session;
    queues.run("read", device, () => {
      const answer = JSON.stringify(attributesOf(device, text(clientKeys), text(sharedKeys)));
      queues.run("answer", this.#session, () => this.#session.send(RESPONSE + id, `${RESPONSE}+`, answer));
    });
    return true;
  }

  #rpc(id: string, message: unknown): boolean {
    if (!isRecord(message)) return false;
    if (message["method"] !== "getSessionLimits") return true;
    const { limits } = this.#transport;
    const rateLimits = { messages: limits, telemetryMessages: limits, telemetryDataPoints: limits };
    this.#session.send(
      `v1/devices/me/rpc/response/${id}`,
      "v1/devices/me/rpc/response/+",
      JSON.stringify({ maxPayloadSize: PAYLOAD_MAX, maxInflightMessages: INFLIGHT_MAX, rateLimits }),
    );
    return true;
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Neither keys of one kind nor of the other: all of both (fact 17). No such attributes: no such key. */
export function attributesOf(
  { client, shared }: Device,
  clientKeys: string | undefined,
  sharedKeys: string | undefined,
): Record<string, unknown> {
  const all = clientKeys === undefined && sharedKeys === undefined;
  const pick = (from: ReadonlyMap<string, AttributeValue>, keys: string | undefined): [string, AttributeValue][] =>
    all ? [...from] : (keys ?? "").split(",").flatMap((key) => (from.has(key) ? [[key, from.get(key)!]] : []));
  const answer: Record<string, unknown> = {};
  for (const [name, found] of [
    ["client", pick(client, clientKeys)],
    ["shared", pick(shared, sharedKeys)],
  ] as const)
    if (found.length > 0) answer[name] = Object.fromEntries(found);
  return answer;
}

/** {key: value}, {ts, values}, or a list of those. False: no JSON of telemetry. */
export function saveTelemetry(device: Device, message: unknown, now: number): boolean {
  if (Array.isArray(message)) return message.every((each) => saveTelemetry(device, each, now));
  if (!isRecord(message)) return false;
  const { ts, values } = message;
  const stamped = typeof ts === "number" && isRecord(values);
  for (const [key, value] of Object.entries(stamped ? (values as Record<string, unknown>) : message)) {
    // null is ignored (fact 45).
    if (value === null) continue;
    const at = stamped ? (ts as number) : freeFrom(now, device.telemetry.get(key));
    addSample(device.telemetry, key, {
      ts: at,
      value: typeof value === "object" ? JSON.stringify(value) : String(value),
    });
  }
  return true;
}

/** Two reports of one millisecond would be one: the real server keeps one value of a key and time. */
function freeFrom(now: number, samples: readonly Sample[] = []): number {
  let at = now;
  while (samples.some(({ ts }) => ts === at)) at++;
  return at;
}

export function saveAttributes(device: Device, message: unknown): boolean {
  if (!isRecord(message)) return false;
  for (const [key, value] of Object.entries(message))
    device.client.set(key, typeof value === "object" ? JSON.stringify(value) : (value as AttributeValue));
  return true;
}
