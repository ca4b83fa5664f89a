import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MQTT_INFLIGHT, MQTT_PAYLOAD_MAX, MQTT_RESEND } from "../../src/constants";
import type { SessionOutput } from "../../src/mqtt/outputs";
import {
  bringUp,
  bytes,
  connack,
  message,
  newSession,
  pingresp,
  puback,
  sent,
  suback,
  types,
  upSession,
} from "./broker-side";
import { failure, feed } from "./feed";

const packet = fc.oneof(
  fc.constant(connack()),
  fc.constant(pingresp()),
  fc.nat(5).map((id) => suback(id + 1)),
  fc.nat(5).map((id) => puback(id + 1)),
  fc.nat(5).map((id) => bytes({ cmd: "pubrel", messageId: id + 1 })),
  fc
    .record({
      topic: fc.string({ minLength: 1 }),
      length: fc.oneof(fc.nat(20), fc.nat(3 * MQTT_PAYLOAD_MAX)),
      qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
      id: fc.integer({ min: 1, max: 65_535 }),
    })
    .map(({ topic, length, qos, id }) => message(topic, "x".repeat(length), qos, id)),
);
const damage = fc.array(fc.tuple(fc.nat(100_000), fc.nat(255)), { maxLength: 2 });
/** A stream of legal packets, some with a byte or two replaced. */
const stream = fc.tuple(fc.array(packet, { maxLength: 6 }), damage).map(([packets, changes]) => {
  const all = Buffer.concat(packets);
  for (const [at, value] of changes) if (all.length > 0) all[at % all.length] = value;
  return new Uint8Array(all);
});
const anything = fc.oneof(stream, fc.uint8Array({ maxLength: 100 }));

/** Payloads as arrays, so that a difference between two lists of effects shows. */
const plain = (effects: SessionOutput[]) =>
  effects.map((effect) => (effect.type === "message" ? { ...effect, payload: [...effect.payload] } : effect));

test("a stream gives the same outputs in any pieces", () => {
  fc.assert(
    fc.property(anything, fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 30 }), (input, sizes) => {
      const whole = plain(feed(upSession(), input, 1));
      const session = upSession();
      const parts: SessionOutput[] = [];
      let at = 0;
      for (const size of [...sizes, input.length]) {
        parts.push(...feed(session, input.subarray(at, at + size), 1));
        at += size;
      }
      assert.deepEqual(plain(parts), whole);
    }),
    { numRuns: 500 },
  );
});

test("a stream arrives the same byte by byte", () => {
  fc.assert(
    fc.property(anything, (input) => {
      const session = upSession();
      const parts: SessionOutput[] = [];
      for (const byte of input) parts.push(...feed(session, Uint8Array.of(byte), 1));
      assert.deepEqual(plain(parts), plain(feed(upSession(), input, 1)));
    }),
    { numRuns: 100 },
  );
});

test("no bytes make it throw, in any state, and it always reconnects", () => {
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 8 }), fc.nat(3), (inputs, phase) => {
      const session = newSession();
      session.start(0);
      if (phase > 0) session.opened(0);
      if (phase > 1) feed(session, connack(), 0);
      if (phase > 2) feed(session, suback(1), 0);
      for (const input of inputs) {
        const effects = feed(session, input, 1);
        const ended = types(effects).indexOf("close");
        if (ended >= 0)
          assert.deepEqual(types(effects).slice(ended), ["close", "down"], "a failure closes once, and is the end");
        for (const effect of effects)
          if (effect.type === "message" && effect.handle !== 0) session.handled(effect.handle, 1);
      }
      session.closed(failure("the test"), 2);
      assert.deepEqual(session.tick(session.deadline()!), [{ type: "connect" }]);
      bringUp(session, 100_000);
      assert.equal(session.isUp, true);
    }),
    { numRuns: 500 },
  );
});

test("whatever is lost on the way, every kept publish is acknowledged once, with its last payload", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("publish" as const), token: fc.nat(MQTT_INFLIGHT - 1), payload: fc.nat(2) }),
    fc.constant({ do: "lose" as const }),
    fc.constant({ do: "wait" as const }),
    fc.record({ do: fc.constant("deliver" as const), acks: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const session = upSession();
      let now = 0;
      const wanted = new Map<string, string>();
      /** Packets on their way to the broker on this connection, and its answers by packet id. */
      let wire: SessionOutput[] = [];
      const received = new Map<number, string>();
      const take = (effects: SessionOutput[]) => {
        wire.push(...effects);
        for (const effect of effects) {
          if (effect.type !== "acked") continue;
          assert.ok(wanted.has(effect.token), "acknowledged once, and only what is wanted");
          wanted.delete(effect.token);
        }
      };
      const deliver = (acks: boolean) => {
        const packets = sent(wire);
        wire = [];
        for (const one of packets) {
          if (one.cmd === "pingreq") take(feed(session, pingresp(), now));
          if (one.cmd !== "publish") continue;
          const known = received.get(one.messageId!);
          if (known !== undefined) assert.equal(one.dup, true, "an id in flight is used again only for a repetition");
          if (known !== undefined) assert.equal(String(one.payload), known);
          if (!acks) {
            received.set(one.messageId!, String(one.payload));
            continue;
          }
          received.delete(one.messageId!);
          const before = new Map(wanted);
          take(feed(session, puback(one.messageId!), now));
          for (const [token, payload] of before)
            if (!wanted.has(token)) assert.equal(String(one.payload), payload, "it is the last payload that counts");
        }
      };
      const reconnect = () => {
        session.closed(failure("lost"), now);
        wire = [];
        received.clear();
        now = session.deadline()!;
        session.tick(now);
        bringUp(session, now);
      };
      for (const action of steps) {
        now += 1000;
        switch (action.do) {
          case "publish":
            wanted.set(`t${action.token}`, String(action.payload));
            take(session.publish(`t${action.token}`, { topic: "out", payload: String(action.payload), qos: 1 }, now));
            break;
          case "lose":
            reconnect();
            break;
          case "wait":
            now += MQTT_RESEND;
            take(session.tick(now));
            break;
          case "deliver":
            deliver(action.acks);
            break;
        }
        if (!session.isUp) reconnect();
      }
      for (let i = 0; i < 3; i++) {
        now += MQTT_RESEND;
        take(session.tick(now));
        if (!session.isUp) reconnect();
        deliver(true);
      }
      assert.deepEqual([...wanted], []);
    }),
    { numRuns: 300 },
  );
});
