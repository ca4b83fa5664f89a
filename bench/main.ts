/**
 * `npm run bench`: measures the agent and other ways to download firmware, prints the tables, and draws the plots into
 * build/bench/. Counts are the same on every machine; so are times, which a virtual clock gives.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bars, holds, ours } from "./bars";
import { LINES } from "./measure/lines";
import { fetchers } from "./measure/fetchers";
import { budgetFor } from "./measure/budget";
import { count, countsOf } from "./measure/counts";
import { slowFlash } from "./measure/flash-times";
import { leastHeaps } from "./measure/least-heap";
import { measureRecorder, recorderTable } from "./measure/recorder";
import { receiveWindows } from "./measure/receive-windows";
import { powerCuts, weakLink } from "./measure/weak-link";
import { idleTable, measureIdle } from "./measure/idle";
import { countHandshakes, firstByteSection } from "./measure/first-byte";
import { measureWakes, wakeBars, wakesSection } from "./measure/wakes";
import { measureAgent, measureParts } from "./measure/work";
import { between } from "./output/document";
import { comparisonPlot, linesPlot, sections } from "./report";
import type { Results } from "./report";
import { flashFloor } from "./simulation/device";
import { runUpdate } from "./simulation/update";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HELP = `usage: npm run bench [-- options]

Measures the agent: work on XS, heap, flash by three tables of times, network, and time over weak links on a virtual clock, in four receive
windows, against the strategies one would use instead and against streams of one request. Tables on stdout (the first has what is promised),
plots and numbers in build/bench/. The last line is the result. docs/MODEL.md says what the model is. Exit status 1: a bar is missed.

  --quick      smaller image, fewer seeds: some seconds
  --wakes      only a battery device: awake time, and what a wake costs before the first byte
  --recorder   only the recorder: an update with and without it
  --idle       only a day of an idle device, on each platform
  --seed N     first seed of the line's breaks (default 1)
  --budget     writes bench/budget.json from what is counted now, and nothing else
  --docs       also writes docs/bench.svg, the tables of docs/BENCH.md and that of docs/guide/8-numbers.md
  --help
`;

interface Arguments {
  readonly quick: boolean;
  readonly docs: boolean;
  readonly budget: boolean;
  readonly wakes: boolean;
  readonly idle: boolean;
  readonly recorder: boolean;
  readonly seed: number;
}

function readArguments(words: readonly string[]): Arguments | string {
  let [quick, docs, budget, wakes, idle, recorder, seed] = [false, false, false, false, false, false, 1];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--quick") quick = true;
    else if (word === "--docs") docs = true;
    else if (word === "--budget") budget = true;
    else if (word === "--wakes") wakes = true;
    else if (word === "--idle") idle = true;
    else if (word === "--recorder") recorder = true;
    else if (word === "--seed" && /^\d{1,9}$/.test(words[at + 1] ?? "")) seed = Number(words[++at]);
    else return `bench: ${JSON.stringify(word)} is not understood; see --help`;
  }
  return { quick, docs, budget, wakes, idle, recorder, seed };
}

async function measure({ quick, seed }: Arguments): Promise<Results> {
  const size = quick ? 1 << 19 : 1 << 20;
  const seeds = Array.from({ length: quick ? 2 : 5 }, (_, index) => seed + index);
  const floor = flashFloor(size);
  const say = (what: string): void => void process.stderr.write(`bench: ${what}\n`);
  say("work on XS");
  const parts = await measureParts();
  const work = await measureAgent(quick ? 100_000 : 200_000, quick ? 5 : 20);
  say("flash, NVS and network of an update");
  const update = runUpdate({ size, line: LINES[1]!, seed });
  const updates = quick ? 4 : 10;
  const wear = {
    updates,
    flash: runUpdate({ size, line: { rate: 1 << 20, latency: 5 }, seed, updates }).flash,
  };
  say("weak links");
  const weak = weakLink(size, seeds, floor);
  say("power cuts");
  const cuts = powerCuts(size, seeds.slice(0, 2), floor);
  say("receive windows and slower flash");
  const windows = receiveWindows(size, seeds);
  const slow = slowFlash(size);
  const fetched = await fetchers(size);
  const leastHeap = leastHeaps();
  say("wakes of a battery device");
  const wakes = measureWakes();
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}, XS of @agoric/xsnap ${dependency("@agoric/xsnap")}`;
  return {
    size,
    floor,
    seeds,
    counts: countsOf(parts, size / update.requests),
    work,
    update,
    wear,
    weak,
    cuts,
    windows,
    slowFlash: slow,
    leastHeap,
    fetchers: fetched,
    wakes,
    handshakes: await countHandshakes(),
    machine,
    bars: [...bars({ size, update, work, weak, cuts, windows, leastHeap }), ...wakeBars(wakes)],
  };
}

function dependency(name: string): string {
  return (
    (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies: Record<string, string> })
      .dependencies[name] ?? "?"
  );
}

function write(results: Results, text: string, docs: boolean): void {
  const folder = join(ROOT, "build", "bench");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "weak-link.svg"), comparisonPlot(results));
  writeFileSync(join(folder, "lines.svg"), linesPlot(results));
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  if (!docs) return;
  writeFileSync(join(ROOT, "docs", "bench.svg"), comparisonPlot(results));
  between(join(ROOT, "docs", "BENCH.md"), "bench", text);
  between(join(ROOT, "docs", "guide", "8-numbers.md"), "bench", `\n${sections(results)[1]!.body}\n`);
}

const words = process.argv.slice(2);
const read = words.includes("--help") ? undefined : readArguments(words);
if (read === undefined) process.stdout.write(HELP);
else if (typeof read === "string") {
  process.stderr.write(`${read}\n`);
  process.exitCode = 2;
} else if (read.budget) {
  const budget = budgetFor(await count());
  writeFileSync(join(ROOT, "bench", "budget.json"), `${JSON.stringify(budget, undefined, 2)}\n`);
  console.log(`ok: ${Object.keys(budget).length} counts in bench/budget.json`);
} else if (read.idle) {
  const rows = await measureIdle();
  process.stdout.write(`${await idleTable(rows)}\n\n`);
  console.log(`ok: ${rows.length} idle days`);
} else if (read.recorder) {
  const rows = await measureRecorder();
  process.stdout.write(`${recorderTable(rows)}\n\n`);
  console.log(`ok: ${rows.length} counts`);
} else if (read.wakes) {
  const wakes = measureWakes();
  const tables = [wakesSection(wakes), firstByteSection(wakes, await countHandshakes())];
  for (const { title, note, body } of tables) process.stdout.write(`## ${title}\n\n${note}\n\n${body}\n\n`);
  const missed = wakeBars(wakes).filter((bar) => !holds(bar));
  console.log(
    `${missed.length === 0 ? "ok" : "missed"}: ${wakeBars(wakes)
      .map(({ what, text }) => `${what} ${text}`)
      .join(", ")}`,
  );
  if (missed.length > 0) process.exitCode = 1;
} else {
  const started = performance.now();
  const results = await measure(read);
  const about = `Machine: ${results.machine}. Image ${results.size.toLocaleString("en-US")} bytes, seeds ${results.seeds.join(", ")}.`;
  const text = [
    about,
    ...sections(results).map(({ title, note, body }) => `## ${title}\n${note === "" ? "" : `\n${note}\n`}\n${body}`),
  ].join("\n\n");
  write(results, text, read.docs);
  process.stdout.write(`${text}\n\n`);
  const missed = results.bars.filter((bar) => !holds(bar));
  const slow = results.weak[0]!;
  console.log(
    `${missed.length === 0 ? "ok" : `missed ${missed.length} of ${results.bars.length} bars (${missed.map(({ what }) => what).join("; ")})`}: ` +
      `${Math.round(results.work.bytecodes.downloading / results.work.kibibytes)} bytecodes/KiB, flash ${(results.update.flash.milliseconds / results.floor).toFixed(3)} x floor, ` +
      `weak link ${ours(slow.steady).ratio.toFixed(3)} x ideal, ${ours(slow.resets).ratio.toFixed(3)} x with breaks, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  if (missed.length > 0) process.exitCode = 1;
}
