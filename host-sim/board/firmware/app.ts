/** What an app on the simulated board adds to the agent alone: faults, and the apps of tests. Types only. */
import type { Program } from "../../../hal/moddable/device";
import type { AgentOptions } from "../../../src/index";
import type { Clock } from "../../../src/ports";

export interface App {
  options?(clock: Clock): Partial<AgentOptions>;
  /** In place of constructing the agent and nothing else. */
  main?(agent: () => Program): Program | PromiseLike<Program>;
}
