/**
 * The `xs-ota` command in tests: as a process, as a person runs it, or in this process, which takes no second to start.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import type { Command } from "commander";
import { createProgram } from "../../host-sim/cli/program";

export const BIN = fileURLToPath(new URL("../../host-sim/bin/xs-ota.mjs", import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end, whatever that is. */
export function xsOta(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/**
 * A command that ends with an error or its help, in this process. What it writes itself, past the command line's own
 * messages, is not caught.
 */
export async function xsOtaError(...args: string[]): Promise<Ended> {
  return endOf(await createProgram(args[0]), args);
}

/** The same of any program. */
export async function endOf(program: Command, args: readonly string[]): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  for (const each of [program, ...program.commands])
    each
      .exitOverride()
      .configureOutput({ writeOut: (text) => void (stdout += text), writeErr: (text) => void (stderr += text) });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode, stdout, stderr };
    throw error;
  }
  return { code: 0, stdout, stderr };
}

/** A command that runs until it is told to end. */
export interface Running {
  /** The next line of stdout, parsed as JSON; undefined at its end. */
  line(): Promise<Record<string, unknown> | undefined>;
  /** Sends the signal, or waits for an end of its own. */
  end(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export function startXsOta(...args: string[]): Running {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line() {
      const { value, done } = await lines.next();
      return done === true ? undefined : (JSON.parse(value as string) as Record<string, unknown>);
    },
    async end(signal) {
      if (signal !== undefined) child.kill(signal);
      const [code] = (await closed) as [number | null];
      return { code, stderr };
    },
  };
}

/**
 * Each command line is refused by one line on stderr that matches, and exit code 1. The first one is tried as a process
 * as well.
 */
export async function refusesEach(rows: readonly (readonly [readonly string[], RegExp])[]): Promise<void> {
  assert.deepEqual(await xsOta(...rows[0]![0]), await xsOtaError(...rows[0]![0]));
  for (const [args, message] of rows) {
    const { code, stdout, stderr } = await xsOtaError(...args);
    assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
    assert.equal(stdout, "", args.join(" "));
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^\n]+\n(\(Did you mean [^\n]+\)\n)?$/, args.join(" "));
  }
}
