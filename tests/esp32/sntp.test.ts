import assert from "node:assert/strict";
import { test } from "node:test";
import { Sntp } from "../../hal/esp32/sntp";
import type { Datagrams } from "../../hal/esp32/sntp";
import { SOURCE_TIME, earliestTime } from "../../hal/esp32/source-time";
import { TimedNetwork, isClockSet } from "../../hal/esp32/timed-network";
import type { Lookup } from "../../hal/moddable/host-names";
import type { Network, Socket, SocketError } from "../../src/ports";
import { BACKOFF_CAP } from "../../src/constants";
import { VirtualClock } from "../kit/virtual-clock";

/** 22 November 2027, 00:00 UTC. */
const NOW = Date.UTC(2027, 10, 22) / 1000;
const EPOCH = 2_208_988_800;

class Fixture {
  readonly clock = new VirtualClock();
  readonly set: number[] = [];
  readonly sent: { readonly bytes: Uint8Array; readonly address: string; readonly port: number }[] = [];
  open = 0;
  lookups = 0;
  address: string | undefined = "192.0.2.7";
  #readable: ((count: number) => void) | undefined;
  #arrived: ArrayBuffer[] = [];
  #random = 0;
  readonly sntp: Sntp;

  constructor(host = "pool.example", earliest?: number) {
    const lookup: Lookup = (_host, done) => {
      this.lookups++;
      this.clock.set(() => done(this.address), 5);
    };
    this.sntp = new Sntp({
      host,
      lookup,
      clock: this.clock,
      ...(earliest === undefined ? {} : { earliest }),
      random: () => (this.#random = (this.#random + 0.371) % 1),
      set: (seconds) => this.set.push(seconds),
      log: () => {},
      open: (onReadable): Datagrams => {
        this.open++;
        this.#readable = onReadable;
        return {
          write: (bytes, address, port) => this.sent.push({ bytes: bytes.slice(), address, port }),
          read: () => this.#arrived.shift(),
          close: () => this.open--,
        };
      },
    });
  }

  /** An answer to the latest question; `change` spoils it. */
  answer(seconds = NOW + EPOCH, change: (packet: Uint8Array) => void = () => {}, length = 48): void {
    const packet = new Uint8Array(48);
    packet[0] = 0x24;
    packet[1] = 2;
    packet.set(this.sent.at(-1)!.bytes.subarray(40, 48), 24);
    new DataView(packet.buffer).setUint32(40, seconds % 2 ** 32);
    change(packet);
    this.#arrived.push(packet.buffer.slice(0, length));
    this.#readable?.(1);
  }

  asked(): this {
    this.sntp.start();
    this.clock.advance(10);
    return this;
  }
}

test("asks the server that the name stands for, and sets the clock", () => {
  const fixture = new Fixture().asked();
  assert.equal(fixture.sent.length, 1);
  assert.deepEqual(
    [fixture.sent[0]!.address, fixture.sent[0]!.port, fixture.sent[0]!.bytes.length, fixture.sent[0]!.bytes[0]],
    ["192.0.2.7", 123, 48, 0x23],
  );
  fixture.answer();
  assert.deepEqual(fixture.set, [NOW]);
  assert.equal(fixture.open, 0, "the socket is closed");
});

test("an address needs no name server", () => {
  const fixture = new Fixture("192.0.2.9").asked();
  assert.equal(fixture.lookups, 0);
  assert.equal(fixture.sent[0]!.address, "192.0.2.9");
});

test("asks again after five minutes, and once a day when two answers agree", () => {
  const fixture = new Fixture().asked();
  fixture.answer();
  fixture.clock.advance(300_000 + 10);
  assert.equal(fixture.sent.length, 2);
  fixture.answer(NOW + EPOCH + 301);
  fixture.clock.advance(86_400_000 - 10);
  assert.equal(fixture.sent.length, 2);
  fixture.clock.advance(30);
  assert.equal(fixture.sent.length, 3);
  fixture.answer(NOW + EPOCH + 86_701);
  assert.deepEqual(fixture.set, [NOW, NOW + 301, NOW + 86_701]);
});

test("a time that is wrong and possible is corrected after five minutes, by whichever server has the right one", () => {
  const fixture = new Fixture().asked();
  fixture.answer(NOW + EPOCH + 3 * 365 * 86_400);
  fixture.clock.advance(300_000 + 10);
  fixture.answer(NOW + EPOCH + 300);
  assert.equal(fixture.set.at(-1), NOW + 300);
  // The second answer is as unconfirmed as the first.
  fixture.clock.advance(300_000 + 10);
  assert.equal(fixture.sent.length, 3);
});

test("a time before this firmware or 20 years after it is not believed, and asked again within seconds", () => {
  const built = Date.UTC(2027, 5, 1) / 1000;
  const later = built + 20 * 366 * 86_400;
  for (const seconds of [0, EPOCH, EPOCH + 536_112_000, EPOCH + built - 1, EPOCH + later]) {
    const fixture = new Fixture("192.0.2.9", built * 1000).asked();
    fixture.answer(seconds);
    assert.deepEqual(fixture.set, [], `${seconds}`);
    assert.equal(fixture.open, 0);
    fixture.clock.advance(1_000);
    assert.ok(fixture.sent.length > 1, `${seconds}: asked again`);
    fixture.answer(EPOCH + built + 60);
    assert.deepEqual(fixture.set, [built + 60]);
  }
});

test("the earliest time is that of the build, where the image has one, and else that of the sources", () => {
  const image = (date: string, time: string) => (offset: number, into: Uint8Array) =>
    into.set(Buffer.from((offset === 128 ? date : offset === 112 ? time : "?").padEnd(16, "\0")));
  assert.equal(earliestTime(image("Mar  5 2027", "12:34:56")), Date.UTC(2027, 2, 4, 12, 34));
  assert.equal(earliestTime(image("Dec 31 2028", "00:00:00")), Date.UTC(2028, 11, 30));
  // None in a reproducible build; a machine without a clock built it; and one whose clock is far ahead.
  for (const date of ["", "Jan  1 1970", "Jan  1 2060", "Foo 99 xxxx"])
    assert.equal(earliestTime(image(date, "12:34:56")), SOURCE_TIME, date);
});

test("a packet that does not answer the request is ignored", () => {
  const spoilt: readonly [string, (packet: Uint8Array) => void][] = [
    ["echoes another number", (packet) => (packet[30]! ^= 1)],
    ["is a client's", (packet) => (packet[0] = 0x23)],
    ["has no clock (leap 3)", (packet) => (packet[0] = 0xe4)],
    ["is a kiss of death (stratum 0)", (packet) => (packet[1] = 0)],
    ["has stratum 16", (packet) => (packet[1] = 16)],
  ];
  for (const [title, change] of spoilt) {
    const fixture = new Fixture().asked();
    fixture.answer(undefined, change);
    assert.deepEqual(fixture.set, [], title);
    fixture.answer();
    assert.deepEqual(fixture.set, [NOW], `after one that ${title}`);
  }
});

test("a short packet is ignored", () => {
  const fixture = new Fixture().asked();
  fixture.answer(undefined, undefined, 47);
  assert.deepEqual(fixture.set, []);
});

test("the seconds wrap in 2036", () => {
  const fixture = new Fixture().asked();
  const year2040 = Date.UTC(2040, 0, 1) / 1000;
  fixture.answer(year2040 + EPOCH);
  assert.deepEqual(fixture.set, [year2040]);
});

test("without an answer, or without the name, it asks without end, with one socket at a time", () => {
  const fixture = new Fixture().asked();
  fixture.clock.advance(3_600_000);
  assert.ok(fixture.sent.length > 50, `${fixture.sent.length} questions in an hour`);
  assert.ok(fixture.open <= 1);
  fixture.address = undefined;
  const before = fixture.sent.length;
  fixture.clock.advance(3_600_000);
  assert.ok(fixture.sent.length - before <= 1);
  fixture.address = "192.0.2.7";
  fixture.clock.advance(BACKOFF_CAP + 20_000);
  if (fixture.open === 0) fixture.clock.advance(BACKOFF_CAP);
  assert.ok(fixture.sent.length > before);
});

test("stop ends the requests, start begins again", () => {
  const fixture = new Fixture().asked();
  fixture.sntp.stop();
  assert.equal(fixture.open, 0);
  assert.equal(fixture.clock.waiting, 0);
  fixture.asked();
  fixture.answer();
  assert.deepEqual(fixture.set, [NOW]);
});

test("no TLS before the clock is set; plain connections do not wait", (context) => {
  const clock = new VirtualClock();
  const connected: string[] = [];
  const below: Network = {
    connect({ host }): Socket {
      connected.push(host);
      return { read: () => 0, write: () => 0, close: () => {} };
    },
  };
  const network = new TimedNetwork(below, clock);
  const closed: (SocketError | undefined)[] = [];
  const events = { opened() {}, readable() {}, writable() {}, closed: (error?: SocketError) => closed.push(error) };
  context.mock.timers.enable({ apis: ["Date"], now: 3_000 });
  assert.equal(isClockSet(), false);
  network.connect({ host: "plain", port: 1883 }, events);
  network.connect({ host: "tls", port: 8883, tls: "mqtt" }, events);
  assert.deepEqual(closed, [], "not from inside connect");
  clock.advance(0);
  assert.deepEqual(closed, [{ kind: "other", message: "no TLS yet: the clock is not set" }]);
  network.connect({ host: "tls", port: 8883, tls: "mqtt" }, events).close();
  clock.advance(0);
  assert.equal(closed.length, 1, "silent after close");
  context.mock.timers.setTime(NOW * 1000);
  network.connect({ host: "tls", port: 8883, tls: "mqtt" }, events);
  assert.deepEqual(connected, ["plain", "tls"]);
});
