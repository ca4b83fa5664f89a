/**
 * Packets of every kind that the agent sends, with lengths around the borders of the length field (128 and 16,384).
 */
export const SENT: readonly object[] = [
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
  ...["puback", "pubrec", "pubcomp"].map((cmd) => ({ cmd, messageId: 4660 })),
  { cmd: "subscribe", messageId: 7, subscriptions: [{ topic: "$ota/update/A1B2C3D4E5/ota-bench-01", qos: 1 }] },
  {
    cmd: "subscribe",
    messageId: 8,
    subscriptions: [
      { topic: "a/#", qos: 0 },
      { topic: "b/+", qos: 2 },
    ],
  },
  { cmd: "pingreq" },
  { cmd: "disconnect" },
];

/** What only a broker sends, and its bytes as hex. The bundle does not make them. */
export const OF_BROKERS: readonly (readonly [packet: object, bytes: string])[] = [
  [{ cmd: "connack", returnCode: 0, sessionPresent: false }, "20020000"],
  [{ cmd: "connack", returnCode: 5, sessionPresent: true }, "20020105"],
  [{ cmd: "pubrel", messageId: 4660 }, "62021234"],
  [{ cmd: "suback", messageId: 7, granted: [1, 128] }, "900400070180"],
  [{ cmd: "pingresp" }, "d000"],
];

/** Commands that a broker never sends to this client, which does not unsubscribe. The bundle does not read them. */
export const OF_CLIENTS = ["connect", "subscribe", "unsubscribe", "unsuback", "disconnect"];

const isReceived = (packet: object): boolean => !OF_CLIENTS.includes((packet as { readonly cmd: string }).cmd);
/** Packets of both directions. */
const OF_BOTH = SENT.filter(isReceived);
/** How many packets `exercise` reads. */
export const RECEIVED = OF_BOTH.length + OF_BROKERS.length;

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
  const all = SENT.map((packet) => generate(packet));
  const received = [
    ...OF_BOTH.map((packet) => generate(packet)),
    ...OF_BROKERS.map(([, bytes]) => Uint8Array.from(bytes.match(/../g)!, (byte) => parseInt(byte, 16))),
  ];
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
