/** What `xs-ota adopt` asks on a terminal, where flags and manifest leave it open. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { PassThrough } from "node:stream";
import { test, type TestContext } from "node:test";
import { xsOtaError, type Ended } from "../kit/xs-ota";
import { USUAL, manifestIn, scene } from "./scene";

/** Each question gets the next answer; at the end of the answers the terminal closes, as by Ctrl-D. */
async function answered(
  t: TestContext,
  answers: readonly string[],
  args: readonly string[],
): Promise<Ended & { readonly asked: readonly string[] }> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const real = Object.getOwnPropertyDescriptor(process, "stdin")!;
  Object.defineProperty(process, "stdin", { ...real, get: () => stdin });
  t.after(() => Object.defineProperty(process, "stdin", real));
  const asked: string[] = [];
  const { mock } = t.mock.method(process.stderr, "write", (text: string) => {
    const question = /^(\w+) \[.*\] $/.exec(text);
    if (question === null) return true;
    const answer = answers[asked.length];
    asked.push(text.trim());
    if (answer === undefined) stdin.end();
    else stdin.write(`${answer}\n`);
    return true;
  });
  try {
    return { ...(await xsOtaError("adopt", ...args)), asked };
  } finally {
    mock.restore();
  }
}

function identityIn(app: string): unknown[] {
  const { defines } = JSON.parse(manifestIn(app)) as { defines: { xsota: { product: unknown; version: unknown } } };
  return [defines.xsota.product, defines.xsota.version];
}

/** With a stand-in for the SDK. */
function appOf(t: TestContext): string {
  const { app, sdk } = scene(t, USUAL);
  process.env["MODDABLE"] = sdk;
  return app;
}

const files = (app: string): string[] => readdirSync(app, { recursive: true, encoding: "utf8" }).sort();

test("product and version are asked for, with what an empty answer means", async (t) => {
  const app = appOf(t);
  const { code, stderr, asked } = await answered(t, ["thermostat", ""], [app]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(asked, [`product [${basename(app)}]`, "version [0.1.0]"]);
  assert.deepEqual(identityIn(app), ["thermostat", "0.1.0"]);
});

test("what a flag or the manifest says is not asked", async (t) => {
  const app = appOf(t);
  const first = await answered(t, ["2.0.0"], [app, "--product", "lamp"]);
  assert.deepEqual([first.code, first.asked], [0, ["version [0.1.0]"]]);
  const again = await answered(t, [], [app]);
  assert.deepEqual([again.code, again.asked], [0, []]);
  assert.deepEqual(identityIn(app), ["lamp", "2.0.0"]);
});

test("an answer that can not be, and none, are one line, and nothing is written", async (t) => {
  const app = appOf(t);
  const before = files(app);
  for (const [answers, message] of [
    [["x".repeat(40)], /^error: [^\n]*1 to 31[^\n]*\n$/],
    [["lamp", "1 0"], /^error: [^\n]*version[^\n]*\n$/i],
    [["lamp"], /^error: no answer, nothing was changed\n$/],
    [[], /^error: no answer, nothing was changed\n$/],
  ] as const) {
    const { code, stderr } = await answered(t, answers, [app]);
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.deepEqual(files(app), before);
  }
});
