/** What a connection is said to wait for: an address, then the clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkWatch } from "../../hal/moddable/network-watch";
import { VirtualClock } from "../kit/virtual-clock";

interface Watched {
  readonly clock: VirtualClock;
  readonly watch: NetworkWatch;
  readonly said: (string | undefined)[];
}

function watched(isClockSet: boolean, clockTimeout?: number): Watched {
  const clock = new VirtualClock();
  const said: (string | undefined)[] = [];
  const missing = (what: string | undefined): void => void said.push(what);
  const timeout = clockTimeout === undefined ? {} : { clockTimeout };
  return { clock, said, watch: new NetworkWatch({ clock, isClockSet: () => isClockSet, ...timeout, missing }) };
}

test("with a clock that is set, an address is enough", () => {
  const { watch, said } = watched(true);
  watch.up();
  assert.deepEqual(said, [undefined]);
});

test("a network without time server waits for no clock", () => {
  const { watch, said } = watched(false, 0);
  watch.up();
  assert.deepEqual(said, [undefined]);
});

test("the clock is waited for until it is set, or its server has had its time", () => {
  const set = watched(false);
  set.watch.up();
  set.watch.clockSet();
  set.clock.advance(60_000);
  assert.deepEqual(set.said, ["clock not set", undefined]);
  const unset = watched(false);
  unset.watch.up();
  unset.clock.advance(9_999);
  assert.deepEqual(unset.said, ["clock not set"]);
  unset.clock.advance(1);
  assert.deepEqual(unset.said, ["clock not set", undefined]);
});

test("an address that is lost again stops the wait, and the reason is said", () => {
  const { watch, clock, said } = watched(false);
  watch.down("no Wi-Fi: the setting ssid is missing");
  watch.up();
  watch.down("disconnected");
  clock.advance(60_000);
  watch.clockSet();
  assert.deepEqual(said, [
    "no address: no Wi-Fi: the setting ssid is missing",
    "clock not set",
    "no address: disconnected",
  ]);
});
