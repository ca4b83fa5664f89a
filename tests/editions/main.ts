/**
 * `npm run editions`: updates between edition 1 and this one with every single power cut, then with pairs of cuts.
 * Progress on stderr; the last line on stdout is the result. Exit code 1 where a check was broken.
 */
import { ProgressLine } from "../powercut/search/progress-line";
import type { Branching } from "../powercut/search/search";
import { deviceOf } from "./edition-device";
import { SCENARIOS } from "./scenarios";
import { searchScenario } from "./search-editions";

const SINGLES: Branching = { densities: [{ positions: 4, small: 6, subsets: 2, unstable: 2 }] };
const SPARSE = { positions: 1, small: 2, subsets: 1, unstable: 0 };
const PAIRS: Branching = { densities: [SPARSE, SPARSE], strides: [3, 17] };

const started = performance.now();
const progress = new ProgressLine();
const violations: string[] = [];
let cuts = 0;
let cases = 0;
for (const branching of [SINGLES, PAIRS]) {
  for (const scenario of SCENARIOS) {
    progress.show(`${scenario.updates.name}: ${cases} cases, ${violations.length} violations`);
    const result = searchScenario(scenario, deviceOf(scenario), branching);
    cuts += result.cuts;
    cases += result.cases;
    violations.push(...result.violations);
  }
}
progress.end();
for (const line of violations.slice(0, 20)) console.log(line);
if (violations.length > 0) process.exitCode = 1;
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`editions: ${cuts} power cuts in ${cases} cases, ${violations.length} violations, ${seconds} s`);
