import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { fileReason } from "../board/config/file-errors";
import { asTest } from "../replay/as-test";
import { compare } from "../replay/compare";
import { readRecording } from "../replay/read-recording";
import type { Recording } from "../replay/read-recording";
import { transcriptOf } from "../replay/transcript";
import { countArgument } from "./arguments";
import { orFail } from "./errors";

interface ReplayFlags {
  readonly until?: number;
  readonly explain?: boolean;
  readonly asTest?: boolean;
}

/** `xs-ota replay`. */
export function register(program: Command): void {
  program
    .command("replay")
    .summary("run a device's recording of a failed update again")
    .description(
      "Runs what a device recorded of a failed update again, and tells it: each input with its time, the state that it met " +
        "and what the job did. The last line is the cause in one sentence. Of two recordings it tells the first step where " +
        "they part. Takes the bytes of onDiagnostics, a file of a simulated board, or a log with the line that holds them " +
        "in base64.",
    )
    .argument("<file>", "a recording")
    .argument("[other]", "another one, to compare")
    .option("--until <n>", "the first n inputs only", countArgument)
    .option("--explain", "what the cause means, and what helps")
    .option("--as-test", "print a regression case for the test suite")
    .action(orFail(run));
}

function run(file: string, other: string | undefined, { until, explain, asTest: test }: ReplayFlags): void {
  const { recording, bytes } = read(file);
  if (other !== undefined) return write(compare(recording, read(other).recording));
  if (test === true) return void process.stdout.write(asTest(recording, bytes));
  write(transcriptOf(recording, { until, explain }));
}

const write = (lines: readonly string[]): void => void process.stdout.write(`${lines.join("\n")}\n`);

/** Throws one line. */
function read(path: string): { recording: Recording; bytes: Uint8Array } {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new Error(`${path} can not be read: ${fileReason(error)}`, { cause: error });
  }
  const told = fromText(bytes) ?? bytes;
  try {
    return { recording: readRecording(told), bytes: told };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The last recording in a log; "WFNS" is the base64 of its first bytes. */
function fromText(bytes: Uint8Array): Uint8Array | undefined {
  const found = Buffer.from(bytes)
    .toString("latin1")
    .match(/WFNS[A-Za-z0-9+/]+={0,2}/g);
  return found === null || (bytes[0] === 0x58 && bytes[1] === 0x53) ? undefined : Buffer.from(found.at(-1)!, "base64");
}
