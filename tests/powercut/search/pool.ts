/** Runs pieces of work in one process for each core. The list of works may be endless. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { carryOut } from "./work";
import type { Work } from "./work";
import type { Tally } from "../checks/tally";

/** A list of pieces that is read in order. */
export interface Works {
  readonly length: number;
  at(index: number): Work | undefined;
}

export interface PoolOptions {
  /** Number of processes; 0: everything in this process. Default: one for each core. */
  readonly processes?: number;
  /** Called for each piece, in any order. `index`: of the piece in the list. */
  onDone(tally: Tally, index: number): void;
  /** True: no further piece is started. */
  enough?(): boolean;
}

/** Rejects if a worker dies; the others finish their current piece. */
export async function carryOutAll(
  works: Works,
  { processes = availableParallelism(), onDone, enough = () => false }: PoolOptions,
): Promise<void> {
  let next = 0;
  let broken = false;
  if (processes === 0) {
    for (; next < works.length && !enough(); next++) onDone(carryOut(works.at(next)!), next);
    return;
  }
  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(new URL("./worker.ts", import.meta.url)), { execArgv: ["--import", "tsx"] });
      let index = -1;
      const more = (): void => {
        if (next >= works.length || broken || enough()) {
          child.disconnect();
          return;
        }
        index = next++;
        child.send(works.at(index)!);
      };
      child.on("message", (tally: Tally) => {
        onDone(tally, index);
        more();
      });
      const fail = (error: Error): void => {
        broken = true;
        reject(error);
      };
      child.on("error", fail);
      child.on("exit", (code, signal) =>
        code === 0 ? resolve() : fail(new Error(`a worker ended with ${signal ?? `code ${code}`}`)),
      );
      more();
    });
  await Promise.all(Array.from({ length: Math.min(processes, works.length) }, worker));
}
