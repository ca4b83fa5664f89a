/**
 * Runs the commands of pages, each page in a folder of its own, and ends at the first that fails. `xs-ota` runs in this
 * process, which takes no second for each to start. The argument is JSON: [folder, lines][].
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createProgram } from "../../host-sim/cli/program";
import { endOf } from "../kit/xs-ota";
import { argumentsOf } from "./commands";

const write = process.stdout.write.bind(process.stdout);
let written = "";
process.stdout.write = (text: string | Uint8Array, ...more: unknown[]): boolean => {
  written += String(text);
  for (const each of more) if (typeof each === "function") (each as () => void)();
  return true;
};

async function run(line: string): Promise<void> {
  if (!line.startsWith("npx xs-ota ")) return void execFileSync("sh", ["-c", line], { stdio: "pipe" });
  const { args, out } = argumentsOf(line);
  written = "";
  const { code, stderr } = await endOf(await createProgram(args[0]), args);
  const status = code === 0 ? (process.exitCode ?? 0) : code;
  if (status !== 0) throw new Error(`${line}: exit code ${status}: ${stderr}${written}`);
  if (out !== undefined) writeFileSync(out, written);
}

let count = 0;
for (const [folder, lines] of JSON.parse(process.argv[2] ?? "[]") as [string, string[]][]) {
  process.chdir(folder);
  for (const line of lines) {
    await run(line);
    count++;
  }
}
write(`${count}\n`);
