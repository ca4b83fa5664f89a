/** A failing case gets simpler and still breaks the same check. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { lineOf, parseCase } from "./search/case-line";
import type { Case } from "./search/case-line";
import type { MakeDevice } from "./simulation/device";
import { failureOf, minimise } from "./search/minimise";
import { withDevice, withFlash, withStore } from "./broken-device";

/** A device that loses its checkpoint with the power: one cut in the middle of a download shows it. */
const forgetful = (): MakeDevice =>
  withStore((store, { monitor }) => ({
    getNumber: (key) => (key === "off" && monitor.running.version === "0.1.0" ? undefined : store.getNumber(key)),
  }));
/** A device that fails in any case. */
const greedy = (): MakeDevice =>
  withFlash((flash) => ({
    write: (offset, bytes) => {
      if (offset === SECTOR) flash.erase(1);
      flash.write(offset, bytes);
    },
  }));

test("of three cuts the one that matters is left, in its simplest form", () => {
  const which = parseCase("alone.whole.job.70e700-9r5-40w3");
  const failure = failureOf(which, forgetful);
  assert.equal(failure?.check, "bytes fetched again");
  const shorter = minimise(which, 2_000, forgetful);
  assert.equal(shorter.cuts.length, 1, lineOf(shorter));
  assert.equal(shorter.cuts[0]!.fault.kind, "b", lineOf(shorter));
  assert.equal(failureOf(shorter, forgetful)?.check, failure.check);
  assert.ok(lineOf(shorter).length < lineOf(which).length);
  // No earlier point fails.
  const [{ at, fault }] = shorter.cuts as [Case["cuts"][number]];
  assert.notEqual(failureOf({ ...shorter, cuts: [{ at: at - 1, fault }] }, forgetful)?.check, failure.check);
});

test("a failure without a cut loses all cuts, the large image, the network fault and the whole agent", () => {
  const which = parseCase("good.whole.agent.40b-12a.twice1");
  // The broken device is the job alone in any case.
  const shorter = minimise(which, 500, greedy);
  assert.equal(lineOf(shorter), "good.small.job.-");
  assert.equal(failureOf(shorter, greedy)?.check, "sector erases");
});

test("a case that breaks no check is returned unchanged", () => {
  const which = parseCase("good.small.job.30b-12a");
  assert.equal(minimise(which), which);
});

test("no more cases are run than allowed", () => {
  const which = parseCase("alone.whole.job.70e700-9r5-40w3");
  let cases = 0;
  const counted = (): MakeDevice => {
    cases++;
    return forgetful();
  };
  minimise(which, 7, counted);
  assert.ok(cases <= 8, `${cases} cases were run`);
});

test("a simpler case that breaks another check is not taken", () => {
  const which = parseCase("alone.small.job.40b-0b");
  const wedged = withDevice(() => ({ step: () => false, answers: () => false }));
  /** Without a cut the new firmware is wedged; after one the download starts over. */
  const moody = (): MakeDevice => (surroundings) => {
    const { simulation, monitor } = surroundings;
    return (simulation.ledger.cuts === 0 && monitor.running.version !== "0.1.0" ? wedged : forgetful())(surroundings);
  };
  assert.equal(failureOf({ ...which, cuts: [] }, moody)?.check, "never wedged");
  const shorter = minimise(which, 500, moody);
  assert.equal(shorter.cuts.length, 1);
  assert.equal(failureOf(shorter, moody)?.check, "bytes fetched again");
});
