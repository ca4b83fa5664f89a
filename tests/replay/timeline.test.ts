import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { timelineOf } from "../../host-sim/replay/timeline";
import { SECTOR } from "../../src/constants";
import { runInjected } from "./injected-run";
import { INJECTIONS } from "./injections";

test("a line of time has phases without gaps, each break with its wait, and all bytes that were stored", () => {
  const { wrong } = INJECTIONS.find(({ told }) => told === "unavailable")!;
  const { run } = readRecording(runInjected(wrong, 2).start!.recording);
  const { steps, doubt } = replay(run);
  assert.equal(doubt, undefined);
  const { end, phases, breaks, stored } = timelineOf(run, steps);
  assert.ok(end >= 15 * 60_000, "15 minutes without a new sector");
  assert.deepEqual(
    phases.map(({ from }) => from),
    [0, ...phases.slice(0, -1).map(({ to }) => to)],
  );
  assert.equal(phases.at(-1)!.state, "reporting");
  assert.ok(phases.some(({ state, from, to }) => state === "downloading" && to - from >= 15 * 60_000));
  const busy = breaks.filter(({ text }) => text === "HTTP 503: the server is busy or broken");
  assert.ok(busy.length > 10 && busy.every(({ at, wait }) => wait > 0 && at <= end));
  const sectors = steps.filter(({ event }) => event.type === "compared" && event.equal).length;
  assert.ok(sectors > 0);
  assert.equal(stored.at(-1)?.bytes, sectors * SECTOR);
  assert.deepEqual(timelineOf(run, []).phases, []);
});
