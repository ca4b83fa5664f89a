/** `npm run hostile`: hostile clouds against many devices in the model. The last line is a one-line result. */
import { BOUND, runHostile } from "./hostile-run";
import { wholeBoard } from "./whole-board";

const USAGE = `npm run hostile -- [--devices N] [--seed S] [--board]   N devices (1000) with the seeds S (1), S + 1, ...
npm run hostile -- --replay SEED [--board]              one of them again

--board: on the whole model of the chip, which is slower`;

function number(args: readonly string[], name: string, fallback: number): number {
  const at = args.indexOf(name);
  const value = at < 0 ? fallback : Number(args[at + 1]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} needs a whole number above 0`);
  return value;
}

function main(args: readonly string[]): void {
  if (args.includes("--help")) return console.log(USAGE);
  const replay = args.includes("--replay");
  const first = replay ? number(args, "--replay", 1) : number(args, "--seed", 1);
  const devices = replay ? 1 : number(args, "--devices", 1000);
  const board = args.includes("--board");
  const begun = performance.now();
  const sum = { installs: 0, trials: 0, days: 0 };
  const most = { erases: 0, perDay: 0, minutes: 0 };
  let failed = 0;
  for (let seed = first; seed < first + devices; seed++) {
    const { complaints, switches, trials, erases, awakeDays, minutes } = runHostile(
      seed,
      board ? wholeBoard() : undefined,
    );
    sum.installs += switches;
    sum.trials += trials;
    sum.days += awakeDays;
    most.erases = Math.max(most.erases, erases);
    most.perDay = Math.max(most.perDay, erases / Math.max(1, Math.ceil(awakeDays)));
    most.minutes = Math.max(most.minutes, minutes);
    if (complaints.length === 0) continue;
    failed++;
    console.log(`${complaints.slice(0, 3).join("; ")}\n  npm run hostile -- --replay ${seed}`);
  }
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `hostile: ${devices} devices, ${failed} exceed a budget; ${sum.installs} installs, ${sum.trials} trials in ${sum.days.toFixed(0)} awake days, ` +
      `at most ${most.erases} erases of one sector, ${most.perDay.toFixed(0)} a day; the good image is in after ${most.minutes.toFixed(1)} of ${BOUND} min at most; seed ${first}, ${seconds.toFixed(0)} s`,
  );
  if (failed > 0) process.exitCode = 1;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
