import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../host-sim/bin/xs-ota.mjs", import.meta.url));

async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [command, "fleet", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

test("bad input is one clear line and exit code 1", async () => {
  const rows: [string[], RegExp][] = [
    [["--devices", "0"], /whole number from 1 to 10000/],
    [["--devices", "many"], /whole number/],
    [["--fail-share", "1.5"], /share from 0 to 1/],
    [["--waves", "50,20,100"], /rising percentages/],
    [["--failure-limit", "101"], /percentage from 0 to 100/],
    [["--cloud", "http://127.0.0.1:8080"], /belong together/],
    [["--cloud", "http://127.0.0.1:8080/x", "--token", "x"], /URL without a path/],
    [["--cloud", "http://127.0.0.1:8080", "--token", "/nowhere/at/all"], /can not be read/],
    [["--size", "100"], /this image has at least/],
  ];
  for (const [args, words] of rows) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, words);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: [^\n]*\n$/, args.join(" "));
  }
});
