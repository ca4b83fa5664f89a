/** The cause that a recording tells is the one that was injected, on lines that break and under power cuts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../host-sim/replay/explain";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { timelineOf } from "../../host-sim/replay/timeline";
import { causeOf } from "../../host-sim/replay/transcript";
import { SECTOR } from "../../src/constants";
import { runInjected } from "./injected-run";
import { ALIKE, INJECTIONS } from "./injections";
import { judge, newTally } from "./recorded-runs";

/** Each cause once; `npm run test:long` takes 10,000 runs. */
const RUNS = Number(process.env["XS_OTA_INJECTED"] ?? INJECTIONS.length);

test("what is told of a failure is the cause that was injected, and the recording replays to it", (context) => {
  const tally = newTally();
  const otherwise: string[] = [];
  let cuts = 0;
  for (let seed = 0; seed < RUNS; seed++) {
    const { does, told, wrong } = INJECTIONS[seed % INJECTIONS.length]!;
    const result = runInjected(wrong, seed + 1);
    cuts += result.cuts;
    assert.ok(result.start !== undefined, `seed ${seed + 1}: ${does}: the update fails`);
    judge(result.start, `seed ${seed + 1}: ${does}`, tally);
    const recording = readRecording(result.start.recording);
    const { name } = explain(recording.run);
    if (name !== told) otherwise.push(`seed ${seed + 1}: ${does}: ${name}, not ${told}: ${causeOf(recording)}`);
  }
  context.diagnostic(
    `${RUNS} failures with ${cuts} power cuts: ${RUNS - otherwise.length} causes told as injected, ` +
      `${tally.identical} recordings identical, ${tally.incomplete} incomplete, the longest has ${tally.longest} bytes`,
  );
  assert.deepEqual(otherwise, []);
  assert.deepEqual(tally.wrong, []);
  assert.deepEqual([...tally.doubts], []);
  assert.equal(tally.failures, RUNS);
});

test("causes that are told alike have their reason, and no others", () => {
  const names = INJECTIONS.map(({ told }) => told);
  const alike = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  assert.deepEqual([...alike].sort(), Object.keys(ALIKE).sort());
});

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
