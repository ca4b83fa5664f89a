/** Battery devices: when the agent lets them sleep, and what a wake does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WINDOW } from "../../src/constants";
import { TABLE } from "../../src/job/machine";
import type { StateName } from "../../src/job/states";
import { Wake } from "../../src/agent/sleep";
import { Sleeper } from "./sleeper";

const SECTOR = 4096;
/** DISCONNECT. */
const FAREWELL = "\xe0\0";
/** A line on which 256 KiB take 16 s. */
const WEAK = { rate: 16 * 1024, latency: 80, window: 5_760 };

test("an idle device sleeps two seconds after the cloud has answered, and takes leave of the broker", () => {
  const device = new Sleeper().start();
  const { ends, awake } = device.runOnce();
  assert.equal(ends, "sleep");
  assert.ok(awake > 2_000 && awake < 3_000, `${awake} ms awake`);
  assert.equal(device.published.at(-1), FAREWELL);
  assert.deepEqual(device.device.notices.at(-1), { event: "sleep", seconds: 600 });
  assert.deepEqual(device.goOn().runOnce(), { ends: "sleep", awake }, "each wake is the same");
});

test("a device without a network, or without its broker, sleeps when the budget of the wake is used up", () => {
  const noNetwork = new Sleeper({ wake: { seconds: 7 }, networkUpAfter: 1e9 }).start();
  assert.deepEqual(noNetwork.runOnce(), { ends: "sleep", awake: 7_200 });
  const noBroker = new Sleeper({ wake: { seconds: 7 } });
  noBroker.brokerIsUp = false;
  assert.deepEqual(noBroker.start().runOnce(), { ends: "sleep", awake: 7_200 });
});

test("a download goes on over wakes: nothing is fetched again, at most the rest of a block is erased again, and the cloud is told of each sleep", () => {
  const size = 400_000;
  const device = new Sleeper({ size, line: WEAK, wake: { seconds: 10 } }).start();
  const offsets: number[] = [];
  for (let run = device.runOnce(); run.ends === "sleep"; run = device.goOn().runOnce()) {
    assert.ok(run.awake <= 10_200, `${run.awake} ms awake`);
    offsets.push(device.served.promised);
    assert.match(
      device.published.at(-2) ?? "",
      /"state":"downloading","percent":"\d+".*"result_msg":"asleep for 600 s"/,
    );
  }
  assert.equal(device.board.restartWanted, "restart", "into the new firmware");
  assert.ok(offsets.length >= 2, `${offsets.length} sleeps`);
  assert.equal(device.served.promised, size);
  const { address, size: room } = device.board.table.slots[1];
  const again = device.board.chip.counts(address, room).erases - Math.ceil(size / SECTOR);
  assert.ok(again <= 15 * offsets.length, `${again} sectors erased again`);
});

test("a wake goes on with its stored URL, whether the broker is there or not", () => {
  const device = new Sleeper({ size: 200_000, line: WEAK, wake: { seconds: 8 } }).start();
  assert.equal(device.runOnce().ends, "sleep");
  device.brokerIsUp = false;
  device.goOn();
  const before = device.network.traffic(80).read;
  device.clock.advance(1_500);
  assert.ok(device.network.traffic(80).read - before > 1_000, "bytes of the file came at once");
});

test("a wake reads nothing of what its checkpoint vouches for, before the first byte that is new", () => {
  const device = new Sleeper({ size: 200_000, line: WEAK, wake: { seconds: 8 } }).start();
  assert.equal(device.runOnce().ends, "sleep");
  const { address, size } = device.board.table.slots[1];
  let read = 0;
  device.board.chip.onRead = (at, bytes) => {
    if (at >= address && at < address + size) read += bytes.length;
  };
  device.goOn();
  device.clock.advance(300);
  assert.equal(read, 0);
});

test("after a power-on the stored URL waits for a fresh push, as without sleep", () => {
  const device = new Sleeper({ size: 200_000, line: WEAK, wake: { seconds: 8 } }).start();
  assert.equal(device.runOnce().ends, "sleep");
  device.brokerIsUp = false;
  device.start("power-on");
  const before = device.network.traffic(80).read;
  device.clock.advance(1_500);
  assert.equal(device.network.traffic(80).read, before);
});

test("the budget of bytes ends a wake as the seconds do, and is kept", () => {
  const size = 300_000;
  const bytes = 100_000;
  const device = new Sleeper({ size, line: { ...WEAK, rate: 1 << 20 }, wake: { seconds: 600, bytes } }).start();
  let before = 0;
  for (let run = device.runOnce(); run.ends === "sleep"; run = device.goOn().runOnce()) {
    assert.ok(device.served.promised - before <= bytes, `${device.served.promised - before} bytes in a wake`);
    assert.ok(run.awake < 10_000, `${run.awake} ms awake`);
    before = device.served.promised;
  }
  assert.equal(device.served.promised, size);
});

test("on a line too slow for what is in flight the sector in hand is stored, and a sleep costs the rest in flight", () => {
  const size = 60_000;
  const device = new Sleeper({ size, line: { ...WEAK, rate: 1_024 }, wake: { seconds: 20 } }).start();
  let sleeps = 0;
  for (let run = device.runOnce(); run.ends === "sleep"; run = device.goOn().runOnce()) {
    sleeps++;
    assert.ok(Math.floor(run.awake) <= 24_200, `${run.awake} ms awake`);
  }
  assert.equal(device.board.restartWanted, "restart");
  assert.ok(device.served.promised - size <= sleeps * WINDOW, `${device.served.promised - size} bytes again`);
});

test("what has begun is not cut off: no state of the end game lets the device sleep", () => {
  const wake = new Wake({ seconds: 10 }, true, 0);
  const unbroken = (Object.keys(TABLE) as StateName[]).filter((state) => wake.maySleep(state, false, 1e6) === 0);
  assert.deepEqual(unbroken.sort(), [
    "activating",
    "burning",
    "checking",
    "committing",
    "installing",
    "rolling-back",
    "rolling-back-without-job",
    "starting",
    "storing",
    "verifying",
  ]);
});

test("maySleep: 0 while there is work and budget, an hour at most in a trial, else as long as the application likes", () => {
  const wake = new Wake({ seconds: 10 }, true, 0);
  assert.equal(wake.maySleep("idle", false, 5_000), 0, "the cloud was not reached");
  assert.equal(wake.maySleep("downloading", true, 9_999), 0);
  assert.equal(wake.maySleep("downloading", true, 10_000), Infinity);
  assert.equal(wake.maySleep("trial", false, 9_999), 0);
  assert.equal(wake.maySleep("trial", false, 10_000), 3_600);
  assert.equal(wake.maySleep(undefined, false, 10_000), Infinity, "no network");
  wake.link(true, 1_000);
  assert.equal(wake.maySleep("idle", false, 3_000), 0, "the version is not acknowledged");
  wake.heard(true, 2_000);
  assert.equal(wake.maySleep("idle", false, 3_999), 0);
  assert.equal(wake.maySleep("idle", false, 4_000), Infinity);
  wake.link(false, 4_500);
  assert.equal(wake.maySleep("idle", false, 5_000), 0);
});

test("a sleep that the chip refuses leaves the agent at work, with a warning", () => {
  let refused = 0;
  const device = new Sleeper({
    ports: (ports) => ({
      ...ports,
      boot: new Proxy(ports.boot, {
        get(boot, name) {
          if (name === "sleep")
            return () => {
              refused++;
              throw new Error("sleep ota_0: no");
            };
          const member: unknown = Reflect.get(boot, name, boot);
          return typeof member === "function" ? member.bind(boot) : member;
        },
      }),
    }),
  }).start();
  device.clock.advance(10_000);
  assert.equal(refused, 1);
  assert.deepEqual(device.device.notices.at(-1), { event: "warning", message: "stays awake: sleep ota_0: no" });
  assert.equal(device.network.traffic(1883).connections, 2, "it has connected again");
});

test("budgets and sleeps that cannot work are refused with one line", () => {
  assert.throws(() => new Wake({ seconds: 0 }, true, 0), /^Error: wake.seconds: 1 or more$/);
  assert.throws(() => new Wake({ bytes: 20_000 }, true, 0), /^Error: wake.bytes: 24576 or more$/);
  for (const asleep of [0, -1, NaN, Infinity])
    assert.throws(() => new Sleeper({ asleep }).start(), /^Error: sleepUntil: a number of seconds above 0$/);
});
