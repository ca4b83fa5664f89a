import type { Identity, Message } from "./message";
import { encodeUtf8 } from "../util/utf8";
import { generate, parser } from "../vendor/mqtt-packet";

/**
 * MQTT 3.1.1 packets to bytes and back, through mqtt-packet. The library's own types name Node's buffers and streams,
 * which XS does not have; the few members in use are declared here.
 */
interface Parsed {
  readonly cmd: string;
  readonly messageId?: number;
  readonly topic?: string;
  readonly payload?: Uint8Array;
  readonly qos?: number;
  readonly returnCode?: number;
  readonly granted?: readonly number[];
}

/** What a broker sends to this client. */
export type Packet =
  | { readonly type: "connack"; readonly code: number }
  | {
      readonly type: "publish";
      readonly topic: string;
      readonly payload: Uint8Array;
      readonly qos: number;
      /** 0 at QoS 0. */ readonly id: number;
    }
  | { readonly type: "puback" | "pubrel"; readonly id: number }
  | { readonly type: "suback"; readonly id: number; /** QoS granted, or 0x80: refused. */ readonly code: number }
  | { readonly type: "pingresp" }
  | { readonly type: "malformed"; readonly reason: string };

/** Decodes whole packets, one at a time; one decoder for each connection. */
export class PacketDecoder {
  private readonly parser = parser();
  private parsed: Parsed | undefined;
  private error: string | undefined;

  constructor() {
    this.parser.on("packet", (packet) => {
      this.parsed = packet as Parsed;
    });
    this.parser.on("error", (error) => {
      this.error = error.message;
    });
  }

  /** Never throws. After "malformed" the decoder is not usable any more. */
  decode(bytes: Uint8Array): Packet {
    try {
      this.parser.parse(bytes);
    } catch (error) {
      this.error = String(error);
    }
    const parsed = this.parsed;
    this.parsed = undefined;
    return parsed && this.error === undefined
      ? checked(parsed)
      : { type: "malformed", reason: this.error ?? "incomplete packet" };
  }
}

/**
 * The library reports a field that is cut off as -1 or leaves it out, and lets packet id 0 pass, which the standard
 * forbids (section 2.3.1).
 */
const checked = (parsed: Parsed): Packet => {
  const { cmd, messageId: id = 0, qos = 0 } = parsed;
  if (id <= 0 && cmd !== "connack" && cmd !== "pingresp" && !(cmd === "publish" && qos === 0))
    return { type: "malformed", reason: `${cmd} without a packet id` };
  switch (cmd) {
    case "connack":
      return parsed.returnCode === undefined
        ? { type: "malformed", reason: "connack without a code" }
        : { type: cmd, code: parsed.returnCode };
    case "publish":
      return { type: cmd, topic: parsed.topic!, payload: plain(parsed.payload!), qos, id: qos === 0 ? 0 : id };
    case "puback":
    case "pubrel":
      return { type: cmd, id };
    case "suback":
      return parsed.granted?.length === 1
        ? { type: cmd, id, code: parsed.granted[0]! }
        : { type: "malformed", reason: "suback without exactly one code" };
    case "pingresp":
      return { type: cmd };
    default:
      return { type: "malformed", reason: `${cmd} is not for a client` };
  }
};

/** A plain view: the library returns its own subclass of Uint8Array. */
const plain = (bytes: Uint8Array): Uint8Array => {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

/**
 * Clean session: the client keeps what must survive a connection. Throws if the identity does not fit into a packet.
 */
export const connect = (identity: Identity): Uint8Array => {
  const { clientId, username, password, keepAlive: keepalive } = identity;
  return plain(generate({ cmd: "connect", clean: true, clientId, username, password, keepalive }));
};

export const subscribe = (id: number, topic: string): Uint8Array => {
  return plain(generate({ cmd: "subscribe", messageId: id, subscriptions: [{ topic, qos: 1 }] }));
};

/** `id` and `dup` count at QoS 1 only. */
export const publish = (message: Message, id: number, dup: boolean): Uint8Array => {
  const { qos } = message;
  // Of text the library asks for the length two and three times.
  const [topic, payload] = [encodeUtf8(message.topic), encodeUtf8(message.payload)];
  return plain(generate({ cmd: "publish", topic, payload, qos, messageId: id, dup, retain: false }));
};

export const acknowledge = (cmd: "puback" | "pubrec" | "pubcomp", id: number): Uint8Array => {
  return plain(generate({ cmd, messageId: id }));
};

export const pingreq = (): Uint8Array => {
  return plain(generate({ cmd: "pingreq" }));
};

export const disconnect = (): Uint8Array => {
  return plain(generate({ cmd: "disconnect" }));
};
