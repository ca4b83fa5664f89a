import assert from "node:assert/strict";
import { test } from "node:test";
import { MQTT_INFLIGHT, MQTT_KEEPALIVE, MQTT_REPLY_TIMEOUT, MQTT_RESEND } from "../../src/constants";
import type { Message } from "../../src/mqtt/message";
import { bringUp, commands, message, newSession, only, pingresp, puback, sent, types, upSession } from "./broker-side";
import { failure, feed } from "./feed";

const qos1 = (payload: string): Message => ({ topic: "out", payload, qos: 1 });

/** The one PUBLISH among the effects. */
function published(effects: Parameters<typeof sent>[0]): {
  payload: string;
  id: number | undefined;
  dup: boolean;
  qos: number;
  topic: string;
  retain: boolean;
} {
  const [packet, ...more] = sent(effects);
  assert.ok(packet?.cmd === "publish" && more.length === 0);
  return {
    payload: String(packet.payload),
    id: packet.messageId,
    dup: packet.dup,
    qos: packet.qos,
    topic: packet.topic,
    retain: packet.retain,
  };
}

test("QoS 0 is sent once while up and dropped while down", () => {
  const down = newSession();
  assert.deepEqual(down.publish(undefined, { topic: "out", payload: "a", qos: 0 }, 0), []);
  down.start(0);
  assert.deepEqual(down.publish(undefined, { topic: "out", payload: "a", qos: 0 }, 0), []);
  bringUp(down, 1);
  assert.deepEqual(down.tick(1), []);

  const session = upSession();
  assert.deepEqual(published(session.publish(undefined, { topic: "out", payload: '{"text":"中文 😀"}', qos: 0 }, 1)), {
    payload: '{"text":"中文 😀"}',
    id: undefined,
    dup: false,
    qos: 0,
    topic: "out",
    retain: false,
  });
  assert.deepEqual(session.tick(1 + MQTT_RESEND), []);
});

test("QoS 1 is sent until its PUBACK: with DUP and the same id on a live connection", () => {
  const session = upSession();
  const first = published(session.publish("done", qos1("a"), 100));
  assert.deepEqual([first.payload, first.qos, first.dup], ["a", 1, false]);
  assert.equal(session.deadline(), 100 + MQTT_RESEND);
  assert.deepEqual(session.tick(100 + MQTT_RESEND - 1), []);
  assert.deepEqual(published(session.tick(100 + MQTT_RESEND)), { ...first, dup: true });
  feed(session, pingresp(), 100 + MQTT_RESEND);
  assert.deepEqual(published(session.tick(100 + 2 * MQTT_RESEND)), { ...first, dup: true });
  assert.deepEqual(feed(session, puback(first.id!), 200 + 2 * MQTT_RESEND), [{ type: "acked", token: "done" }]);
  assert.deepEqual(feed(session, puback(first.id!), 201 + 2 * MQTT_RESEND), [], "the PUBACK of the repetition");
  assert.deepEqual(commands(session.tick(300 + 3 * MQTT_RESEND)), []);
});

test("a QoS 1 publish without a token throws", () => {
  assert.throws(() => upSession().publish(undefined, qos1("a"), 0), /needs a token/);
});

test("after a reconnect it is a new publish: new id, no DUP", () => {
  const session = upSession();
  const first = published(session.publish("done", qos1("a"), 1));
  session.closed(failure("reset"), 2);
  session.tick(session.deadline()!);
  assert.deepEqual(types(bringUp(session, 5000)), ["up"]);
  assert.equal(session.deadline(), 5000, "what is kept is due at once");
  const again = published(session.tick(5000));
  assert.deepEqual([again.payload, again.dup], ["a", false]);
  assert.notEqual(again.id, first.id);
  assert.deepEqual(feed(session, puback(again.id!), 5001), [{ type: "acked", token: "done" }]);
});

test("publishes made while down leave at the first tick, in order", () => {
  const session = newSession();
  session.publish("a", qos1("1"), 0);
  session.publish("b", qos1("2"), 0);
  session.publish("a", qos1("3"), 0);
  session.start(0);
  bringUp(session, 1);
  assert.deepEqual(
    sent(session.tick(1)).map((packet) => packet.cmd === "publish" && String(packet.payload)),
    ["2", "3"],
  );
});

test("after `up` the caller's own order comes first, the rest follows at the tick", () => {
  const session = upSession();
  session.publish("done", qos1("done"), 1);
  session.publish("version", qos1("version"), 2);
  session.closed(failure("reset"), 3);
  session.tick(session.deadline()!);
  bringUp(session, 5000);
  assert.equal(published(session.publish("version", qos1("version"), 5000)).payload, "version");
  assert.equal(published(session.tick(session.deadline()!)).payload, "done");
  assert.deepEqual(commands(session.tick(5000)), []);
});

test("the same token replaces the older publish; a late PUBACK of the old one does not count", () => {
  const session = upSession();
  const old = published(session.publish("version", qos1("1.0"), 1));
  const fresh = published(session.publish("version", qos1("2.0"), 2));
  assert.notEqual(fresh.id, old.id);
  assert.deepEqual([fresh.payload, fresh.dup], ["2.0", false]);
  assert.deepEqual(feed(session, puback(old.id!), 3), []);
  assert.deepEqual(feed(session, puback(fresh.id!), 4), [{ type: "acked", token: "version" }]);
});

test("the same message under the same token is the same packet again", () => {
  const session = upSession();
  const first = published(session.publish("version", qos1("1.0"), 1));
  assert.deepEqual(published(session.publish("version", qos1("1.0"), 600_000)), { ...first, dup: true });
  assert.deepEqual(feed(session, puback(first.id!), 600_001), [{ type: "acked", token: "version" }]);
});

test("no more than the limit is kept, and the surplus is a warning", () => {
  for (const session of [upSession(), newSession()]) {
    for (let i = 0; i < MQTT_INFLIGHT; i++) session.publish(`token ${i}`, qos1("x"), 1);
    assert.match(only(session.publish("one more", qos1("x"), 1), "warning").message, /"one more" dropped/);
    assert.doesNotMatch(
      types(session.publish("token 0", qos1("y"), 1)).join(),
      /warn/,
      "a known token still finds its place",
    );
  }
  const session = upSession();
  const { id } = published(session.publish("token 0", qos1("x"), 1));
  for (let i = 1; i < MQTT_INFLIGHT; i++) session.publish(`token ${i}`, qos1("x"), 1);
  feed(session, puback(id!), 2);
  assert.doesNotMatch(types(session.publish("one more", qos1("x"), 3)).join(), /warn/, "a PUBACK makes room");
});

test("stop keeps what is unacknowledged for the next start", () => {
  const session = upSession();
  session.publish("a", qos1("1"), 1);
  session.stop(2);
  session.start(3);
  bringUp(session, 4);
  assert.equal(published(session.tick(4)).payload, "1");
});

test("packet ids wrap around and skip the ones in flight", () => {
  const session = upSession();
  const held = published(session.publish("held", qos1("x"), 1)).id!;
  const replaced = published(session.publish("twice", qos1("x"), 1)).id!;
  const twice = published(session.publish("twice", qos1("z"), 1)).id!;
  const seen = new Set<number>();
  for (let i = 0; i < 66_000; i++) {
    const effects = session.publish("quick", qos1("y"), 1);
    // A PUBLISH to "out" with a payload of one byte: the packet id is at offset 7.
    const { bytes } = only(effects, "send");
    const id = (bytes[7]! << 8) | bytes[8]!;
    assert.ok(id >= 1 && id <= 65_535 && id !== held && id !== replaced && id !== twice);
    seen.add(id);
    feed(session, Uint8Array.of(0x40, 2, id >> 8, id & 255), 1);
  }
  assert.equal(seen.size, 65_535 - 3);
  assert.deepEqual(feed(session, puback(held), 2), [{ type: "acked", token: "held" }]);
});

test("a ping is sent after one keep-alive of silence, and any byte counts as an answer", () => {
  const session = upSession({ identity: () => ({ clientId: "a", keepAlive: 20 }) });
  assert.equal(session.deadline(), 20_000);
  assert.deepEqual(session.tick(19_999), []);
  assert.deepEqual(commands(session.tick(20_000)), ["pingreq"]);
  assert.equal(session.deadline(), 20_000 + MQTT_REPLY_TIMEOUT);
  assert.deepEqual(session.tick(20_001), [], "one at a time");
  feed(session, pingresp(), 20_100);
  assert.deepEqual(commands(session.tick(40_000)), ["pingreq"]);
  feed(session, message("in/a", "x"), 49_999);
  assert.deepEqual(commands(session.tick(60_000)), ["pingreq"]);
  feed(session, Uint8Array.of(0xd0), 69_999);
  assert.equal(session.isUp, true);
});

test("no answer to a ping ends the connection", () => {
  const session = upSession();
  assert.deepEqual(commands(session.tick(60_000)), ["pingreq"]);
  assert.deepEqual(session.tick(60_000 + MQTT_REPLY_TIMEOUT - 1), []);
  const effects = session.tick(60_000 + MQTT_REPLY_TIMEOUT);
  assert.deepEqual(types(effects), ["close", "down"]);
  assert.equal(only(effects, "down").reason, "no answer to a ping within 10 s");
});

test("a device that only sends also pings, to notice a dead connection", () => {
  const session = upSession();
  for (let now = 1000; now < 60_000; now += 1000) {
    session.publish(undefined, { topic: "out", payload: "x", qos: 0 }, now);
    assert.deepEqual(commands(session.tick(now)), []);
  }
  assert.deepEqual(commands(session.tick(60_000)), ["pingreq"]);
});

test("keep-alive 0 turns the broker's check off; the session still pings", () => {
  const session = newSession({ identity: () => ({ clientId: "a", keepAlive: 0 }) });
  session.start(0);
  const [hello] = sent(session.opened(0));
  assert.ok(hello?.cmd === "connect" && hello.keepalive === 0);
  session.closed(failure("again"), 0);
  session.tick(session.deadline()!);
  bringUp(session, 5000);
  assert.deepEqual(commands(session.tick(5000 + MQTT_KEEPALIVE * 1000)), ["pingreq"]);
});
