/** Every command of the guide is run: here, in an empty folder and in the order of its page, or by what a row names. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createProgram } from "../../host-sim/cli/program";
import { write } from "../doctor/apps";
import { boardWithDump } from "../kit/flash-dump";
import { temporaryFolder } from "../kit/folder";
import { endOf } from "../kit/xs-ota";
import { argumentsOf, callsOf, commandsOf } from "./commands";
import { ROOT, filesOf, guidePages, readDocument } from "./documents";
import { ELSEWHERE, elsewhere } from "./elsewhere";

/** What a page says that the reader has. */
const GIVEN: Readonly<Record<string, (folder: string) => void>> = {
  "2-own-app.md": (folder) => {
    write(join(folder, "my-app", "manifest.json"), {
      include: "$(MODDABLE)/examples/manifest_base.json",
      modules: { "*": ["./main"] },
    });
    write(join(folder, "my-app", "main.js"), 'trace("hello");\n');
  },
  "6-came-back.md": (folder) => writeFileSync(join(folder, "flash.bin"), boardWithDump().dump()),
};

/** What is there when a page was followed. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  "1-first-board.md": ["fw.bin", "bad.bin"],
  "2-own-app.md": ["my-app/ota/manifest.json"],
  "3-factory.md": ["batch1/line-7-0042.nvs.bin", "batch1/commands.txt"],
  "4-first-rollout.md": ["site/manifest.json", "update.xsu"],
  "7-security.md": ["pub.pem"],
};

test("every command of the guide that needs no SDK and no minutes does what its page says", async (t) => {
  const folder = temporaryFolder(t);
  const pages = guidePages().map((page): [string, string[]] => {
    const name = page.slice(page.lastIndexOf("/") + 1);
    const place = join(folder, name);
    mkdirSync(place);
    GIVEN[name]?.(place);
    const lines = commandsOf(page, readDocument(page)).map(({ line }) => line);
    return [place, lines.filter((line) => elsewhere(line) === undefined)];
  });
  const program = fileURLToPath(new URL("run-pages.ts", import.meta.url));
  const { MODDABLE: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program, JSON.stringify(pages)], {
    cwd: fileURLToPath(ROOT),
    env,
  });
  assert.ok(Number(stdout) >= 18, `${stdout.trim()} commands`);
  for (const [name, made] of Object.entries(MADE))
    for (const file of made) assert.ok(existsSync(join(folder, name, file)), `${name}: ${file}`);
  assert.equal(JSON.parse(readFileSync(join(folder, "4-first-rollout.md", "site/manifest.json"), "utf8")).percent, 100);
});

test("every other command of the guide is run by the file that its row names, and no row is left over", () => {
  const lines = guidePages().flatMap((page) => commandsOf(page, readDocument(page)).map(({ line }) => line));
  for (const row of ELSEWHERE) {
    assert.ok(
      lines.some((line) => elsewhere(line) === row),
      `${row.command.source} is in no page`,
    );
    assert.ok(readDocument(row.by).includes(row.says), `${row.by} no longer says ${row.says}`);
  }
});

test("every call of xs-ota in a document has arguments that the command takes", async () => {
  const calls = filesOf(/\.md$/).flatMap((name) => callsOf(name, readDocument(name)));
  assert.ok(calls.length > 40, `${calls.length} calls`);
  for (const { document, line } of calls) {
    const { args } = argumentsOf(line.replace(/ && .*/, ""));
    const program = await createProgram(args[0]);
    let taken = false;
    for (const each of program.commands) each.action(() => void (taken = true));
    const { stderr } = await endOf(program, args);
    assert.ok(taken, `${document}: ${line}: ${stderr}`);
  }
});
