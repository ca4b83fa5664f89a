/** What is searched for each mutant. */
import { ALL, MAIN, NETWORK, PAIRS, SPARED, agent, networkSettings, small, whole } from "../search/plans";
import type { Work } from "../search/work";
import { SCENARIO_NAMES } from "../simulation/scenarios";

/** The search for a mutant: two seconds, less where a check fails early. */
export function mutantPlan(): Work[] {
  return [
    { kind: "lines", lines: SCENARIO_NAMES.map((scenario) => `${scenario}.small.job.-`) },
    {
      kind: "lines",
      lines: ["good", "unhealthy", "panel", "panel1", "supersede"].map((scenario) => `${scenario}.small.agent.-`),
    },
    // What breaks the erasing of whole blocks in every life needs no search of each cut below.
    { kind: "lines", lines: ["good.whole.job.-"] },
    ...SCENARIO_NAMES.map((scenario, index): Work => ({
      kind: "sample",
      setting: small(scenario),
      seed: index,
      count: 12,
      depth: 2,
    })),
    // Small images have no whole block to erase; a block is erased ahead once.
    { kind: "exhaust", setting: whole("good"), densities: [PAIRS], part: ALL },
    { kind: "sample", setting: whole("delta"), seed: 1, count: 8, depth: 1 },
    { kind: "lines", lines: networkSettings(NETWORK, ["good"]).map(({ network }) => `good.small.agent.-.${network}`) },
    { kind: "exhaust", setting: small("good"), densities: [SPARED], part: ALL },
    { kind: "wear", setting: small("good"), seeds: 1, stride: 3 },
  ];
}

/** The longer search for mutants that neither `mutantPlan` nor the unit tests notice. */
export function deepMutantPlan(): Work[] {
  return [
    ...SCENARIO_NAMES.map((scenario): Work => ({
      kind: "exhaust",
      setting: small(scenario),
      densities: [SPARED],
      strides: [2],
      part: ALL,
    })),
    ...MAIN.map((scenario, index): Work => ({
      kind: "sample",
      setting: whole(scenario),
      seed: 100 + index,
      count: 40,
      depth: 3,
    })),
    ...["good", "unhealthy", "panel1"].map((scenario, index): Work => ({
      kind: "sample",
      setting: agent(scenario),
      seed: index,
      count: 20,
      depth: 2,
    })),
  ];
}
