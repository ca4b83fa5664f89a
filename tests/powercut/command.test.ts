/** `npm run powercut`: its help, a replay, and the errors of bad flags. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { endOf } from "../kit/xs-ota";
import { createProgram } from "./program";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function powercut(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["--import", "tsx", "tests/powercut/command.ts", ...flags], {
    cwd: ROOT,
    encoding: "utf8",
  });
}

/** The same in this process, which takes no second to start. */
const ended = (...flags: string[]): ReturnType<typeof endOf> => endOf(createProgram(), flags);

test("--help lists every flag", async () => {
  const { code, stdout } = await ended("--help");
  assert.equal(code, 0);
  for (const flag of [
    "--cuts",
    "--seed",
    "--fresh",
    "--replay",
    "--minimise",
    "--report",
    "--mutants",
    "--only",
    "--every",
    "--jobs",
  ])
    assert.ok(stdout.includes(flag), flag);
});

test("--replay runs one case: each point, then the result", () => {
  const { status, stdout } = powercut("--replay", "good.small.job.60a");
  assert.equal(status, 0);
  assert.match(stdout, /^start 1$/m);
  assert.match(stdout, /^start 2$/m);
  assert.match(stdout, /powercut: good\.small\.job\.60a: holds\n$/);
});

test("bad flags give an error of one line that says what to do", async () => {
  const { status, stderr: written } = powercut("--minimise");
  assert.deepEqual([status, written], [1, (await ended("--minimise")).stderr]);
  for (const [flags, message] of [
    [["--replay", "good.small"], /case "good\.small": the device is "job", "agent" or "stock"/],
    [["--minimise"], /--minimise needs --replay/],
    [["--only", "x"], /--only needs --mutants/],
    [["--cuts", "many"], /whole number above 0/],
    [["--mutants", "--only", "no such place"], /no mutant's name contains "no such place"/],
    [["--sead", "1"], /unknown option '--sead'/],
  ] as const) {
    const { code, stderr } = await ended(...flags);
    assert.equal(code, 1, flags.join(" "));
    assert.match(stderr, message);
    assert.ok(!stderr.includes("    at "), "no stack");
  }
});
