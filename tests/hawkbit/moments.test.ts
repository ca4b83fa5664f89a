/** A power cut, or a cancellation, at each of many moments of an update: what the server's records say in the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTROLLER, situation } from "./fleet-of-one";
import type { Situation } from "./fleet-of-one";
import { checkRequests } from "./request-checks";

/**
 * Runs until the action has ended; before step `at` something `happens`. A step is one thing: bytes that arrive, a time
 * that is over. Returns the number of steps.
 */
async function run(world: Situation, id: string, at = Infinity, happens?: () => Promise<void> | void): Promise<number> {
  let steps = 0;
  while (!["finished", "error", "canceled"].includes(world.status(id))) {
    if (steps === at) await happens?.();
    world.step();
    steps++;
    assert.ok(steps < 20_000, `no end: ${world.status(id)}, ${world.device.state}`);
  }
  return steps;
}

test("a power cut at any moment: the action ends with success, once", async () => {
  const clean = await situation();
  const steps = await run(clean, await clean.assign("0.2.0"));
  assert.ok(steps > 50, `${steps} steps`);
  for (let at = 0; at < steps; at++) {
    const world = await situation();
    const id = await world.assign("0.2.0");
    await run(world, id, at, world.powerCut);
    assert.equal(world.status(id), "finished", `cut at step ${at}`);
    assert.equal(world.device.version, "0.2.0");
    world.clock.advance(600_000);
    checkRequests(world.double);
  }
});

test("a cancellation at any moment, and a power cut soon after: what runs is what the records say", async () => {
  const clean = await situation();
  const steps = await run(clean, await clean.assign("0.2.0"));
  const ends = new Set<string>();
  for (let at = 1; at < steps - 1; at++) {
    const world = await situation();
    const id = await world.assign("0.2.0");
    await run(world, id, at, async () => {
      await world.double.operator.cancel(CONTROLLER, id);
      for (let count = 0; count < at % 7; count++) world.step();
      if (at % 2 === 0) world.powerCut();
    });
    world.clock.advance(600_000);
    const status = world.status(id);
    ends.add(status);
    const version = status === "finished" ? "0.2.0" : "0.1.0";
    assert.deepEqual([status, world.device.version], [status, version], `cancelled at step ${at}`);
    assert.notEqual(status, "error", `cancelled at step ${at}`);
    checkRequests(world.double);
  }
  assert.deepEqual([...ends].sort(), ["canceled", "finished"]);
});
