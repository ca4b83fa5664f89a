/** The examples build with mcconfig and update themselves. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BUILD, ROOT, build, warnings } from "./harness";
import { wholeUpdate } from "./whole-update";

for (const name of ["minimal", "external-mqtt"]) {
  test(`examples/${name}: a whole update`, async () => {
    const { path, output } = build(join(ROOT, "examples", name), BUILD);
    assert.deepEqual(warnings(output), []);
    await wholeUpdate(path, name);
  });
}

test("examples/battery: a whole update over several wakes", async () => {
  const { path, output } = build(join(ROOT, "examples", "battery"), BUILD);
  assert.deepEqual(warnings(output), []);
  const settings = { awake: 4, asleep: 1 };
  await wholeUpdate(path, "battery", { settings, throttle: 12_000, before: ["offer", "sleep", "resume", "sleep"] });
});

test("the minimal example has fewer than 40 lines", () => {
  const lines = readFileSync(join(ROOT, "examples", "minimal", "main.ts"), "utf8")
    .trimEnd()
    .split("\n");
  assert.ok(lines.length < 40, `${lines.length} lines`);
});
