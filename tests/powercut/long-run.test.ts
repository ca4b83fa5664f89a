/** The long run can be stopped at any moment and continued, with the same result. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { longRun } from "./search/long-run";
import type { LongRun } from "./search/long-run";
import { longPiece } from "./search/plans";
import type { Work } from "./search/work";

const folder = mkdtempSync(join(tmpdir(), "xs-ota-long-run-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A tenth of a piece of the long run. */
const piece = (seed: number, number: number): Work => ({ ...longPiece(seed, number), count: 25 }) as Work;

const run = (file: string, cuts: number, fresh = false, seed = 5): Promise<LongRun> =>
  longRun({ seed, cuts, file: join(folder, file), fresh, processes: 0, piece, onProgress: () => undefined });

/** The progress in the file, without the time that it took. */
const without = (run: LongRun): unknown => JSON.parse(JSON.stringify({ ...run, seconds: 0 }));

test("a run that is stopped and continued has the result of an uninterrupted one, and repeats nothing", async () => {
  const inOne = await run("one.json", 400);
  assert.ok(inOne.tally.cuts >= 400 && inOne.next >= 2, `${inOne.tally.cuts} cuts`);
  assert.equal(inOne.tally.violations, 0);
  const first = await run("two.json", 1);
  assert.equal(first.next, 1);
  assert.deepEqual(without(JSON.parse(readFileSync(join(folder, "two.json"), "utf8")) as LongRun), without(first));
  assert.deepEqual(without(await run("two.json", 400)), without(inOne));
  assert.deepEqual(without(await run("two.json", 400)), without(inOne), "there was nothing left to do");
  const afresh = await run("two.json", 1, true);
  assert.equal(afresh.next, 1);
});

test("a piece depends on seed and number only, and pieces differ", () => {
  assert.deepEqual(longPiece(5, 17), longPiece(5, 17));
  const texts = new Set(Array.from({ length: 200 }, (_, index) => JSON.stringify(longPiece(5 + (index % 2), index))));
  assert.equal(texts.size, 200);
});

test("a file of something else or of another seed is refused with an error that says what to do", async () => {
  writeFileSync(join(folder, "bad.json"), "{");
  await assert.rejects(run("bad.json", 1), /bad\.json is not the state of a run \(--fresh begins anew\)/);
  writeFileSync(join(folder, "other.json"), JSON.stringify({ format: 3, seed: 6 }));
  await assert.rejects(run("other.json", 1), /is of another version or seed \(--fresh begins anew\)/);
});
