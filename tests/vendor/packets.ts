/** Packets of every kind that MQTT 3.1.1 has, with lengths around the borders of its length field (128 and 16,384). */
export const PACKETS: readonly object[] = [
  { cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId: "device", keepalive: 60 },
  {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId: "A1B2C3D4E5ota-bench-01",
    username: "名字;21010406;a1B2c",
    password: "😀;hmacsha256",
    keepalive: 65_535,
  },
  {
    cmd: "connect",
    protocolId: "MQIsdp",
    protocolVersion: 3,
    clean: false,
    clientId: "old",
    keepalive: 0,
    username: "u",
    password: "",
  },
  {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId: "w",
    keepalive: 1,
    will: { topic: "gone", payload: "bye", qos: 1, retain: true },
  },
  { cmd: "connack", returnCode: 0, sessionPresent: false },
  { cmd: "connack", returnCode: 5, sessionPresent: true },
  ...[0, 1, 119, 120, 121, 8192, 16_371, 16_372, 16_400].map((length) => ({
    cmd: "publish",
    topic: "in/a",
    payload: "p".repeat(length),
    qos: 0,
    dup: false,
    retain: false,
  })),
  ...[1, 255, 256, 65_535].map((messageId) => ({
    cmd: "publish",
    topic: "主题",
    payload: '{"text":"错误 😀"}',
    qos: 1,
    messageId,
    dup: true,
    retain: true,
  })),
  { cmd: "publish", topic: "t", payload: "\ud83d alone", qos: 2, messageId: 9, dup: false, retain: false },
  ...["puback", "pubrec", "pubrel", "pubcomp", "unsuback"].map((cmd) => ({ cmd, messageId: 4660 })),
  { cmd: "subscribe", messageId: 7, subscriptions: [{ topic: "$ota/update/A1B2C3D4E5/ota-bench-01", qos: 1 }] },
  {
    cmd: "subscribe",
    messageId: 8,
    subscriptions: [
      { topic: "a/#", qos: 0 },
      { topic: "b/+", qos: 2 },
    ],
  },
  { cmd: "suback", messageId: 7, granted: [1, 128] },
  { cmd: "unsubscribe", messageId: 7, unsubscriptions: ["a", "b"] },
  { cmd: "pingreq" },
  { cmd: "pingresp" },
  { cmd: "disconnect" },
];

/** Commands that a broker never sends to this client, which does not unsubscribe. The bundle does not read them. */
export const OF_CLIENTS = ["connect", "subscribe", "unsubscribe", "unsuback", "disconnect"];

const isReceived = (packet: object): boolean => !OF_CLIENTS.includes((packet as { readonly cmd: string }).cmd);
/** Packets that a client of MQTT 3.1.1 reads. */
export const RECEIVED = PACKETS.filter(isReceived);

/**
 * What `generate` and `parser` of one build of mqtt-packet make of the packets: bytes as hex, and those that a client
 * receives read back from pieces of `size` bytes.
 */
export function exercise(
  library: { generate: unknown; parser: unknown },
  size: number,
): { bytes: string[]; read: string[] } {
  const generate = library.generate as (packet: object) => Uint8Array;
  const parser = library.parser as () => {
    on(event: string, listener: (value: never) => void): unknown;
    parse(bytes: Uint8Array): number;
  };
  const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => (byte < 16 ? "0" : "") + byte.toString(16)).join("");
  /** Keys in one order, and bytes the same whatever class of array holds them. */
  const shown = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return hex(value);
    if (Array.isArray(value)) return value.map(shown);
    if (typeof value !== "object" || value === null) return value;
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, shown(member)]);
  };
  const all = PACKETS.map((packet) => generate(packet));
  const received = RECEIVED.map((packet) => generate(packet));
  const read: string[] = [];
  const reader = parser();
  reader.on("packet", (packet: { [key: string]: unknown }) => {
    read.push(JSON.stringify(shown(packet)));
  });
  reader.on("error", (error: Error) => void read.push(error.message));
  for (const bytes of received)
    for (let at = 0; at < bytes.length; at += size) reader.parse(bytes.subarray(at, at + size));
  return { bytes: all.map(hex), read };
}
