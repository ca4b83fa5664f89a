/** The command started in somebody else's folder. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../kit/folder";
import { BIN, type Ended } from "../kit/xs-ota";

function runIn(cwd: string, command: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test("works in a folder with a blank and another program's tsconfig.json, also through a link", async (t) => {
  const folder = join(temporaryFolder(t), "my project ö");
  mkdirSync(folder);
  writeFileSync(join(folder, "tsconfig.json"), "{ broken");
  symlinkSync(BIN, join(folder, "xs-ota"));
  const image = await runIn(folder, process.execPath, "xs-ota", "image", "--version", "0.2.0", "--out", "a b.bin");
  assert.deepEqual([image.code, existsSync(join(folder, "a b.bin"))], [0, true], image.stderr);
  const flags = ["--devices", "1", "--processes", "1", "--ramp", "0", "--plot", "a b.svg"];
  const fleet = await runIn(folder, process.execPath, BIN, "fleet", ...flags);
  assert.deepEqual([fleet.code, existsSync(join(folder, "a b.svg"))], [0, true], fleet.stderr);
});

test("a folder that is gone is named as that", async (t) => {
  const folder = temporaryFolder(t);
  const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" --version';
  const { code, stderr } = await runIn(folder, "sh", "-c", script, process.execPath, BIN);
  assert.deepEqual([code, stderr], [1, "error: the current folder is gone\n"]);
});
