/**
 * `npm run fuzz`: coverage-guided fuzzing of every parser. A finding is written to tests/fuzz/regressions, where `npm
 * test` finds it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Command, InvalidArgumentError } from "commander";
import type { Finding } from "./fuzzer";
import { createTargets } from "./targets";
import { SHARED_HEAD, SHARED_LENGTH } from "./worker";

/** Milliseconds after which an input counts as a hang. */
const HANG = 10_000;
const REGRESSIONS = new URL("./regressions/", import.meta.url);

interface Result {
  readonly inputs: number;
  readonly covered: number;
  readonly corpus: number;
  readonly targets: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
}

const whole = (value: string): number => {
  if (!/^[0-9]{1,9}$/.test(value)) throw new InvalidArgumentError("A whole number is expected.");
  return Number(value);
};
const options = new Command("fuzz")
  .description("Fuzzes every parser that reads what others send. Exit code 1 when one crashed or hung.")
  .option("--seconds <n>", "how long", whole, 60)
  .option("--inputs <n>", "stop after so many inputs", whole, 999_999_999)
  .option("--seed <n>", "the same seed, the same inputs", whole, 1)
  .parse()
  .opts<{ seconds: number; inputs: number; seed: number }>();

const names = createTargetNames();
const shared = new SharedArrayBuffer(SHARED_LENGTH);
const numbers = new Int32Array(shared, 0, 3);
let findings = 0;

function createTargetNames(): string[] {
  const { targets, close } = createTargets();
  close();
  return targets.map(({ name }) => name);
}

function keep({ target, input, error }: Finding): void {
  findings++;
  const name = `${target.replaceAll(/[^a-zA-Z0-9]+/g, "-")}-${createHash("sha256").update(input).digest("hex").slice(0, 8)}.bin`;
  mkdirSync(REGRESSIONS, { recursive: true });
  writeFileSync(new URL(name, REGRESSIONS), input);
  process.stderr.write(`\n${target}: ${error}\n  input kept: ${fileURLToPath(new URL(name, REGRESSIONS))}\n`);
}

const worker = new Worker(new URL("./worker-entry.mjs", import.meta.url), {
  workerData: { ...options, shared },
  execArgv: [],
});
let seen = -1;
const watch = setInterval(() => {
  if (numbers[0] === seen) {
    const input = new Uint8Array(shared, SHARED_HEAD, numbers[2]).slice();
    keep({ target: names[numbers[1] ?? 0] ?? "?", input, error: `hangs: more than ${HANG / 1000} s` });
    void worker.terminate();
  }
  seen = numbers[0] ?? 0;
}, HANG);

let result: Result | undefined;
worker.on(
  "message",
  (message: { finding?: Finding; progress?: { inputs: number; covered: number; corpus: number }; result?: Result }) => {
    if (message.finding !== undefined) keep(message.finding);
    if (message.progress !== undefined && process.stderr.isTTY) {
      const { inputs, covered, corpus } = message.progress;
      process.stderr.write(
        `\r${inputs} inputs, ${covered} characters of code reached, ${corpus} kept, ${findings} findings `,
      );
    }
    result = message.result ?? result;
  },
);
worker.on("error", (error) => process.stderr.write(`error: ${error.message}\n`));
worker.on("exit", () => {
  clearInterval(watch);
  if (result === undefined) {
    process.stdout.write(`failed: ended after ${numbers[0]} inputs, ${findings} findings\n`);
    process.exitCode = 1;
    return;
  }
  const growth = (result.heapAfter - result.heapBefore) / 1024;
  process.stdout.write(
    `${findings === 0 ? "ok" : "failed"}: ${result.inputs} inputs for ${result.targets} parsers, seed ${options.seed}, ${result.covered} characters of code reached, ` +
      `${result.corpus} inputs kept, heap ${growth >= 0 ? "+" : ""}${growth.toFixed(0)} KiB, ${findings} crashes or hangs\n`,
  );
  process.exitCode = findings === 0 ? 0 : 1;
});
