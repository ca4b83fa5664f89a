/**
 * The search notices one of the chosen mutants for each invariant. `npm run powercut -- --mutants` tries all chosen
 * mutants and those made mechanically.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { chosenMutants } from "./mutants/chosen-mutants";
import { EXPLAINED, withoutLine } from "./mutants/explained-mutants";
import { MutantProgram, ROOT } from "./mutants/mutant-program";
import { MUTATED, allMutants } from "./mutants/mutation-run";
import { OPERATORS } from "./mutants/mutants";
import { mutantPlan } from "./mutants/mutant-plans";

/**
 * Mutants that the search notices within its first scenarios. Unit tests notice those of invariants 5 and 12, and of
 * the readback of 4.
 */
const TRIED = [
  "invariant 1: the slot to write is the running one",
  "invariant 2: the header goes into flash with the first sector",
  "invariant 3: the boot choice changes before the digest is right",
  "invariant 4: checkpoint before program",
  "invariant 6: a checkpoint each eighth sector",
  "invariant 6: the sector in whose program the power was cut counts as erased",
  "invariant 6: a block that is erased ahead counts as erased before it is",
  "invariant 6: the block that is erased ahead is the one that is written",
  "invariant 6: a file whose digest differs is downloaded without end",
  "invariant 7: the outcome is reported before it is stored",
  "invariant 8: confirmed before the health check",
  "invariant 9: a failed trial counts as a power cut",
  "invariant 9: an unreachable cloud is the image's fault in any case",
  "invariant 9: nobody decides about an image that did not reach the cloud",
  "invariant 10: an offer is not taken after a failed job",
  "invariant 11: the target's boot entry is left as it is",
];

let folder: string;
before(() => {
  // Inside the repository, so that the bundles find their packages.
  const parent = fileURLToPath(new URL("build/", ROOT));
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(join(parent, "mutants-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the unchanged code breaks no check", async () => {
  const program = new MutantProgram(join(folder, "none"));
  await program.load(undefined);
  assert.equal(await program.search(mutantPlan().slice(0, 4)), undefined);
});

for (const what of TRIED) {
  test(`the search notices: ${what}`, async () => {
    const mutant = chosenMutants(ROOT).find(({ name }) => name.endsWith(what));
    assert.ok(mutant !== undefined, "it is a chosen mutant");
    const program = new MutantProgram(join(folder, String(TRIED.indexOf(what))));
    await program.load(mutant);
    assert.notEqual(await program.search(mutantPlan()), undefined);
  });
}

test("each explanation belongs to an existing mutant", () => {
  const names = new Set(allMutants().map(({ name }) => withoutLine(name)));
  assert.deepEqual(
    [...EXPLAINED.keys()].filter((name) => !names.has(name)),
    [],
  );
});

test("every file has mutants, every operator is used, each invariant has two chosen mutants, and hardly any two are alike", () => {
  const mutants = allMutants();
  for (const file of MUTATED)
    assert.ok(mutants.filter((mutant) => mutant.file === file && mutant.operator !== "chosen").length >= 10, file);
  for (const operator of Object.keys(OPERATORS))
    assert.ok(
      mutants.some((mutant) => mutant.operator === operator),
      operator,
    );
  for (let invariant = 1; invariant <= 12; invariant++)
    assert.ok(
      mutants.filter(({ name }) => name.includes(`chosen, invariant ${invariant}:`)).length >= 2,
      `invariant ${invariant}`,
    );
  const texts = new Set(mutants.map(({ file, text }) => `${file} ${text}`));
  assert.ok(texts.size >= mutants.length * 0.98, `${mutants.length - texts.size} of ${mutants.length} are alike`);
});
