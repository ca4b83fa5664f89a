/** Searches on one platform, of the whole agent: the long one, and the sample of `npm test`. */
import { hawkbitScenarios } from "../simulation/hawkbit-scenarios";
import { thingsboardScenarios } from "../simulation/thingsboard-scenarios";
import { SINGLES, agent, parts } from "./plans";
import type { PlanPhase } from "./plans";
import type { Work } from "./work";

export const FILES: readonly string[] = ["files", "staged"];
export const HAWKBIT: readonly string[] = Object.keys(hawkbitScenarios);
export const THINGSBOARD: readonly string[] = Object.keys(thingsboardScenarios);

/** Every cut, and sequences of two to five. */
export const cloudPlan = (scenarios: readonly string[]): PlanPhase[] =>
  scenarios.map((title) => {
    const setting = agent(title);
    const every = parts(6).map((part): Work => ({ kind: "exhaust", setting, densities: [SINGLES], part }));
    const sample = (depth: number): Work => ({ kind: "sample", setting, seed: depth, count: 250, depth });
    return { title, works: [...every, ...[2, 3, 4, 5].map(sample)] };
  });

/** Few cuts at every `stride`th point, and sequences of three. */
export const cloudSample = (scenarios: readonly string[], stride: number): Work[] =>
  scenarios.flatMap((scenario): Work[] => {
    const setting = agent(scenario);
    const densities = [{ positions: 1, small: 1, subsets: 1, unstable: 0 }];
    return [
      { kind: "exhaust", setting, densities, strides: [stride], part: { index: 0, of: 1 } },
      { kind: "sample", setting, seed: 1, count: 5, depth: 3 },
    ];
  });
