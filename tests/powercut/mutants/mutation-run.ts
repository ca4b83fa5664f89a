/**
 * The mutation run: each mutant of the update's code is searched until a check fails. Mutants that nothing notices are
 * listed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { chosenMutants } from "./chosen-mutants";
import { EXPLAINED, withoutLine } from "./explained-mutants";
import { MutantProgram, ROOT } from "./mutant-program";
import { OPERATORS, mutantsOf } from "./mutants";
import type { Mutant, Operator } from "./mutants";
import { deepMutantPlan, mutantPlan } from "./mutant-plans";

/** The mutated files: job, records and boot, which decide when flash, records, boot choice and reports change. */
export const MUTATED = [
  ...[
    "boot",
    "boot-table",
    "codec",
    "commit",
    "context",
    "deciding",
    "download",
    "failures",
    "hash-pass",
    "job-codecs",
    "link-wait",
    "machine",
    "offers",
    "outcome",
    "pending",
    "report",
    "stored-job",
    "target",
    "trial",
    "verify",
  ].map((name) => `src/job/${name}.ts`),
  "src/agent/job-runner.ts",
  "src/store/ab-record-store.ts",
];

/**
 * What notices a mutant: two seconds of search; else the unit tests of the same code; else a longer search, which
 * counts as "search" too; else "nobody".
 */
export type Fate = "search" | "unit tests" | "nobody" | "does not compile";

export interface MutantResult {
  readonly name: string;
  readonly operator: Operator;
  readonly fate: Fate;
  /** The check or test that noticed. */
  readonly by: string;
}

export interface MutationOptions {
  /** Folder for bundles and for mutants.json, the result. */
  readonly folder: string;
  /** Only mutants whose name contains this. */
  readonly only?: string;
  /** Every n-th mutant. */
  readonly every?: number;
  /** Only mutants that nothing noticed in the last run; its other results are kept. */
  readonly left?: boolean;
  readonly processes?: number;
  onProgress(text: string): void;
}

export function allMutants(): Mutant[] {
  return [...chosenMutants(ROOT), ...MUTATED.flatMap((file) => mutantsOf(ROOT, file))];
}

/** Rejects if the unchanged code breaks a check. */
export async function mutationRun({
  folder,
  only = "",
  every = 1,
  left = false,
  processes = availableParallelism(),
  onProgress,
}: MutationOptions): Promise<readonly MutantResult[]> {
  mkdirSync(folder, { recursive: true });
  const results: MutantResult[] = left ? lastRun(folder).filter(({ fate }) => fate !== "nobody") : [];
  const known = new Set(results.map(({ name }) => name));
  const mutants = mixed(
    allMutants().filter(({ name }, index) => name.includes(only) && index % every === 0 && !known.has(name)),
  );
  if (mutants.length === 0 && results.length === 0)
    throw new Error(`no mutant's name contains ${JSON.stringify(only)}`);
  const all = mutants.length + results.length;
  const file = join(folder, "mutants.json");
  const counts = { search: 0, "unit tests": 0, nobody: 0, "does not compile": 0 };
  for (const { fate } of results) counts[fate]++;
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(processes, mutants.length) }, async (_, number) => {
      const program = new MutantProgram(join(folder, `mutant-${number}`));
      if (number === 0) {
        await program.load(undefined);
        const broken = await program.search(mutantPlan());
        if (broken !== undefined) throw new Error(`the code as it is breaks ${broken}`);
      }
      for (let mutant = mutants[next++]; mutant !== undefined; mutant = mutants[next++]) {
        const result = await tryMutant(program, mutant);
        results.push(result);
        counts[result.fate]++;
        writeFileSync(file, JSON.stringify(results, null, 1));
        onProgress(
          `${results.length} of ${all} mutants: ${counts.search} noticed by the search, ${counts["unit tests"]} by unit tests, ${counts.nobody} by nobody`,
        );
      }
    }),
  );
  return results;
}

/** A fixed order in which files and operators alternate, so that a run that was stopped has a sample of all. */
function mixed<T>(list: readonly T[]): T[] {
  const step = 389;
  return list.length % step === 0 ? [...list] : list.map((_, index) => list[(index * step) % list.length]!);
}

async function tryMutant(program: MutantProgram, mutant: Mutant): Promise<MutantResult> {
  const { name, operator } = mutant;
  await program.load(mutant);
  const soon = await program.search(mutantPlan());
  if (soon !== undefined) return { name, operator, fate: "search", by: soon };
  const mayNotCompile = operator.startsWith("guard");
  if (mayNotCompile && !(await program.compiles())) return { name, operator, fate: "does not compile", by: "" };
  const test = await program.unitTests();
  if (test !== undefined) return { name, operator, fate: "unit tests", by: test };
  const late = await program.search(deepMutantPlan());
  if (late !== undefined) return { name, operator, fate: "search", by: late };
  return { name, operator, fate: "nobody", by: EXPLAINED.get(withoutLine(name)) ?? "" };
}

function lastRun(folder: string): readonly MutantResult[] {
  return JSON.parse(readFileSync(join(folder, "mutants.json"), "utf8")) as MutantResult[];
}

export interface MutationResult {
  /** Mutants that compile. */
  readonly total: number;
  readonly caught: number;
  readonly bySearch: number;
  /** The table, and the mutants that nothing notices. */
  readonly lines: readonly string[];
}

export function resultOf(results: readonly MutantResult[]): MutationResult {
  const counted = results.filter(({ fate }) => fate !== "does not compile");
  const by = (fate: Fate, operator?: Operator): number =>
    counted.filter((each) => each.fate === fate && (operator === undefined || each.operator === operator)).length;
  const row = (operator: Operator): string => {
    const cells = [by("search", operator), by("unit tests", operator), by("nobody", operator)];
    return `${operator.padEnd(16)} ${[cells.reduce((sum, each) => sum + each, 0), ...cells].map((each) => String(each).padStart(8)).join("")}`;
  };
  const checks = new Map<string, number>();
  for (const { fate, by: found } of counted) {
    if (fate !== "search") continue;
    const check = found.replace(/ \(.*$/, "");
    checks.set(check, (checks.get(check) ?? 0) + 1);
  }
  return {
    total: counted.length,
    caught: counted.length - by("nobody"),
    bySearch: by("search"),
    lines: [
      `${"operator".padEnd(16)} ${["mutants", "search", "tests", "nobody"].map((each) => each.padStart(8)).join("")}`,
      ...(Object.keys(OPERATORS) as Operator[])
        .filter((operator) => counted.some((each) => each.operator === operator))
        .map(row),
      `first failed checks: ${[...checks]
        .sort(([, one], [, other]) => other - one)
        .map(([check, count]) => `${check} ${count}`)
        .join(", ")}`,
      ...counted
        .filter(({ fate }) => fate === "nobody")
        .map(({ name, by: why }) => `  left  ${name}${why === "" ? "" : `\n        ${why}`}`),
    ],
  };
}
