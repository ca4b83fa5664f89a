/**
 * The command line of `npm run powercut`: the power-cut search. Progress goes to stderr; the last line on stdout is the result. The exit
 * code is 1 where a check failed.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { orFail } from "../../host-sim/cli/errors";
import { lineOf, parseCase } from "./search/case-line";
import type { Case } from "./search/case-line";
import { CHECKS } from "./checks/ledger";
import { longRun } from "./search/long-run";
import { minimise } from "./search/minimise";
import { mutationRun, resultOf } from "./mutants/mutation-run";
import { commitPlan, containerPlan, sleepPlan, stockPlan } from "./search/plans";
import type { PlanPhase } from "./search/plans";
import { FILES, HAWKBIT, THINGSBOARD, cloudPlan } from "./search/cloud-plans";
import { carryOutAll } from "./search/pool";
import { ProgressLine } from "./search/progress-line";
import { writeReport } from "./report/report";
import { replay } from "./search/search";
import { add, emptyTally, lines } from "./checks/tally";
import type { Tally } from "./checks/tally";

const FOLDER = fileURLToPath(new URL("../../build/powercut/", import.meta.url));

/** Share of the mutants that must be noticed. */
const NOTICED_MIN = 0.95;

/** 10,200 cases. */
const SLEEP_SEEDS = 12;
const SLEEP_COUNT = 40;

interface Flags {
  readonly cuts?: number;
  readonly seed: number;
  readonly fresh?: boolean;
  readonly replay?: string;
  readonly minimise?: boolean;
  readonly report?: boolean;
  readonly pairs?: boolean;
  readonly sleeps?: boolean;
  readonly stock?: boolean;
  readonly containers?: boolean;
  readonly files?: boolean;
  readonly thingsboard?: boolean;
  readonly hawkbit?: boolean;
  readonly mutants?: boolean;
  readonly only?: string;
  readonly every: number;
  readonly left?: boolean;
  readonly jobs?: number;
}

export const createProgram = (): Command =>
  new Command("npm run powercut --")
    .description(
      "Cuts the power of a simulated board at every flash operation and message of whole updates, torn writes included. Checks the invariants at each " +
        "start and at the end (docs/POWERCUT.md). Without options: the search of npm test.",
    )
    .option(
      "--cuts <number>",
      "a long run with at least so many power cuts; continues where it was stopped",
      wholeNumber,
    )
    .option("--seed <number>", "seed of the long run", wholeNumber, 1)
    .option("--fresh", "start the long run of this seed from the beginning")
    .option("--replay <case>", "run one case, as a violation prints it")
    .option("--minimise", "with --replay: find a simpler case that breaks the same check")
    .option(
      "--pairs",
      "the search of npm test with every pair of cuts, and not a twelfth of them; with --containers all, and not a ninth",
    )
    .option("--sleeps", "only devices that sleep: 10,000 sequences of sleep and one to three cuts")
    .option("--stock", "the long search on a board whose bootloader has no rollback")
    .option("--containers", "the long search with containers")
    .option("--files", "the long search on the platform that is polled: plain files on a web server")
    .option("--thingsboard", "the long search on ThingsBoard: chunks over MQTT, and HTTP")
    .option("--hawkbit", "the same on hawkBit: actions that end, that are superseded, and that are cancelled")
    .option("--report", "draw every power cut of two scenarios: build/powercut/report.html")
    .option(
      "--mutants",
      "mutate the code in one place after the other and check that the search notices: build/powercut/mutants.json; takes hours",
    )
    .option("--only <text>", "with --mutants: only mutants whose file, place or change contains this")
    .option("--every <number>", "with --mutants: every n-th mutant", wholeNumber, 1)
    .option("--left", "with --mutants: only those that nothing noticed in the last run")
    .addOption(new Option("--jobs <number>", "number of processes; default: one for each core").argParser(wholeNumber))
    .action(orFail(run));

async function run(flags: Flags): Promise<void> {
  if (flags.replay !== undefined) return replayCase(parseCase(flags.replay), flags.minimise === true);
  if (flags.minimise === true) throw new Error("--minimise needs --replay");
  if (flags.report === true) return report();
  if (flags.mutants === true) return mutants(flags);
  if (flags.only !== undefined) throw new Error("--only needs --mutants");
  if (flags.cuts !== undefined) return long(flags, flags.cuts);
  return search(flags);
}

function replayCase(which: Case, shorter: boolean): void {
  const shown = shorter ? minimise(which) : which;
  let cycle = 0;
  const { fired, simulation } = replay(shown, ({ number, phase, operation, message }) => {
    if (number === 0) console.log(`start ${++cycle}`);
    const what =
      operation === undefined
        ? message
        : `${operation.kind} 0x${operation.address.toString(16)}, ${operation.length} bytes`;
    console.log(`  ${String(number).padStart(4)}  ${phase.padEnd(12)} ${what}`);
  });
  const { violations, excused, limit } = simulation.ledger;
  for (const { check, message } of violations)
    console.log(
      `${check} (${typeof CHECKS[check] === "number" ? `invariant ${CHECKS[check]}` : CHECKS[check]}): ${message}`,
    );
  for (const { check, message } of excused)
    console.log(`beyond what ESP-IDF protects (${limit}): ${check}: ${message}`);
  if (fired < shown.cuts.length) console.log(`only ${fired} of ${shown.cuts.length} cuts took place`);
  console.log(`powercut: ${lineOf(shown)}: ${violations.length === 0 ? "holds" : `breaks "${violations[0]!.check}"`}`);
  if (violations.length > 0) process.exitCode = 1;
}

const planOf = ({ pairs, sleeps, stock, containers, files, thingsboard, hawkbit }: Flags): PlanPhase[] => {
  if (containers === true) return containerPlan(pairs === true);
  if (files === true) return cloudPlan(FILES);
  if (thingsboard === true) return cloudPlan(THINGSBOARD);
  if (hawkbit === true) return cloudPlan(HAWKBIT);
  if (sleeps === true) return sleepPlan(SLEEP_SEEDS, SLEEP_COUNT);
  return stock === true ? stockPlan() : commitPlan(pairs === true ? "pairs" : "places");
};

async function search(flags: Flags): Promise<void> {
  const { jobs } = flags;
  const started = performance.now();
  const all = emptyTally();
  const progress = new ProgressLine();
  for (const { title, works } of planOf(flags)) {
    let done = 0;
    await carryOutAll(works, {
      ...(jobs === undefined ? {} : { processes: jobs }),
      onDone: (tally) => {
        add(all, tally);
        progress.show(`${title}: ${++done} of ${works.length}, ${all.cuts} cuts, ${all.violations} violations`);
      },
    });
  }
  progress.end();
  for (const line of lines(all)) console.log(line);
  conclude(all, (performance.now() - started) / 1000, "");
}

async function long({ seed, fresh, jobs }: Flags, cuts: number): Promise<void> {
  const progress = new ProgressLine();
  const run = await longRun({
    seed,
    cuts,
    fresh: fresh === true,
    file: join(FOLDER, `run-${seed}.json`),
    ...(jobs === undefined ? {} : { processes: jobs }),
    onProgress: ({ tally, seconds }) => {
      const rate = tally.cuts / Math.max(seconds, 1);
      const left = Math.max(0, cuts - tally.cuts) / Math.max(rate, 1);
      progress.show(
        `${tally.cuts} of ${cuts} cuts, ${tally.violations} violations, ${Math.round(rate)} a second, ${Math.ceil(left / 60)} min to go`,
      );
    },
  });
  progress.end();
  for (const line of lines(run.tally)) console.log(line);
  conclude(run.tally, run.seconds, `, seed ${seed}`);
}

function conclude(tally: Tally, seconds: number, more: string): void {
  if (tally.violations > 0) process.exitCode = 1;
  console.log(
    `powercut: ${tally.cuts} power cuts in ${tally.cases} cases, ${tally.violations} violations, worst ${tally.again.value} bytes fetched again${more}, ${seconds.toFixed(0)} s`,
  );
}

function report(): void {
  const progress = new ProgressLine();
  const { cases, violations, file } = writeReport(FOLDER, (text) => progress.show(text));
  progress.end();
  if (violations > 0) process.exitCode = 1;
  console.log(`powercut: ${cases} cuts drawn, ${violations} violations, ${file}`);
}

async function mutants({ only = "", every, left = false, jobs }: Flags): Promise<void> {
  const progress = new ProgressLine();
  const results = await mutationRun({
    folder: FOLDER,
    only,
    every,
    left,
    ...(jobs === undefined ? {} : { processes: jobs }),
    onProgress: (text) => progress.show(text),
  });
  progress.end();
  const { total, caught, bySearch, lines: table } = resultOf(results);
  for (const line of table) console.log(line);
  if (caught < total * NOTICED_MIN) process.exitCode = 1;
  console.log(
    `powercut: ${caught} of ${total} mutants noticed (${((100 * caught) / total).toFixed(1)} %), ${bySearch} of them by the search`,
  );
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number above 0.");
  return Number(text);
}
