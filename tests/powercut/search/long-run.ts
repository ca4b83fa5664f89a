/**
 * The long run: pieces of work from a seed until a number of power cuts is reached. A file keeps the progress, so that
 * a run can be stopped and continued.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { longPiece } from "./plans";
import { carryOutAll } from "./pool";
import type { Works } from "./pool";
import type { Tally } from "../checks/tally";
import { add, emptyTally } from "../checks/tally";

/** Version of the file's layout and of the pieces. A file of another version is not continued. */
const FORMAT = 4;

export interface LongRun {
  readonly format: number;
  readonly seed: number;
  /** The pieces below `next` are done, and those in `beyond`. */
  next: number;
  readonly beyond: number[];
  /** Of all sessions. */
  seconds: number;
  readonly tally: Tally;
}

export interface LongRunOptions {
  readonly seed: number;
  readonly cuts: number;
  /** Path of the file with the progress. */
  readonly file: string;
  readonly fresh: boolean;
  readonly processes?: number;
  /** The pieces of a seed. Default: `longPiece`. */
  readonly piece?: typeof longPiece;
  onProgress(run: LongRun): void;
}

/** Rejects with an Error of one line if the file can not be read or written. */
export async function longRun(options: LongRunOptions): Promise<LongRun> {
  const { seed, cuts, file, processes, piece = longPiece, onProgress } = options;
  if (options.fresh) rmSync(file, { force: true });
  const run = load(file, seed);
  const before = run.seconds;
  const started = performance.now();
  let candidate = run.next - 1;
  /** Numbers of the pieces of this session. */
  const begun: number[] = [];
  const works: Works = {
    length: Infinity,
    at: (index) => {
      do candidate++;
      while (run.beyond.includes(candidate));
      begun[index] = candidate;
      return piece(seed, candidate);
    },
  };
  onProgress(run);
  await carryOutAll(works, {
    ...(processes === undefined ? {} : { processes }),
    enough: () => run.tally.cuts >= cuts,
    onDone: (tally, index) => {
      add(run.tally, tally);
      run.beyond.push(begun[index]!);
      for (let at = run.beyond.indexOf(run.next); at >= 0; at = run.beyond.indexOf(run.next)) {
        run.beyond.splice(at, 1);
        run.next++;
      }
      run.seconds = before + (performance.now() - started) / 1000;
      save(file, run);
      onProgress(run);
    },
  });
  return run;
}

function load(file: string, seed: number): LongRun {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return { format: FORMAT, seed, next: 0, beyond: [], seconds: 0, tally: emptyTally() };
  }
  let found: Partial<LongRun>;
  try {
    found = JSON.parse(text) as Partial<LongRun>;
  } catch (error) {
    throw new Error(`${file} is not the state of a run (--fresh begins anew)`, { cause: error });
  }
  if (found.format !== FORMAT || found.seed !== seed)
    throw new Error(`${file} is of another version or seed (--fresh begins anew)`);
  return { ...(found as LongRun), tally: { ...emptyTally(), ...found.tally } };
}

/** Replaces the file atomically. */
function save(file: string, run: LongRun): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(run));
  renameSync(`${file}.new`, file);
}
