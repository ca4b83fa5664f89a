/** What stands in for Node's Buffer in the simulated chip of Moddable's simulator has all that the bundle asks of it, and does the same. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Buffer as StandIn } from "../../hal/moddable-sim/chip/stand-ins/buffer.js";
import { buildSimulatedChip } from "../../scripts/build-simulated-chip.mjs";
import { temporaryFolder } from "../kit/folder";

type Numbers = Record<string, (...all: unknown[]) => unknown>;

test("every read and write of a number in the bundle is there and gives what Node gives", async (t) => {
  const bundle = readFileSync(await buildSimulatedChip(temporaryFolder(t)), "utf8");
  const names = [
    ...new Set([...bundle.matchAll(/\.((?:read|write)(?:Big)?U?Int[0-9]+[LB]E)\(/g)].map(([, name]) => name!)),
  ];
  assert.ok(names.includes("readUInt32LE") && names.includes("writeBigUInt64LE"), names.join());
  const bytes = Buffer.from("00ff10f00180fe7f55aa", "hex");
  for (const name of names) {
    const [mine, nodes] = [
      StandIn.from(bytes) as unknown as Numbers & Uint8Array,
      Buffer.from(bytes) as unknown as Numbers & Uint8Array,
    ];
    const value = name.includes("Big") ? 0xfedcba9876543210n : name.includes("32") ? 0xfedcba98 : 0xfedc;
    const all = name.startsWith("read") ? [1] : [value, 1];
    assert.equal(typeof mine[name], "function", name);
    assert.equal(mine[name]!(...all), nodes[name]!(...all), name);
    assert.deepEqual([...mine], [...nodes], name);
  }
});
