import { MQTT_PAYLOAD_MAX, MQTT_TOPIC_MAX } from "../constants";

/**
 * Cuts the byte stream into packets by their fixed headers (MQTT 3.1.1, section 2.2), before anything is parsed: the
 * packet library stores whatever length a peer announces. Here at most one packet within the limits is held; a larger
 * PUBLISH is skipped unstored, and every other packet a broker may send has one legal length.
 */
export type Frame =
  /** One whole packet, in memory of its own. */
  | { readonly type: "packet"; readonly bytes: Uint8Array }
  /** A PUBLISH beyond the limits, skipped to its end; `id` is 0 at QoS 0. */
  | { readonly type: "skipped"; readonly qos: number; readonly id: number; readonly length: number }
  /** The stream can not be followed any further. */
  | { readonly type: "malformed"; readonly reason: string };

const PUBLISH = 3;
/** Remaining length of the largest PUBLISH taken: topic length, topic, packet id, payload. */
const PUBLISH_MAX = 2 + MQTT_TOPIC_MAX + 2 + MQTT_PAYLOAD_MAX;
/**
 * Remaining length of what else a broker may send to this client, by packet type: CONNACK, PUBACK, PUBREL, SUBACK (one
 * return code: each topic is subscribed in a packet of its own), PINGRESP.
 */
const LENGTHS: { readonly [type: number]: number } = Object.freeze({ 2: 2, 4: 2, 6: 2, 9: 3, 13: 0 });

const EMPTY = new Uint8Array(0);

export class PacketFramer {
  private input: Uint8Array = EMPTY;
  private at = 0;
  /** Fixed header as far as it has come: one byte of type and flags, one to four of length. */
  private header: number[] = [];
  private remaining = 0;
  /** Where the packet is stored, header included; undefined while a header is read or a packet skipped. */
  private packet: Uint8Array | undefined;
  private filled = 0;
  private skipping = false;
  /** Of the PUBLISH that is skipped: bytes so far, and the two fields read from them. */
  private passed = 0;
  private topicLength = 0;
  private id = 0;

  /** The next bytes of the stream. They are read until `next` has returned undefined, and not kept afterwards. */
  push(bytes: Uint8Array): void {
    this.input = bytes;
    this.at = 0;
  }

  /** The next complete frame; undefined: more bytes are needed. After "malformed" the framer is not usable any more. */
  next(): Frame | undefined {
    while (this.at < this.input.length) {
      const frame = this.packet ? this.store() : this.skipping ? this.skip() : this.readHeader();
      if (frame) return frame;
    }
    this.input = EMPTY;
    this.at = 0;
    return undefined;
  }

  private readHeader(): Frame | undefined {
    const header = this.header;
    const byte = this.input[this.at++]!;
    header.push(byte);
    if (header.length === 1) return undefined;
    this.remaining += (byte & 0x7f) * 128 ** (header.length - 2);
    if (byte & 0x80)
      return header.length === 5
        ? { type: "malformed", reason: "remaining length of more than four bytes" }
        : undefined;
    return this.begin();
  }

  /** The header is complete: store the packet, skip it, or refuse it. */
  private begin(): Frame | undefined {
    const header = this.header;
    const type = header[0]! >> 4;
    const length = this.remaining;
    if (type !== PUBLISH && LENGTHS[type] !== length)
      return {
        type: "malformed",
        reason:
          LENGTHS[type] === undefined
            ? `packet type ${type} is not for a client`
            : `packet type ${type} of length ${length}`,
      };
    if (type === PUBLISH && this.qos === 3) return { type: "malformed", reason: "QoS 3" };
    if (length > PUBLISH_MAX) {
      this.skipping = true;
      return undefined;
    }
    this.packet = new Uint8Array(header.length + length);
    this.packet.set(header);
    this.filled = header.length;
    return length === 0 ? this.store() : undefined;
  }

  private store(): Frame | undefined {
    const packet = this.packet!;
    const end = Math.min(this.input.length, this.at + packet.length - this.filled);
    packet.set(this.input.subarray(this.at, end), this.filled);
    this.filled += end - this.at;
    this.at = end;
    if (this.filled < packet.length) return undefined;
    const frame = this.tooLarge(packet) ?? ({ type: "packet", bytes: packet } as const);
    this.reset();
    return frame;
  }

  /** A stored PUBLISH whose topic or payload is beyond its own limit though their sum is not. */
  private tooLarge(packet: Uint8Array): Frame | undefined {
    if (this.header[0]! >> 4 !== PUBLISH || this.remaining < 2) return undefined;
    const topic = this.header.length;
    this.topicLength = (packet[topic]! << 8) | packet[topic + 1]!;
    const id = topic + 2 + this.topicLength;
    this.id = ((packet[id] ?? 0) << 8) | (packet[id + 1] ?? 0);
    const payload = this.remaining - this.headLength;
    return payload >= 0 && (this.topicLength > MQTT_TOPIC_MAX || payload > MQTT_PAYLOAD_MAX)
      ? this.skipped()
      : undefined;
  }

  private skip(): Frame | undefined {
    const from = this.passed;
    const until = Math.min(this.remaining, from + this.input.length - this.at);
    /** A byte of the packet's body, 0 if it is not in this piece of the stream. */
    const byte = (position: number) =>
      position >= from && position < until ? this.input[this.at + position - from]! : 0;
    this.topicLength |= (byte(0) << 8) | byte(1);
    this.id |= (byte(2 + this.topicLength) << 8) | byte(3 + this.topicLength);
    this.at += until - from;
    this.passed = until;
    if (until < this.remaining) return undefined;
    const frame = this.skipped();
    this.reset();
    return frame;
  }

  private skipped(): Frame {
    if (this.headLength > this.remaining) return { type: "malformed", reason: "topic longer than its packet" };
    if (this.qos > 0 && this.id === 0) return { type: "malformed", reason: "publish without a packet id" };
    return {
      type: "skipped",
      qos: this.qos,
      id: this.qos > 0 ? this.id : 0,
      length: this.header.length + this.remaining,
    };
  }

  private get qos(): number {
    return (this.header[0]! >> 1) & 3;
  }

  /** Bytes before a PUBLISH's payload, fixed header aside. */
  private get headLength(): number {
    return 2 + this.topicLength + (this.qos > 0 ? 2 : 0);
  }

  private reset(): void {
    this.header = [];
    this.remaining = 0;
    this.packet = undefined;
    this.filled = 0;
    this.skipping = false;
    this.passed = 0;
    this.topicLength = 0;
    this.id = 0;
  }
}
