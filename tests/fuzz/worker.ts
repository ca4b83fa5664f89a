/** Fuzzes in a thread of its own. It notes each input before it runs, so that the main thread can detect a hang. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { Fuzzer } from "./fuzzer";
import { INPUT_MAX } from "./mutate";
import { createTargets } from "./targets";

export interface WorkerData {
  readonly seed: number;
  readonly seconds: number;
  readonly inputs: number;
  /** [0] count of inputs, [1] target, [2] length; then the input. */
  readonly shared: SharedArrayBuffer;
}
export const SHARED_HEAD = 12;
export const SHARED_LENGTH = SHARED_HEAD + INPUT_MAX;

if (parentPort !== null) {
  const port = parentPort;
  const { seed, seconds, inputs, shared } = workerData as WorkerData;
  const numbers = new Int32Array(shared, 0, 3);
  const bytes = new Uint8Array(shared, SHARED_HEAD);
  const { targets, close } = createTargets();
  const fuzzer = new Fuzzer(targets, seed, {
    before: (target, input) => {
      numbers[1] = target;
      numbers[2] = input.length;
      bytes.set(input);
      Atomics.add(numbers, 0, 1);
    },
    finding: (finding) => port.postMessage({ finding }),
  });
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const end = Date.now() + seconds * 1000;
  // The corpus fills in the first part of the run, so the heap is compared after that.
  let before = 0;
  for (let round = 0; Date.now() < end && fuzzer.inputs < inputs; round++) {
    if (before === 0 && (round >= 20 * targets.length || Date.now() > end - (seconds * 1000) / 2)) before = heap();
    fuzzer.batch(round % targets.length);
    if (round % targets.length === 0)
      port.postMessage({
        progress: { inputs: fuzzer.inputs, covered: fuzzer.coverage.size, corpus: fuzzer.corpusSize },
      });
  }
  const after = heap();
  fuzzer.coverage.close();
  close();
  port.postMessage({
    result: {
      inputs: fuzzer.inputs,
      covered: fuzzer.coverage.size,
      corpus: fuzzer.corpusSize,
      targets: targets.length,
      heapBefore: before,
      heapAfter: after,
    },
  });
}
