/** The table of seconds by area that ends `npm test`. */
import { LANES, areaOf, areas, total } from "./test-files.mjs";

/**
 * `checks`: seconds of format, types and lint. `files`: [{ file, seconds }] of the processes of the test files, relative to the root. An
 * area's seconds are its share of the time that passed: its files' seconds divided by the files that run at the same
 * time.
 */
export function secondsByArea(checks, files) {
  const seconds = new Map([["checks", checks]]);
  for (const { file, seconds: own } of files) {
    const area = areaOf(file);
    seconds.set(area, (seconds.get(area) ?? 0) + own / LANES);
  }
  return seconds;
}

export function table(seconds) {
  const rows = [...seconds].sort(([a], [b]) => (a < b ? -1 : 1));
  const sum = rows.reduce((so, [, own]) => so + own, 0);
  const line = (name, own, budget) => `${name.padEnd(12)} ${own.toFixed(1).padStart(8)} ${String(budget).padStart(8)}`;
  const over = rows.filter(([name, own]) => own > (areas[name]?.seconds ?? Infinity));
  const lines = [
    `${"area".padEnd(12)} ${"seconds".padStart(8)} ${"budget".padStart(8)}`,
    ...rows.map(([name, own]) => line(name, own, areas[name]?.seconds ?? "none")),
    line("sum", sum, total),
  ];
  // Budgets hold on two idle cores: a slow or busy machine is no failure.
  if (over.length > 0) lines.push(`over budget: ${over.map(([name]) => name).join(", ")}`);
  if (sum > total) lines.push(`over budget: the sum, ${sum.toFixed(0)} s of ${total} s`);
  return lines.join("\n");
}
