/** A broker that refuses a publish can only close the connection: the session tells so when it happens again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MQTT_REPLY_TIMEOUT } from "../../src/constants";
import type { MqttSession } from "../../src/mqtt/session";
import { bringUp, puback, sent, upSession } from "./broker-side";
import { feed } from "./feed";

/** What the session says of a close at `now`, as it does to its owner. */
const closes = (session: MqttSession, now: number): string => {
  assert.ok(session.isUp);
  const down = session.closed(undefined, now).find(({ type }) => type === "down");
  assert.ok(down?.type === "down");
  const later = session.deadline()!;
  session.tick(later);
  bringUp(session, later);
  return down.reason;
};
const report = { topic: "out/report", payload: "a", qos: 1 } as const;

test("the second close at the same publish names it, how often and what to check", () => {
  const session = upSession();
  session.publish("version", report, 100);
  assert.match(closes(session, 150), /^connection lost soon after it was made/);
  const again = session.deadline()!;
  session.tick(again);
  const reason = closes(session, again + 50);
  assert.match(reason, /^the broker closed the connection 2 times at the publish "version" to out\/report: check/);
  const third = session.deadline()!;
  session.tick(third);
  assert.match(closes(session, third + 50), /3 times/);
});

test("a publish at QoS 0 is named as well", () => {
  const session = upSession();
  for (const [now, expected] of [
    [1_000, /^connection lost/],
    [100_000, /2 times at the publish "progress" to out\/report/],
  ] as const) {
    session.publish(undefined, { ...report, qos: 0 }, now);
    assert.match(closes(session, now + 50), expected);
  }
});

test("a publish that was acknowledged, or long ago, or another one has nothing to do with the close", () => {
  const session = upSession();
  const id = (): number => {
    const [packet] = sent(session.publish("version", report, 1_000));
    assert.ok(packet?.cmd === "publish");
    return packet.messageId!;
  };
  for (const now of [1_100, 2_100, 3_100]) {
    feed(session, puback(id()), 1_050);
    assert.match(closes(session, now), /^connection lost/);
  }
  for (const name of ["version", "outcome", "version"]) {
    session.publish(name, { ...report, payload: name }, 200_000);
    assert.match(closes(session, 200_000 + MQTT_REPLY_TIMEOUT), /^connection lost/);
  }
});
