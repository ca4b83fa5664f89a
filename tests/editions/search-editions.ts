/** The power-cut search over the updates between editions. */
import { exhaustFrom } from "../powercut/search/search";
import type { Branching } from "../powercut/search/search";
import { BootCycle } from "../powercut/simulation/boot-cycle";
import type { MakeDevice } from "../powercut/simulation/device";
import { begin } from "./edition-device";
import type { EditionScenario } from "./scenarios";

export interface EditionsResult {
  /** Power cuts in all cases. */
  cuts: number;
  cases: number;
  /** One line for each case that breaks a check. */
  readonly violations: string[];
}

/** Runs a scenario without a cut, then with the cuts of `branching`. */
export function searchScenario(scenario: EditionScenario, make: MakeDevice, branching: Branching): EditionsResult {
  const result: EditionsResult = { cuts: 0, cases: 0, violations: [] };
  const { name } = scenario.updates;
  const whole = begin(scenario);
  new BootCycle(whole, make).run();
  for (const { check, message } of whole.ledger.violations)
    result.violations.push(`${name}, no cut: ${check}: ${message}`);
  exhaustFrom(begin(scenario), make, branching, ({ cuts, simulation }) => {
    result.cases++;
    result.cuts += cuts.length;
    const [violation] = simulation.ledger.violations;
    if (violation === undefined) return;
    const where = cuts.map(({ at, fault: { kind, value } }) => `${at}${kind}${value}`).join("-");
    result.violations.push(`${name}, ${where}: ${violation.check}: ${violation.message}`);
  });
  return result;
}
