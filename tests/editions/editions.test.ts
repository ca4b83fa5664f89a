/**
 * An update from edition 1 (commit e210eec) to this edition and back works, whenever the power is cut: each edition
 * reads the job records and the firmware block of the other. `npm run editions` searches with every cut and with pairs
 * of cuts.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Store } from "../../src/ports";
import { AgentDevice } from "../powercut/simulation/agent-device";
import type { MakeDevice } from "../powercut/simulation/device";
import { BootCycle } from "../powercut/simulation/boot-cycle";
import { buildEdition, hasCommit } from "./build-edition.mjs";
import { agentOfEdition1, begin, deviceOf } from "./edition-device";
import { SCENARIOS } from "./scenarios";
import type { EditionScenario } from "./scenarios";
import { searchScenario } from "./search-editions";

const COMMIT = "e210eec";
/** SHA-256 of the bundle that was built from the commit. */
const BUNDLE = "b7556281d86fa16370d3a52841610138c3307b9e28dd334b46c6c6d542fc8717";

const DENSITY = { positions: 1, small: 2, subsets: 1, unstable: 1 };
/** The sample has every n-th operation and message of a scenario. */
const STRIDE = 5;

const scenarioOf = (name: string): EditionScenario => {
  const found = SCENARIOS.find(({ updates }) => updates.name === `editions: ${name}`);
  assert.ok(found, name);
  return found;
};

test("the bundle of edition 1 is the one that was built from its commit", async (t) => {
  const bundle = readFileSync(new URL(`./${COMMIT}/agent.mjs`, import.meta.url), "utf8");
  assert.equal(createHash("sha256").update(bundle).digest("hex"), BUNDLE);
  if (hasCommit(COMMIT)) assert.ok((await buildEdition(COMMIT)) === bundle, "the commit gives another bundle");
  else t.diagnostic(`this clone does not have commit ${COMMIT}: only the digest was compared`);
});

for (const [index, scenario] of SCENARIOS.entries()) {
  test(`${scenario.updates.name}: ${scenario.updates.about}`, () => {
    const part = { index: index % STRIDE, of: STRIDE };
    const { violations, cuts } = searchScenario(scenario, deviceOf(scenario), { densities: [DENSITY], part });
    assert.deepEqual(violations, []);
    assert.ok(cuts >= 30, `${cuts} cuts`);
  });
}

for (const [name, editions] of [
  ["1 to this, good", [1, "this", 1]],
  ["this to 1, good", ["this", 1, "this"]],
] as const) {
  test(`${name}: each firmware runs its own edition, and each job has one outcome`, () => {
    const scenario = scenarioOf(name);
    const simulation = begin(scenario);
    const seen: unknown[] = [];
    const make = deviceOf(scenario);
    const watched: MakeDevice = (surroundings) => {
      const { version } = surroundings.monitor.running;
      if (seen.at(-1) !== version) seen.push(version);
      return make(surroundings);
    };
    assert.equal(new BootCycle(simulation, watched).run(), true);
    assert.deepEqual(seen, ["0.1.0", "0.2.0", "0.3.0"]);
    assert.deepEqual(
      seen.map((version) => scenario.editionOf(String(version), 0)),
      editions,
    );
    assert.deepEqual(
      simulation.cloud.tasks.map(({ outcomes }) => outcomes.map((text) => JSON.parse(text)[0])),
      [[true], [true]],
    );
  });
}

test("an edition that does not know the job record of the other is noticed", () => {
  const scenario = scenarioOf("this to 1, good");
  const blind = (store: Store): Store => ({
    getNumber: (key) => store.getNumber(key),
    getBytes: (key) => (key === "job" ? undefined : store.getBytes(key)),
    setNumber: (key, value) => store.setNumber(key, value),
    setBytes: (key, bytes) => store.setBytes(key, bytes),
    delete: (key) => store.delete(key),
  });
  const right = deviceOf(scenario);
  const make: MakeDevice = (surroundings) =>
    scenario.editionOf(surroundings.monitor.running.version, 0) === "this"
      ? right(surroundings)
      : new AgentDevice(surroundings, undefined, (options, scenario) =>
          agentOfEdition1({ ...options, ports: { ...options.ports, store: blind(options.ports.store) } }, scenario),
        );
  const simulation = begin(scenario);
  new BootCycle(simulation, make).run();
  assert.ok(simulation.ledger.violations.length > 0);
});
