/** The ESP32 port, TypeScript and C, in the SDK's own engine: what a chip runs, over fakes of ESP-IDF. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless, warnings } from "./harness";

test("the ESP32 port passes the suites of every implementation in the SDK's engine", async () => {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  try {
    const { path, output } = build(join(ROOT, "tests", "moddable", "esp32"), BUILD);
    assert.deepEqual(warnings(output), []);
    const run = new HeadlessRun(buildHeadless(BUILD), path, { XS_OTA_SIM: folder });
    await run.line(({ done }) => done === true);
    await run.cut();
    const cases = run.lines.filter(({ suite }) => suite !== undefined);
    assert.deepEqual(
      cases.filter(({ error }) => error !== undefined),
      [],
    );
    for (const suite of ["flash", "data partition", "store", "own"])
      assert.ok(
        cases.some((line) => line["suite"] === suite),
        suite,
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
