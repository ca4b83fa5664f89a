/** The report of the power-cut search: its counts are right and every case is in it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseCase } from "./search/case-line";
import { writeReport } from "./report/report";
import type { ReportSearch } from "./report/report";
import { reportDrawing, reportPage } from "./report/report-page";
import { searchPanel } from "./report/report-panel";
import type { Dot, Panel } from "./report/report-panel";
import { exhaust } from "./search/search";

const SMALL: ReportSearch = {
  settings: [{ scenario: "good", scale: "small", device: "job", network: "" }],
  density: { positions: 1, small: 1, subsets: 0, unstable: 0 },
};

/** Marks are the zero-length strokes of the plots' paths. */
const marksIn = (drawing: string): number => drawing.match(/h0/g)?.length ?? 0;
const bytes = (value: number): string => value.toLocaleString("en");

function panelOf(dots: readonly Partial<Dot>[]): Panel {
  const whole = dots.map((dot, at): Dot => ({
    at,
    within: 0.5,
    kind: "b",
    phase: "downloading",
    again: 0,
    back: 4,
    line: `good.small.job.${at}b`,
    ...dot,
  }));
  return {
    title: "good",
    about: "a good update",
    points: dots.length,
    bands: [{ phase: "downloading", from: 0, to: dots.length }],
    dots: whole,
    bound: 20_480,
    worstAgain: whole[0],
    worstBack: whole[0],
  };
}

test("the report of a small scenario has its counts, a mark for each case in both plots, the bound and the worst case, and loads nothing", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-report-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let expected = 0;
  exhaust(SMALL.settings[0]!, { densities: [SMALL.density] }, () => expected++);
  const words: string[] = [];
  const { cases, violations, file } = writeReport(join(folder, "made"), (text) => words.push(text), SMALL);
  assert.ok(expected > 100);
  assert.deepEqual([cases, violations], [expected, 0]);
  assert.ok(words.length > 0);
  const page = readFileSync(file, "utf8");
  assert.equal(marksIn(page), 2 * cases);
  assert.ok(page.includes(`<b>${bytes(cases)}</b><span>power cuts</span>`));
  assert.ok(page.includes("<b>0</b><span>violations</span>"));
  assert.ok(page.includes("bound 20,480 B"));
  const line = /--replay (good\.small\.job\.\S+?)</.exec(page)?.[1];
  assert.equal(parseCase(line ?? "").scenario, "good");
  assert.ok(!/(?:src|href)=|url\(|<script|@import/.test(page));
  const drawing = readFileSync(join(folder, "made", "powercut.svg"), "utf8");
  assert.ok(drawing.length < 150_000);
  assert.ok(marksIn(drawing) > 0 && marksIn(drawing) < marksIn(page));
});

test("a panel has the result of each case, its phases in order, and counts by kind that add up", () => {
  const { dots, bands, points } = searchPanel(SMALL.settings[0]!, SMALL.density, () => undefined);
  assert.deepEqual(
    bands.map(({ from }) => from),
    [0, ...bands.slice(0, -1).map(({ to }) => to)],
  );
  assert.equal(bands.at(-1)!.to, points);
  for (const dot of dots) {
    const [cut] = parseCase(dot.line).cuts;
    assert.deepEqual([cut?.at, cut?.fault.kind], [dot.at, dot.kind]);
    assert.equal(bands.find(({ from, to }) => dot.at >= from && dot.at < to)?.phase, dot.phase, dot.line);
    assert.ok(dot.within > 0 && dot.within < 1);
  }
  const before = dots.filter(({ kind }) => kind === "b");
  assert.equal(before.length, points);
  assert.ok(dots.some(({ again }) => again > 0) && dots.every(({ back }) => back !== undefined && back > 0));
});

test("a violation is a red mark with its case line in the plot and in a list, and its text is escaped", () => {
  const panel = panelOf([
    {},
    { violation: 'checkpoint true: <b>"1" & 2', line: "good.small.job.1b" },
    { limit: "weak mark" },
  ]);
  const page = reportPage([panel]);
  assert.equal(page.match(/<g class="violation">/g)?.length, 1);
  assert.ok(page.includes("npm run powercut -- --replay good.small.job.1b"));
  assert.ok(!page.includes("<b>&#34;1") && !page.includes('<b>"1"'));
  assert.ok(page.includes('<li class="bad"><b>1</b><span>violations</span></li>'));
  assert.ok(page.includes("weak bits in the marks of an NVS page: 1 cut."));
  assert.equal(reportDrawing([panel]).match(/<g class="violation">/g)?.length, 1);
});

test("a cut after which the device never connected again has no recovery time and is drawn in the upper plot", () => {
  const page = reportPage([panelOf([{}, { back: undefined }])]);
  assert.equal(marksIn(page), 2 + 1);
  assert.ok(page.includes("<b>1</b><span>cuts without a dot in the lower plot"));
});
