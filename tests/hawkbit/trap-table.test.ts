/** The table of traps names all of them, and tests that are there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TRAP_TABLE } from "./trap-table";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const FACTS = read("tests/doubles/hawkbit/hawkbit.md");

test("each trap of the facts is in the table, with a test of the double and one of the agent", () => {
  const [, chapter = ""] = FACTS.split("## Traps, worst first");
  const numbers = [...chapter.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
  assert.equal(numbers.length, 20);
  assert.deepEqual(
    TRAP_TABLE.flatMap(({ traps }) => traps).toSorted((a, b) => a - b),
    numbers,
  );
  assert.ok(TRAP_TABLE.every(({ double, agent }) => double.length > 0 && agent.length > 0));
});

test("each misbehaviour of a client that the facts name is in the table", () => {
  const named = FACTS.replaceAll("rauc #", "rauc-hawkbit-updater #").replaceAll(/Zephyr #/g, "zephyr #");
  const all = [...named.matchAll(/(hawkBit|rauc-hawkbit-updater|zephyr|sdk-nrf) #(\d+)/g)].map(
    ([, project, number]) => `${project} ${number}`,
  );
  assert.ok(all.length >= 8, all.join());
  const known = new Set(TRAP_TABLE.flatMap(({ reports = [] }) => reports));
  assert.deepEqual(
    [...new Set(all)].filter((each) => !known.has(each)),
    [],
  );
});

test("each test that the table names is there", () => {
  for (const { double, agent } of TRAP_TABLE)
    for (const [file, title] of [...double, ...agent]) assert.ok(read(file).includes(title), `${file}: ${title}`);
});
