/**
 * Faults of brokers and of the links to them, by name. Each ends after a while: without a broker no update can be
 * reported.
 */
import { Buffer } from "node:buffer";
import type { Packet } from "mqtt-packet";
import type { MqttFault, RelayedConnection } from "./mqtt-relay";

export interface NamedMqttFault {
  /** What the other side does, for the table. */
  readonly does: string;
  /** Connections to the broker that one update may take, the two of an update without a fault included. */
  readonly connections: number;
  /** What the device must have logged for the engineer. */
  readonly tells?: RegExp;
  /** A new one for each relay: faults have state. */
  make(): MqttFault;
}

type Decide = NonNullable<MqttFault["up"]>;

const text = (packet: Packet): string => (packet.cmd === "publish" ? Buffer.from(packet.payload).toString("utf8") : "");
/** A report of the device that holds `word`. */
const isReport = (packet: Packet, word: string): boolean => text(packet).includes(word);
const isOffer = (packet: Packet): boolean => isReport(packet, "update_firmware");

/** The first `times` packets that `is` accepts go to `act`; the others pass. */
function first(
  times: number,
  is: (packet: Packet) => boolean,
  act: (packet: Packet, connection: RelayedConnection) => void,
): Decide {
  let left = times;
  return (packet, connection) => {
    if (left === 0 || !is(packet)) return "pass";
    left--;
    act(packet, connection);
    return "taken";
  };
}

/** The connection is lost when the device sends such a packet. */
function lostAt(where: string, is: (packet: Packet) => boolean, times = 2): NamedMqttFault {
  return {
    does: `resets ${times === 1 ? "once" : `${times} times`} ${where}`,
    connections: 2 + times,
    make: () => ({ up: first(times, is, (_packet, connection) => connection.reset()) }),
  };
}

function refusing(code: number, words: string, tells: RegExp): NamedMqttFault {
  return {
    does: `refuses two connections with code ${code}: ${words}`,
    connections: 4,
    tells,
    make: () => ({
      up: first(
        2,
        ({ cmd }) => cmd === "connect",
        (_packet, connection) => {
          connection.toDevice({ cmd: "connack", returnCode: code, sessionPresent: false });
          connection.end();
        },
      ),
    }),
  };
}

/** Sent to the device in front of the first offer. */
function before(
  does: string,
  connections: number,
  bytes: (offer: Packet) => Packet | Uint8Array,
  tells?: RegExp,
): NamedMqttFault {
  return {
    does,
    connections,
    ...(tells === undefined ? {} : { tells }),
    make: () => ({
      down: first(1, isOffer, (packet, connection) => {
        connection.toDevice(bytes(packet));
        connection.toDevice(packet);
      }),
    }),
  };
}

function twice(packet: Packet, connection: RelayedConnection): "taken" {
  connection.toDevice(packet);
  connection.toDevice(packet.cmd === "publish" && packet.qos > 0 ? { ...packet, dup: true } : packet);
  return "taken";
}

/** Bytes of a PUBLISH at QoS 0 on the wire, with any payload. */
function rawPublish(topic: string, payload: Uint8Array): Uint8Array {
  const name = Buffer.from(topic);
  let length = 2 + name.length + payload.length;
  const head = [0x30];
  for (; length > 127; length >>= 7) head.push((length & 127) | 128);
  return Buffer.concat([Buffer.from([...head, length, name.length >> 8, name.length & 255]), name, payload]);
}

export const MQTT_FAULTS: Readonly<Record<string, NamedMqttFault>> = {
  "MQTT: none": { does: "does everything right", connections: 2, make: () => ({}) },
  "lost before CONNACK": lostAt("after CONNECT", ({ cmd }) => cmd === "connect"),
  "lost before SUBACK": lostAt("after SUBSCRIBE", ({ cmd }) => cmd === "subscribe"),
  "lost at the version report": lostAt("in place of the version's PUBACK", (packet) =>
    isReport(packet, "report_version"),
  ),
  "lost during the download": lostAt("when progress is reported", (packet) => isReport(packet, '"downloading"')),
  "lost at burning": lostAt("when the switch is announced", (packet) => isReport(packet, '"burning"'), 1),
  "lost at the outcome": lostAt("in place of the outcome's PUBACK", (packet) => isReport(packet, '"done"')),
  "no CONNACK": {
    does: "does not answer two CONNECTs",
    connections: 4,
    make: () => ({
      up: first(
        2,
        ({ cmd }) => cmd === "connect",
        () => undefined,
      ),
    }),
  },
  "no SUBACK": {
    does: "does not answer two SUBSCRIBEs",
    connections: 4,
    make: () => ({
      down: first(
        2,
        ({ cmd }) => cmd === "suback",
        () => undefined,
      ),
    }),
  },
  "CONNACK 1": refusing(1, "protocol version", /code 1: .*MQTT 3\.1\.1/),
  "CONNACK 2": refusing(2, "client id", /code 2: .*check the client id/),
  "CONNACK 3": refusing(3, "not in service", /code 3: .*not in service/),
  "CONNACK 4": refusing(4, "user name or password", /code 4: .*check the device's secret/),
  "CONNACK 5": refusing(5, "not authorized", /code 5: .*check that the device exists/),
  "CONNACK 99": refusing(99, "no code of MQTT's", /code 99/),
  "SUBACK refused": {
    does: "refuses the subscription twice",
    connections: 4,
    tells: /refused the subscription/,
    make: () => ({
      down: first(
        2,
        ({ cmd }) => cmd === "suback",
        (packet, connection) =>
          connection.toDevice({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0x80] }),
      ),
    }),
  },
  "no PUBACK": {
    does: "keeps back each message's first PUBACK",
    connections: 2,
    make: () => {
      const seen = new Set<string>();
      return {
        down: (packet, { number }) => {
          const message = `${number} ${packet.messageId}`;
          if (packet.cmd !== "puback" || seen.has(message)) return "pass";
          seen.add(message);
          return "taken";
        },
      };
    },
  },
  "no PUBACK of burning": {
    does: "never acknowledges that the switch was announced",
    connections: 2,
    make: () => {
      const burning = new Set<number>();
      return {
        up: (packet) => {
          if (packet.cmd === "publish" && isReport(packet, '"burning"')) burning.add(packet.messageId ?? 0);
          return "pass";
        },
        down: (packet) => (packet.cmd === "puback" && burning.delete(packet.messageId ?? 0) ? "taken" : "pass"),
      };
    },
  },
  duplicated: {
    does: "sends every packet but CONNACK twice",
    connections: 2,
    make: () => ({ down: (packet, connection) => (packet.cmd === "connack" ? "pass" : twice(packet, connection)) }),
  },
  reordered: {
    does: "hands the offer over before the PUBACK of the version and the answer to it",
    connections: 2,
    make: () => {
      const held: Packet[] = [];
      let over = false;
      return {
        down: (packet, connection) => {
          if (over || !(packet.cmd === "puback" || packet.cmd === "publish")) return "pass";
          if (isOffer(packet)) {
            over = true;
            for (const one of [packet, ...held.splice(0).reverse()]) connection.toDevice(one);
            return "taken";
          }
          held.push(packet);
          return "taken";
        },
      };
    },
  },
  retained: before(
    "marks the offer as retained, in front of the offer itself",
    2,
    (offer) => ({ ...offer, retain: true }) as Packet,
  ),
  "other topic": before("sends a message of another topic", 2, () => ({
    cmd: "publish",
    topic: "$sys/news",
    payload: "{}",
    qos: 0,
    dup: false,
    retain: false,
  })),
  "QoS 2": before(
    "sends the offer at QoS 2 although QoS 1 was asked for",
    2,
    (offer) => ({ ...offer, qos: 2, messageId: 77 }) as Packet,
  ),
  oversized: before(
    "sends a message of 200,000 bytes",
    2,
    (offer) => rawPublish(offer.cmd === "publish" ? offer.topic : "", Buffer.alloc(200_000, 0x7b)),
    /too large/,
  ),
  "not JSON": before("sends a message that is no JSON", 2, (offer) => ({ ...offer, payload: "{{{" }) as Packet),
  "deep JSON": before(
    "sends JSON of 1,000 levels",
    2,
    (offer) => ({ ...offer, payload: `${'{"a":'.repeat(1000)}1${"}".repeat(1000)}` }) as Packet,
  ),
  malformed: before(
    "sends bytes that are no packet",
    3,
    () => Buffer.from([0x00, 0x00, 0xff, 0xff]),
    /malformed packet/,
  ),
  "endless length": before(
    "sends a length that does not end",
    3,
    () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff]),
    /malformed packet/,
  ),
  "second CONNACK": before(
    "sends CONNACK once more",
    3,
    () => ({ cmd: "connack", returnCode: 0, sessionPresent: false }),
    /second connack/,
  ),
  "broker restart": {
    does: "cuts every connection in mid-download and takes none for five attempts",
    connections: 8,
    make: () => {
      let down = 0;
      return {
        connected: () => (down > 0 && down-- > 0 ? "refuse" : undefined),
        up: first(
          1,
          (packet) => isReport(packet, '"downloading"'),
          (_packet, connection) => {
            down = 5;
            connection.reset();
          },
        ),
      };
    },
  },
  "keep-alive lost": {
    does: "falls silent behind the first PUBACK, the connection stays open",
    connections: 3,
    tells: /no answer to a ping/,
    make: () => ({
      down: first(
        1,
        ({ cmd }) => cmd === "puback",
        (packet, connection) => {
          connection.toDevice(packet);
          connection.mute();
        },
      ),
    }),
  },
  "push lost": {
    does: "loses three pushes at QoS 0",
    connections: 2,
    make: () => ({ down: first(3, isOffer, () => undefined) }),
  },
};
