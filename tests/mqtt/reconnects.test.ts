/** When a session connects again: after attempts that failed, connections that worked, and in an update. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../../host-sim/faults/weak-link";
import { BACKOFF_CAP, BACKOFF_FIRST, CONNECT_TIMEOUT, MQTT_STABLE, RECONNECT_IN_UPDATE } from "../../src/constants";
import type { MqttSession } from "../../src/mqtt/session";
import { bringUp, message, newSession, only, puback, sent } from "./broker-side";
import { failure, feed } from "./feed";

const longest = { random: () => 0.999_999 };
const MINUTE = 60_000;

/** The session is waiting; its next attempt begins. */
function retry(session: MqttSession): number {
  const at = session.deadline()!;
  session.tick(at);
  return at;
}

/** A session after an outage: its waits have grown to the cap. */
function afterOutage(): { session: MqttSession; now: number } {
  const session = newSession(longest);
  session.start(0);
  let now = 0;
  for (let attempt = 0; attempt < 10; attempt++) {
    session.closed(failure("connection refused"), now);
    now = retry(session);
  }
  return { session, now };
}

test("a connection that did its work earns a prompt retry, whatever failed before it", () => {
  for (const work of ["PUBACK", "a push", "nothing was asked"] as const) {
    const { session, now } = afterOutage();
    bringUp(session, now);
    if (work === "PUBACK") {
      const [packet] = sent(session.publish("version", { topic: "out", payload: "1", qos: 1 }, now));
      feed(session, puback(packet!.messageId!), now);
    } else if (work === "a push") {
      session.publish("version", { topic: "out", payload: "1", qos: 1 }, now);
      feed(session, message("in/a", "offer"), now);
    }
    const { retryIn } = only(session.closed(failure("reset"), now + 3000), "down");
    assert.ok(retryIn < BACKOFF_FIRST, `${work}: ${retryIn} ms`);
  }
});

test("a broker that answers no publish earns no prompt retry", () => {
  const { session, now } = afterOutage();
  bringUp(session, now);
  session.publish("version", { topic: "out", payload: "1", qos: 1 }, now);
  assert.equal(only(session.closed(failure("reset"), now + 3000), "down").retryIn, BACKOFF_CAP - 1);
});

test("connections that work and soon end are retried ever later", () => {
  const { session, now: begun } = afterOutage();
  let now = begun;
  const waits: number[] = [];
  for (let count = 0; count < 8; count++) {
    bringUp(session, now);
    waits.push(only(session.closed(failure("reset"), now + 3000), "down").retryIn);
    now = retry(session);
  }
  assert.deepEqual(waits, [999, 1999, 3999, 7999, 15_999, 31_999, 59_999, 59_999]);
  bringUp(session, now);
  assert.equal(only(session.closed(failure("reset"), now + MQTT_STABLE), "down").retryIn, 999);
});

test("while an update is in hand no wait exceeds its cap, the time of a failed attempt included", () => {
  const session = newSession(longest);
  session.start(0);
  session.urgency(RECONNECT_IN_UPDATE, 0);
  let now = 0;
  for (let attempt = 0; attempt < 20; attempt++) {
    const { retryIn } = only(session.closed(failure("refused"), now + 1000), "down");
    assert.ok(1000 + retryIn <= RECONNECT_IN_UPDATE, `${retryIn} ms`);
    now = retry(session);
  }
  assert.equal(only(session.tick(now + CONNECT_TIMEOUT), "down").retryIn, 0, "the attempt took longer than the cap");
});

test("an update that begins in a long wait shortens it", () => {
  const { session, now } = afterOutage();
  session.closed(failure("refused"), now);
  assert.ok(session.deadline()! > now + RECONNECT_IN_UPDATE);
  session.urgency(RECONNECT_IN_UPDATE, now);
  assert.equal(session.deadline(), now + RECONNECT_IN_UPDATE);
});

test("the cap ends with the update", () => {
  const session = newSession(longest);
  session.start(0);
  session.urgency(RECONNECT_IN_UPDATE, 0);
  session.urgency(Infinity, 0);
  let wait = 0;
  for (let attempt = 0; attempt < 10; attempt++) {
    wait = only(session.closed(failure("refused"), session.deadline()!), "down").retryIn;
    retry(session);
  }
  assert.equal(wait, BACKOFF_CAP - 1);
});

/** Connects of two clients with one id in so many ms: each takes the other's connection. */
function takeovers(duration: number, seed: number, cap: number): number {
  const random = generator(seed);
  const twins = [newSession({ random }), newSession({ random })];
  let now = 0;
  let count = 0;
  twins.forEach((session) => {
    session.start(now);
    session.urgency(cap, now);
  });
  const connect = (session: MqttSession): void => {
    const other = twins.find((each) => each !== session)!;
    if (other.isUp) other.closed(failure("taken over"), now);
    bringUp(session, now);
    const [packet] = sent(session.publish("version", { topic: "out", payload: "1", qos: 1 }, now));
    feed(session, puback(packet!.messageId!), now);
    count++;
  };
  twins.forEach(connect);
  while (now < duration) {
    const waiting = twins.filter((session) => !session.isUp);
    const next = waiting.reduce((a, b) => (a.deadline()! <= b.deadline()! ? a : b));
    now = retry(next);
    connect(next);
  }
  return count;
}

test("two clients with one id take turns slowly, also while both have an update in hand", (t) => {
  const counts = [1, 2, 3, 4, 5].map((seed) => ({
    idle: takeovers(60 * MINUTE, seed, Infinity),
    update: takeovers(60 * MINUTE, seed, RECONNECT_IN_UPDATE),
  }));
  const idle = Math.max(...counts.map((each) => each.idle));
  const update = Math.max(...counts.map((each) => each.update));
  t.diagnostic(`connects in an hour, of both: ${idle} idle, ${update} in an update`);
  assert.ok(idle <= 6 * 60, `${idle} in an hour`);
  assert.ok(update <= 30 * 60, `${update} in an hour`);
});
