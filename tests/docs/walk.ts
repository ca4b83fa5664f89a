/**
 * `npm run test:long -- --only guide`: a walk through the guide, page by page, as a reader does it in a shell: everything
 * that needs no SDK and no chip. Only the ports of the cloud are others. Prints one line at the end.
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BIN } from "../kit/xs-ota";
import { commandsOf } from "./commands";
import { ROOT, guidePages, readDocument } from "./documents";
import { elsewhere } from "./elsewhere";

const here = fileURLToPath(ROOT);
const folder = mkdtempSync(join(tmpdir(), "xs-ota-guide-"));
const programs = join(folder, "bin");
mkdirSync(programs);
/** In the checkout `npx` finds the command, and npm the scripts; the walk's own files lie in a folder of their own. */
const stand = (name: string, script: string): void => {
  writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(programs, name), 0o755);
};
stand("npx", `shift; exec "${process.execPath}" "${BIN}" "$@"`);
const npm = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
stand("npm", `cd "${here}" && exec "${npm}" "$@"`);
const env = { ...process.env, PATH: `${programs}${delimiter}${process.env["PATH"]}` };

/** What only a reader with a chip, an SDK or a dump can run, and the installation, which is done. */
const LEFT =
  /^(npm ci$|mcconfig|mkdir -p ~|cp device\.json ~|esptool|cd |npx xs-ota (doctor|adopt|inspect flash|replay))/;

let count = 0;

async function run(line: string): Promise<void> {
  count++;
  process.stderr.write(`$ ${line}\n`);
  const background = line.startsWith("npx xs-ota cloud");
  const text = background ? line.replace(/( > \S+)?( &)?$/, " --memory --port 0 --mqtt-port 0$1") : line;
  const child = spawn("sh", ["-c", `exec ${text}`.replace(/^exec (\w+=|.*\|)/, "$1")], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  if (background) return void running.push({ line, child });
  for await (const said of createInterface({ input: child.stdout })) {
    // A board runs until it is told to end.
    if (line.startsWith("npx xs-ota device") && said.includes('"state":"done"')) child.kill("SIGKILL");
  }
  const code = await ended;
  // A bar of the bench that is missed, of which the page tells, is no mistake of the page.
  if (code === 1 && line.startsWith("npm run bench")) return;
  if (code !== 0 && !line.startsWith("npx xs-ota device")) throw new Error(`${line}: exit code ${code}`);
}

const running: { readonly line: string; readonly child: ChildProcess }[] = [];
try {
  for (const page of guidePages())
    for (const { line } of commandsOf(page, readDocument(page)))
      if (!LEFT.test(line) && (elsewhere(line) === undefined || elsewhere(line)!.by.startsWith("tests/")))
        await run(line);
  for (const { line, child } of running) if (child.exitCode !== null) throw new Error(`${line}: it ended`);
  console.log(`ok: ${count} commands of the guide`);
} finally {
  for (const { child } of running) child.kill();
  rmSync(folder, { recursive: true });
}
