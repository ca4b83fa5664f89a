import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Fuzzer } from "./fuzzer";
import type { Finding } from "./fuzzer";
import { createTargets } from "./targets";
import type { Target } from "./target";

/** Batches for each parser. `npm run fuzz -- --seconds N` runs more. */
const BATCHES = 4;
const REGRESSIONS = new URL("./regressions/", import.meta.url);

const { targets, close } = createTargets();
test.after(close);

test("regression inputs and all seeds pass", () => {
  const files = existsSync(REGRESSIONS) ? readdirSync(REGRESSIONS).filter((name) => name.endsWith(".bin")) : [];
  const inputs = [
    ...files.map((name) => new Uint8Array(readFileSync(new URL(name, REGRESSIONS)))),
    ...targets.flatMap(({ seeds }) => seeds),
  ];
  for (const input of inputs) for (const target of targets) target.run(input);
  assert.ok(inputs.length > 30);
});

test("no parser crashes on mutated inputs", () => {
  const findings: Finding[] = [];
  const fuzzer = new Fuzzer(targets, 20_261_121, { finding: (finding) => findings.push(finding) });
  for (let batch = 0; batch < BATCHES * targets.length; batch++) fuzzer.batch(batch % targets.length);
  fuzzer.coverage.close();
  assert.deepEqual(
    findings.map(
      ({ target, error, input }) => `${target}: ${error} ${Buffer.from(input).toString("base64").slice(0, 400)}`,
    ),
    [],
  );
  assert.ok(fuzzer.inputs >= BATCHES * targets.length * 400);
});

test("the fuzzer finds a crash that hides behind three guards", () => {
  const hidden: Target = {
    name: "hidden",
    seeds: [new Uint8Array(8)],
    tokens: [],
    run: (input) => {
      if (input[0] !== 0xff) return;
      if (input[1] !== 0x80) return;
      if (input[2] === 0x7f) throw new Error("found");
    },
  };
  const found: Finding[] = [];
  const fuzzer = new Fuzzer([hidden], 1, { finding: (finding) => found.push(finding) }, /fuzz\.test\./);
  for (let batch = 0; batch < 200 && found.length === 0; batch++) fuzzer.batch(0);
  fuzzer.coverage.close();
  assert.equal(found[0]?.target, "hidden");
});
