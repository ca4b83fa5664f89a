/**
 * The worker process of `@agoric/xsnap`: one XS machine behind two pipes that carry netstrings ("5:hello,").
 *
 * To the worker, on its descriptor 3: "e" + source evaluates, "?" + bytes calls
 * `globalThis.handleCommand(ArrayBuffer)`. From the worker, on its descriptor 4: "." + meter as JSON + \x01 + result
 * when the turn is over, "!" + text if it threw, and in between "?" + bytes for each `issueCommand(ArrayBuffer)`, which
 * waits for "/" + bytes (xsnap-native/xsnap/sources/xsnap-worker.c).
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { TurnMeter } from "./engine";
import { missingTools, workerFile } from "./xs-engine.mjs";
import { NetstringReader, netstring } from "./netstring";

/** Exit codes of the worker (ExitCode in xsnap-worker.c). */
export const WORKER_EXIT: Readonly<Record<number, string>> = {
  11: "out of memory",
  12: "stack overflow",
  15: "unhandled exception",
  16: "out of keys",
  17: "too many bytecodes in one turn",
};
export const TOO_MUCH_COMPUTATION = 17;

/** Bytecodes between two looks at the limit; looking at each costs a tenth of the speed. */
const METERING_INTERVAL = 1_000;

const QUERY = "?".charCodeAt(0);
const DONE = ".".charCodeAt(0);
const THROWN = "!".charCodeAt(0);
const REPLY = Uint8Array.of("/".charCodeAt(0));
const COMMAND = Uint8Array.of(QUERY);
const EVALUATE = Uint8Array.of("e".charCodeAt(0));

export interface WorkerOptions {
  /** Bytecodes in one turn after which the worker exits with `TOO_MUCH_COMPUTATION`. */
  readonly turnBytecodes: number;
  /** Bytes of address space; undefined: no limit. */
  readonly memory: number | undefined;
  /** Answers an `issueCommand`; undefined: not at all (the worker is about to be killed). */
  onCommand(request: Uint8Array): Uint8Array | undefined;
  onMeter(meter: TurnMeter): void;
  onThrown(message: string): void;
  /** `how`: the signal, or why it did not start; set where there is no code. */
  onExit(code: number | null, how: string | null): void;
  onOutput(line: string): void;
}

/** Path of the worker's executable. Throws one clear line when it was never built. */
export function workerPath(): string {
  const path = workerFile();
  if (!existsSync(path)) throw new Error(`the XS engine is not built: ${missingTools() ?? "run npm run prepare"}`);
  return path;
}

/** What runs a command with so many bytes of address space. */
const limited = (bytes: number): string[] => [
  "sh",
  "-c",
  'ulimit -v "$0" && exec "$@"',
  String(Math.floor(bytes / 1024)),
];

export class XsWorker {
  readonly #options: WorkerOptions;
  readonly #process: ChildProcess;
  readonly #toWorker: Writable;
  #silent = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const limits = ["-l", String(options.turnBytecodes), "-i", String(METERING_INTERVAL)];
    const command = [workerPath(), ...limits];
    if (options.memory !== undefined) command.unshift(...limited(options.memory));
    this.#process = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"] });
    const [, output, errors, toWorker, fromWorker] = this.#process.stdio as [
      null,
      Readable,
      Readable,
      Writable,
      Readable,
    ];
    this.#toWorker = toWorker;
    // The worker may be gone while something is on its way to it; its exit tells.
    toWorker.on("error", () => {});
    const reader = new NetstringReader((message) => this.#received(message));
    fromWorker.on("data", (chunk: Buffer) => reader.push(chunk));
    for (const stream of [output, errors])
      createInterface({ input: stream }).on("line", (line) => this.#silent || options.onOutput(line));
    this.#process.on("error", (error) => options.onExit(null, error.message));
    this.#process.on("close", (code, signal) => options.onExit(code, signal));
  }

  evaluate(source: string): void {
    this.#send(EVALUATE, Buffer.from(source));
  }

  command(message: Uint8Array): void {
    this.#send(COMMAND, message);
  }

  kill(): void {
    this.#silent = true;
    this.#process.kill("SIGKILL");
  }

  #send(prefix: Uint8Array, bytes: Uint8Array): void {
    this.#toWorker.write(netstring(prefix, bytes));
  }

  #received(message: Buffer): void {
    if (this.#silent) return;
    const body = message.subarray(1);
    switch (message[0]) {
      case QUERY: {
        const reply = this.#options.onCommand(body);
        if (reply !== undefined && !this.#silent) this.#send(REPLY, reply);
        return;
      }
      case DONE:
        return this.#options.onMeter(meterOf(body));
      case THROWN:
        return this.#options.onThrown(body.toString());
    }
  }
}

function meterOf(body: Buffer): TurnMeter {
  const { compute, currentHeapCount, allocate } = JSON.parse(body.toString("latin1", 0, body.indexOf(1))) as Record<
    string,
    number
  >;
  return { compute: compute ?? 0, heapSlots: currentHeapCount ?? 0, allocated: allocate ?? 0 };
}
