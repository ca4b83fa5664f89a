import assert from "node:assert/strict";
import { test } from "node:test";
import { MQTT_PAYLOAD_MAX, MQTT_TOPIC_MAX } from "../../src/constants";
import type { MqttSession } from "../../src/mqtt/session";
import {
  bringUp,
  bytes,
  commands,
  message,
  only,
  pingresp,
  puback,
  sent,
  suback,
  types,
  upSession,
} from "./broker-side";
import { failure, feed } from "./feed";

const text = (payload: Uint8Array) => Buffer.from(payload).toString();

test("a message at QoS 0 needs no acknowledgement", () => {
  const effects = feed(upSession(), message("in/a", "hello"), 1);
  const { topic, payload, handle } = only(effects, "message");
  assert.deepEqual([topic, text(payload), handle], ["in/a", "hello", 0]);
  assert.equal(Object.getPrototypeOf(payload), Uint8Array.prototype);
});

test("a message at QoS 1 is acknowledged once it was handled, not before", () => {
  const session = upSession();
  const effects = feed(session, Buffer.concat([message("in/a", "1", 1, 7), message("in/a", "2", 1, 65_535)]), 1);
  assert.deepEqual(types(effects), ["message", "message"]);
  const handles = effects.map((effect) => (effect.type === "message" ? effect.handle : 0));
  assert.notEqual(handles[0], handles[1]);
  assert.ok(handles.every((handle) => handle !== 0));
  assert.deepEqual(
    sent(session.handled(handles[1]!, 2)).map((packet) => [packet.cmd, packet.messageId]),
    [["puback", 65_535]],
  );
  assert.deepEqual(
    sent(session.handled(handles[0]!, 2)).map((packet) => [packet.cmd, packet.messageId]),
    [["puback", 7]],
  );
});

test("what was not acknowledged before the connection broke is not acknowledged on the next one", () => {
  const session = upSession();
  const { handle } = only(feed(session, message("in/a", "1", 1, 7), 1), "message");
  session.closed(failure("reset"), 2);
  assert.deepEqual(session.handled(handle, 2), []);
  session.tick(session.deadline()!);
  bringUp(session, 5000);
  assert.deepEqual(session.handled(handle, 5001), []);
  const again = only(
    feed(
      session,
      bytes({ cmd: "publish", topic: "in/a", payload: "1", qos: 1, messageId: 7, dup: true, retain: true }),
      5002,
    ),
    "message",
  );
  assert.deepEqual(commands(session.handled(again.handle, 5003)), ["puback"]);
  session.stop(5004);
  assert.deepEqual(session.handled(again.handle, 5005), []);
});

test("an empty payload is a message like any other", () => {
  const session = upSession();
  const effects = feed(
    session,
    Buffer.concat([message("in/a", ""), message("in/a", "", 1, 9), message("in/a", "after")]),
    1,
  );
  assert.deepEqual(
    effects.map((effect) => effect.type === "message" && text(effect.payload)),
    ["", "", "after"],
  );
});

test("QoS 2, which the session never asks for, is answered in full without being stored", () => {
  const session = upSession();
  const { handle } = only(feed(session, message("in/a", "x", 2, 5), 1), "message");
  assert.deepEqual(
    sent(session.handled(handle, 2)).map((packet) => [packet.cmd, packet.messageId]),
    [["pubrec", 5]],
  );
  assert.deepEqual(
    sent(feed(session, bytes({ cmd: "pubrel", messageId: 5 }), 3)).map((packet) => [packet.cmd, packet.messageId]),
    [["pubcomp", 5]],
  );
});

test("the payload is the receiver's: the buffer it came in may be used again", () => {
  const session = upSession();
  const input = message("in/a", "hello");
  const { payload } = only(feed(session, input, 1), "message");
  input.fill(0);
  assert.equal(text(payload), "hello");
});

test("the largest message allowed arrives", () => {
  const topic = "t".repeat(MQTT_TOPIC_MAX);
  for (const qos of [0, 1] as const) {
    const { payload } = only(feed(upSession(), message(topic, "p".repeat(MQTT_PAYLOAD_MAX), qos), 1), "message");
    assert.equal(payload.length, MQTT_PAYLOAD_MAX);
  }
});

/** Feeds `packet` in pieces of `size`, then a small message; returns all outputs. */
function feedPieces(session: MqttSession, packet: Uint8Array, size: number) {
  const all = Buffer.concat([packet, message("in/a", "next")]);
  const effects = [];
  for (let at = 0; at < all.length; at += size) effects.push(...feed(session, all.subarray(at, at + size), 1));
  return effects;
}

test("a larger message is skipped, acknowledged if need be, and reported once for each connection", () => {
  const cases: [string, Uint8Array, string[]][] = [
    ["payload one byte too long", message("in/a", "p".repeat(MQTT_PAYLOAD_MAX + 1)), ["warning", "message"]],
    ["the same at QoS 1", message("in/a", "p".repeat(MQTT_PAYLOAD_MAX + 1), 1, 300), ["send", "warning", "message"]],
    ["topic one byte too long", message("t".repeat(MQTT_TOPIC_MAX + 1), "p", 1, 300), ["send", "warning", "message"]],
    [
      "both together within the packet's limit",
      message("t", "p".repeat(MQTT_PAYLOAD_MAX + 100), 1, 300),
      ["send", "warning", "message"],
    ],
    ["far too long", message("in/a", "p".repeat(300_000), 1, 300), ["send", "warning", "message"]],
    ["the longest topic there is", message("t".repeat(65_535), "p", 1, 300), ["send", "warning", "message"]],
    ["QoS 2", message("in/a", "p".repeat(300_000), 2, 300), ["send", "warning", "message"]],
  ];
  for (const [name, packet, expected] of cases) {
    for (const size of [1_000_000, 1000, 7, 1]) {
      const session = upSession();
      const effects = feedPieces(session, packet, size);
      assert.deepEqual(types(effects), expected, `${name}, in pieces of ${size}`);
      assert.equal(text(only(effects, "message").payload), "next");
      assert.match(only(effects, "warning").message, new RegExp(`${packet.length} bytes was skipped`));
      for (const answer of sent(effects))
        assert.deepEqual([answer.cmd, answer.messageId], [name === "QoS 2" ? "pubrec" : "puback", 300]);
      if (size === 1) break;
      assert.deepEqual(
        types(feedPieces(session, packet, size)),
        expected.filter((type) => type !== "warning"),
      );
    }
  }
});

test("a peer that announces the largest packet there is costs no memory", () => {
  const session = upSession();
  // PUBLISH, remaining length 268,435,455 (MQTT 3.1.1, table 2.4).
  feed(session, Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0, 4), 1);
  const piece = new Uint8Array(64 * 1024);
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 500; i++) assert.deepEqual(feed(session, piece, 1), []);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  assert.equal(session.isUp, true);
});

test("malformed packets end the connection with a reason", () => {
  const cases: [string, number[], RegExp][] = [
    ["reserved type 0", [0x00, 0x00], /packet type 0 is not for a client/],
    ["CONNECT from the broker", [0x10, 0x00], /packet type 1 is not for a client/],
    ["SUBSCRIBE from the broker", [0x82, 0x00], /packet type 8 is not for a client/],
    ["PUBREC, though we send no QoS 2", [0x50, 2, 0, 1], /packet type 5 is not for a client/],
    ["AUTH of MQTT 5", [0xf0, 0x00], /packet type 15 is not for a client/],
    ["length of five bytes", [0x30, 0x80, 0x80, 0x80, 0x80, 1], /more than four bytes/],
    ["PUBACK too short", [0x40, 1], /type 4 of length 1/],
    ["PUBACK too long", [0x40, 0x80, 0x01], /type 4 of length 128/],
    ["PUBACK with flags", [0x41, 2, 0, 1], /Invalid header flag bits/],
    ["PUBACK of id 0", [0x40, 2, 0, 0], /puback without a packet id/],
    ["SUBACK without a code", [0x90, 2, 0, 1], /type 9 of length 2/],
    ["SUBACK with an unknown code", [0x90, 3, 0, 1, 3], /Invalid suback QoS/],
    ["PINGRESP with a body", [0xd0, 1], /type 13 of length 1/],
    ["CONNACK with reserved flags", [0x20, 2, 2, 0], /Invalid connack flags/],
    ["PUBLISH at QoS 3", [0x36, 5, 0, 1, 0x61, 0, 1], /QoS 3/],
    ["PUBLISH without anything", [0x30, 0], /Cannot parse topic/],
    ["PUBLISH with half a topic length", [0x30, 1, 0], /Cannot parse topic/],
    ["PUBLISH whose topic is longer than the packet", [0x30, 3, 0, 2, 0x61], /Cannot parse topic/],
    ["PUBLISH at QoS 1 without an id", [0x32, 3, 0, 1, 0x61], /publish without a packet id/],
    ["PUBLISH at QoS 1 with half an id", [0x32, 4, 0, 1, 0x61, 1], /publish without a packet id/],
    ["PUBLISH at QoS 1 with id 0", [0x32, 5, 0, 1, 0x61, 0, 0], /publish without a packet id/],
    [
      "a skipped PUBLISH whose topic is longer than the packet",
      [0x30, 0xe8, 0x7f, 0xff, 0xff, ...Array<number>(16_358).fill(0)],
      /topic longer than its packet/,
    ],
    [
      "a skipped PUBLISH at QoS 1 with id 0",
      [0x32, 0xe8, 0x7f, ...Array<number>(16_360).fill(0)],
      /publish without a packet id/,
    ],
  ];
  for (const [name, packet, reason] of cases) {
    for (const size of [packet.length, 1]) {
      const session = upSession();
      const effects = [];
      for (let at = 0; at < packet.length; at += size)
        effects.push(...feed(session, Uint8Array.from(packet.slice(at, at + size)), 1));
      assert.deepEqual(types(effects), ["close", "down"], name);
      assert.match(only(effects, "down").reason, reason, name);
      assert.equal(session.isUp, false);
      assert.deepEqual(feed(session, message("in/a", "late"), 2), [], "nothing is read after that");
    }
  }
});

test("what came before a malformed packet still counts", () => {
  const effects = feed(
    upSession(),
    Buffer.concat([message("in/a", "good"), Uint8Array.of(0), message("in/a", "never")]),
    1,
  );
  assert.deepEqual(types(effects), ["message", "close", "down"]);
});

test("lengths written with more bytes than needed are read", () => {
  const effects = feed(upSession(), Uint8Array.of(0xd0, 0x80, 0x00, 0x30, 0x84, 0x80, 0x00, 0, 1, 0x61, 0x62), 1);
  const { topic, payload } = only(effects, "message");
  assert.deepEqual([topic, text(payload)], ["a", "b"]);
});

test("a topic that is not UTF-8 arrives as one that matches nothing", () => {
  assert.equal(only(feed(upSession(), Uint8Array.of(0x30, 4, 0, 1, 0xff, 0x62), 1), "message").topic, "\ufffd");
});

test("answers to nothing are ignored", () => {
  assert.deepEqual(feed(upSession(), Buffer.concat([puback(77), suback(78), pingresp()]), 1), []);
});
