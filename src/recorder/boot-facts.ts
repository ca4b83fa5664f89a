import type { BootFacts, JobOptions } from "../job/effects";
import { FACTS, POLICY, RULES, RUNNING, START_UP } from "./format";

const pick = <T extends object>(from: T, names: readonly string[]): unknown[] =>
  names.map((name) => (from as { readonly [name: string]: unknown })[name]);

/** What decides about a boot, beside the records of the store, in the order of docs/SPEC.md. */
export const bootFacts = (options: JobOptions, facts: BootFacts): unknown[] => [
  options.platform.name,
  pick(options.platform.rules, RULES),
  pick(options.policy, POLICY),
  options.policy.signingKeys.length,
  options.refusalOfSignature !== undefined,
  options.withoutAddress === true,
  pick(facts.running, RUNNING),
  pick(facts.startUp, START_UP),
  pick(facts, FACTS),
];
