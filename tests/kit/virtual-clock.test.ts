import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./virtual-clock";

test("entries run in the order of their times, and of their making where the time is the same", () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  const note = (text: string) => (): void => void order.push(`${text} at ${clock.now()}`);
  clock.set(note("c"), 30);
  clock.after(10, note("a"));
  clock.at(30, note("d"));
  clock.set(note("b"), 10);
  while (clock.step());
  assert.deepEqual(order, ["a at 10", "b at 10", "c at 30", "d at 30"]);
});

test("a cleared entry never runs, and clearing it again is no error", () => {
  const clock = new VirtualClock();
  const order: number[] = [];
  const handles = [5, 1, 3, 2, 4].map((at) => clock.set(() => order.push(at), at));
  clock.clear(handles[2]!);
  clock.clear(handles[2]!);
  clock.clear(999);
  assert.equal(clock.waiting, 4);
  clock.advance(10);
  assert.deepEqual(order, [1, 2, 4, 5]);
  assert.equal(clock.waiting, 0);
});

test("advance runs what falls due within it, new entries among them, and stops at its end", () => {
  const clock = new VirtualClock();
  let ticks = 0;
  const tick = (): void => {
    ticks++;
    clock.set(tick, 10);
  };
  clock.set(tick, 10);
  clock.advance(35);
  assert.deepEqual([ticks, clock.now()], [3, 35]);
  assert.equal(clock.step(39), false);
  assert.equal(clock.step(40), true);
  assert.deepEqual([ticks, clock.now()], [4, 40]);
});

test("time that the processor spends delays what is due, and a device sees whole milliseconds", () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  clock.set(() => seen.push(clock.time), 5);
  clock.spend(7.25);
  assert.equal(clock.now(), 7);
  clock.step();
  assert.deepEqual(seen, [7.25]);
});

test("it is quiet once only timers of the device are left, none of them due", () => {
  const clock = new VirtualClock();
  clock.set(() => undefined, 10);
  assert.equal(clock.quiet, true);
  const bytes = clock.after(5, () => undefined);
  assert.equal(clock.quiet, false);
  clock.clear(bytes);
  assert.equal(clock.quiet, true);
  clock.spend(10);
  assert.equal(clock.quiet, false);
});

test("the time may outlive the clock", () => {
  const state = { now: 500 };
  new VirtualClock(state).advance(20);
  assert.equal(new VirtualClock(state).now(), 520);
});
