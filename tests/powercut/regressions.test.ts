/** The regression cases in regressions.txt: each cuts the power where it says, and breaks no check. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseCase } from "./search/case-line";
import type { Case } from "./search/case-line";
import type { Point } from "./simulation/boot-cycle";
import { replay } from "./search/search";

interface Kept {
  readonly line: string;
  readonly places: string;
  readonly why: string;
}

const KEPT: readonly Kept[] = readFileSync(new URL("./regressions.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((text) => text.trim() !== "" && !text.startsWith("#"))
  .map((text) => {
    const [line = "", places = "", why = ""] = text.split("|").map((part) => part.trim());
    return { line, places, why };
  });

/** Addresses of the layout in simulation-state.ts. */
const NVS_END = 0xc000;
const OTADATA_END = 0x10000;

function placeOf({ phase, operation, message }: Point): string {
  if (operation === undefined) return `${phase}: ${message}`;
  const { address, kind } = operation;
  return `${phase}: ${address < NVS_END ? "nvs" : address < OTADATA_END ? "otadata" : "slot"} ${kind}`;
}

/** The points of a case's cuts, and its violations. */
function runCase(which: Case): { readonly places: string; readonly result: ReturnType<typeof replay> } {
  const places: string[] = [];
  const result = replay(which, (point) => {
    if (which.cuts[places.length]?.at === point.number) places.push(placeOf(point));
  });
  return { places: places.join(", "), result };
}

for (const { line, places, why } of KEPT) {
  test(`${line}: ${why}`, () => {
    const { places: found, result } = runCase(parseCase(line));
    assert.equal(found, places);
    assert.deepEqual(result.simulation.ledger.violations, []);
    assert.equal(result.fired, parseCase(line).cuts.length);
  });
}

test("each case is listed once, with the points of its cuts and a reason", () => {
  assert.equal(new Set(KEPT.map(({ line }) => line)).size, KEPT.length);
  for (const { line, places, why } of KEPT) assert.ok(places !== "" && why.length > 10, line);
});

test("the cases cover every place at which records, boot entries and reports change", () => {
  const everywhere = KEPT.map(({ places }) => places).join(", ");
  for (const place of [
    "downloading: nvs erase",
    "mount: nvs program",
    "committing: slot program",
    "bootloader: otadata erase",
    "bootloader: otadata program",
    "leaving: otadata erase",
    "leaving: otadata program",
    "reporting: otadata erase",
    "reporting: PUBACK of outcome",
    "trial: connection",
    "trial: PUBACK of version",
  ]) {
    assert.ok(everywhere.includes(place), place);
  }
});
