import assert from "node:assert/strict";
import { test } from "node:test";
import { BACKOFF_CAP, CONNECT_TIMEOUT, MQTT_REPLY_TIMEOUT, MQTT_STABLE } from "../../src/constants";
import {
  bringUp,
  bytes,
  commands,
  connack,
  message,
  newSession,
  only,
  puback,
  sent,
  suback,
  types,
  upSession,
} from "./broker-side";
import { failure, feed } from "./feed";

test("connects, subscribes to each topic in a packet of its own, and is up", () => {
  const session = newSession({ subscriptions: ["in/a", "in/b"] });
  assert.deepEqual(session.start(1000), [{ type: "connect" }]);
  assert.equal(session.deadline(), 1000 + CONNECT_TIMEOUT);

  const [hello, ...more] = sent(session.opened(2000));
  assert.equal(more.length, 0);
  assert.ok(hello?.cmd === "connect");
  assert.deepEqual(
    [
      hello.protocolVersion,
      hello.protocolId,
      hello.clean,
      hello.clientId,
      hello.username,
      String(hello.password),
      hello.keepalive,
      hello.will,
    ],
    [4, "MQTT", true, "device", "user", "secret", 60, undefined],
  );

  const subscribed = sent(feed(session, connack(), 3000));
  assert.deepEqual(
    subscribed.map((packet) => packet.cmd === "subscribe" && packet.subscriptions),
    [[{ topic: "in/a", qos: 1 }], [{ topic: "in/b", qos: 1 }]],
  );
  assert.notEqual(subscribed[0]!.messageId, subscribed[1]!.messageId);
  assert.equal(session.isUp, false);

  assert.deepEqual(feed(session, suback(subscribed[0]!.messageId!), 3100), []);
  assert.deepEqual(feed(session, suback(subscribed[1]!.messageId!, 0), 3200), [{ type: "up" }]);
  assert.equal(session.isUp, true);
});

test("a second start, and events of no connection, do nothing", () => {
  const session = newSession();
  assert.deepEqual(session.opened(0), []);
  assert.deepEqual(feed(session, connack(), 0), []);
  assert.deepEqual(session.closed(failure("late"), 0), []);
  assert.deepEqual(session.tick(0), []);
  assert.equal(session.deadline(), undefined);
  session.start(0);
  assert.deepEqual(session.start(1), []);
  bringUp(session, 1);
  assert.deepEqual(session.start(2), []);
  assert.deepEqual(session.opened(2), []);
  assert.deepEqual(session.received(0, 2), []);
});

test("credentials are asked for anew at each connection", () => {
  let asked = 0;
  const session = newSession({ identity: () => ({ clientId: `id-${++asked}`, keepAlive: 10 }) });
  session.start(0);
  const first = sent(session.opened(0))[0];
  session.closed(failure("reset"), 1);
  session.tick(session.deadline()!);
  const second = sent(session.opened(5000))[0];
  assert.ok(first?.cmd === "connect" && second?.cmd === "connect");
  assert.deepEqual([first.clientId, second.clientId], ["id-1", "id-2"]);
  assert.deepEqual([first.username, first.password], [undefined, undefined]);
});

test("an identity that fits into no packet, or throws, is a failed attempt and no crash", () => {
  const broken = [
    () => ({ clientId: "a", keepAlive: 1.5 }),
    () => ({ clientId: "a", password: "without a user", keepAlive: 1 }),
    () => {
      throw new Error("no key");
    },
  ];
  for (const identity of broken) {
    const session = newSession({ identity });
    session.start(0);
    const effects = session.opened(1);
    assert.deepEqual(types(effects), ["close", "down"]);
    assert.match(only(effects, "down").reason, /^no CONNECT can be made/);
    assert.deepEqual(session.tick(session.deadline()!), [{ type: "connect" }]);
  }
});

test("each wait for the peer is bounded", () => {
  const session = newSession();
  session.start(0);
  assert.deepEqual(session.tick(CONNECT_TIMEOUT - 1), []);
  assert.deepEqual(session.tick(CONNECT_TIMEOUT), [
    { type: "close" },
    { type: "down", reason: "no connection within 10 s", retryIn: 500 },
  ]);

  session.tick(20_000);
  session.opened(20_001);
  assert.equal(session.deadline(), 20_001 + MQTT_REPLY_TIMEOUT);
  assert.deepEqual(session.tick(20_000 + MQTT_REPLY_TIMEOUT), []);
  assert.deepEqual(session.tick(20_001 + MQTT_REPLY_TIMEOUT), [
    { type: "close" },
    { type: "down", reason: "no CONNACK within 10 s", retryIn: 1000 },
  ]);

  session.tick(40_000);
  session.opened(40_000);
  feed(session, connack(), 40_001);
  assert.deepEqual(session.tick(40_001 + MQTT_REPLY_TIMEOUT), [
    { type: "close" },
    { type: "down", reason: "no SUBACK within 10 s for in/a", retryIn: 2000 },
  ]);
});

test("every refused CONNACK says why and what to check", () => {
  const reasons: [number, RegExp][] = [
    [1, /code 1: unacceptable protocol version/],
    [2, /code 2: client id rejected/],
    [3, /code 3: server unavailable/],
    [4, /code 4: bad user name or password: check the device's secret/],
    [5, /code 5: not authorized: check that the device exists/],
    [6, /code 6: not a code of MQTT 3\.1\.1/],
    [255, /code 255/],
  ];
  for (const [code, reason] of reasons) {
    const session = newSession();
    session.start(0);
    session.opened(0);
    const effects = feed(session, connack(code), 1);
    assert.deepEqual(types(effects), ["close", "down"]);
    assert.match(only(effects, "down").reason, reason);
    assert.doesNotMatch(only(effects, "down").reason, /secret"|user"/);
  }
});

test("one refused subscription of two is a warning, and the session is up", () => {
  const session = newSession({ subscriptions: ["in/a", "in/b"] });
  session.start(0);
  session.opened(0);
  const [a, b] = sent(feed(session, connack(), 0));
  assert.match(
    only(feed(session, suback(a!.messageId!, 0x80), 0), "warning").message,
    /refused the subscription to in\/a/,
  );
  assert.deepEqual(feed(session, suback(b!.messageId!), 0), [{ type: "up" }]);
});

test("a refused subscription is warned of once, whatever the number of connections", () => {
  const session = newSession({ subscriptions: ["in/a", "in/b"] });
  session.start(0);
  for (let connection = 0; connection < 3; connection++) {
    session.opened(connection);
    const [a, b] = sent(feed(session, connack(), connection));
    const first = feed(session, suback(a!.messageId!, 0x80), connection);
    assert.deepEqual(types(first), connection === 0 ? ["warning"] : []);
    assert.deepEqual(types(feed(session, suback(b!.messageId!), connection)), ["up"]);
    session.closed(undefined, connection);
    session.tick(connection + 120_000);
  }
});

test("when all are refused the session says so and backs off", () => {
  const session = newSession({ subscriptions: ["in/a", "in/b"] });
  session.start(0);
  session.opened(0);
  const [a, b] = sent(feed(session, connack(), 0));
  feed(session, suback(a!.messageId!, 0x80), 0);
  const effects = feed(session, suback(b!.messageId!, 0x80), 0);
  assert.deepEqual(types(effects), ["warning", "close", "down"]);
  assert.match(only(effects, "down").reason, /^SUBACK refused for /);
  assert.equal(session.isUp, false);
});

test("an unexpected SUBACK is ignored", () => {
  const session = newSession();
  session.start(0);
  session.opened(0);
  feed(session, connack(), 0);
  assert.deepEqual(feed(session, suback(999, 0x80), 0), []);
  assert.equal(session.isUp, false);
});

test("with nothing to subscribe to, CONNACK is enough", () => {
  const session = newSession({ subscriptions: [] });
  session.start(0);
  session.opened(0);
  assert.deepEqual(feed(session, connack(), 0), [{ type: "up" }]);
});

test("the first packet must be a CONNACK, and the only one", () => {
  for (const early of [
    suback(1),
    puback(1),
    message("in/a", "x"),
    message("in/a", "x".repeat(10_000), 1),
    bytes({ cmd: "pingresp" }),
  ]) {
    const session = newSession();
    session.start(0);
    session.opened(0);
    const effects = feed(session, early, 0);
    assert.deepEqual(types(effects), ["close", "down"]);
    assert.match(only(effects, "down").reason, /protocol error by the broker: \w+ before connack/);
  }
  const session = upSession();
  assert.match(only(feed(session, connack(), 1), "down").reason, /second connack/);
});

test("messages may come before the SUBACK", () => {
  const session = newSession();
  session.start(0);
  session.opened(0);
  const effects = feed(session, Buffer.concat([connack(), message("in/a", "retained")]), 0);
  assert.deepEqual(types(effects), ["send", "message"]);
});

test("reconnects for ever, under a ceiling that doubles to its cap", () => {
  const session = newSession({ random: () => 0.999_999 });
  session.start(0);
  let now = 0;
  const waits: number[] = [];
  for (let i = 0; i < 200; i++) {
    const { reason, retryIn } = only(session.closed(failure("connection refused"), now), "down");
    assert.equal(reason, "could not connect: connection refused");
    waits.push(retryIn);
    assert.equal(session.deadline(), now + retryIn);
    assert.deepEqual(session.tick(now + retryIn - 1), []);
    now += retryIn;
    assert.deepEqual(session.tick(now), [{ type: "connect" }]);
  }
  assert.deepEqual(waits.slice(0, 7), [999, 1999, 3999, 7999, 15_999, 31_999, 59_999]);
  assert.ok(waits.slice(7).every((wait) => wait === BACKOFF_CAP - 1));
});

test("only a connection that lasted resets the backoff, because another client with the same id ends it soon", () => {
  const session = newSession({ random: () => 0.999_999 });
  session.start(0);
  let now = 0;
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    bringUp(session, now);
    now += MQTT_STABLE - 1;
    const { reason, retryIn } = only(session.closed(failure("closed by the peer"), now), "down");
    assert.match(reason, /soon after it was made .*same client id.*: closed by the peer/);
    waits.push(retryIn);
    now += retryIn;
    session.tick(now);
  }
  assert.deepEqual(waits, [999, 1999, 3999, 7999]);

  bringUp(session, now);
  const { reason, retryIn } = only(session.closed(failure("closed by the peer"), now + MQTT_STABLE), "down");
  assert.equal(reason, "connection lost: closed by the peer");
  assert.equal(retryIn, 999);
});

test("a connection that closes before it is up reports the step", () => {
  const session = newSession();
  session.start(0);
  session.opened(0);
  assert.match(only(session.closed(failure("reset"), 0), "down").reason, /^closed before CONNACK .*: reset$/);
  session.tick(session.deadline()!);
  session.opened(10);
  feed(session, connack(), 10);
  assert.match(only(session.closed(failure("reset"), 10), "down").reason, /^closed before SUBACK .*: reset$/);
});

test("stop disconnects from every state, and start begins again", () => {
  const idle = newSession();
  assert.deepEqual(idle.stop(0), []);

  const opening = newSession();
  opening.start(0);
  assert.deepEqual(opening.stop(0), [{ type: "close" }]);

  const waiting = newSession();
  waiting.start(0);
  waiting.closed(failure("refused"), 0);
  assert.deepEqual(waiting.stop(0), []);
  assert.equal(waiting.deadline(), undefined);
  assert.deepEqual(waiting.tick(1e9), []);

  const connecting = newSession();
  connecting.start(0);
  connecting.opened(0);
  assert.deepEqual(commands(connecting.stop(0)), ["disconnect"]);

  const session = upSession();
  const effects = session.stop(5);
  assert.deepEqual(types(effects), ["send", "close"]);
  assert.deepEqual(commands(effects), ["disconnect"]);
  assert.equal(session.isUp, false);
  assert.deepEqual(session.closed(failure("late"), 6), []);
  assert.deepEqual(session.start(7), [{ type: "connect" }]);
  bringUp(session, 8);
  assert.equal(session.isUp, true);
});
