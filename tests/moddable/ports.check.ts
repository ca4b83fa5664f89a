/** The simulator's storage ports keep the contract on the engine that they are for. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "./harness";

test("flash, boot, expander and store of the simulated device pass the suites of every implementation", async () => {
  const device = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  try {
    const { path } = build(join(ROOT, "tests", "moddable", "contract"), BUILD);
    const run = new HeadlessRun(buildHeadless(BUILD), path, { XS_OTA_SIM: device });
    await run.line(({ done }) => done === true);
    await run.cut();
    const cases = run.lines.filter(({ suite }) => suite !== undefined);
    assert.deepEqual(
      cases.filter(({ error }) => error !== undefined),
      [],
    );
    for (const suite of ["flash", "boot", "expander", "store"])
      assert.ok(
        cases.some((line) => line["suite"] === suite),
        suite,
      );
  } finally {
    rmSync(device, { recursive: true });
  }
});
