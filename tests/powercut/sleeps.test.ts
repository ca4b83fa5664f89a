/** Deep sleep in the simulation: it happens where it may, and a device that sleeps in a wrong way is noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BootCycle } from "./simulation/boot-cycle";
import { JobDevice } from "./simulation/job-device";
import type { MakeDevice } from "./simulation/device";
import { scenario } from "./simulation/scenarios";
import { SimulationState } from "./simulation/simulation-state";

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

/** States in which the devices of a scenario fell asleep, and what the checks found. */
function asleepIn(name: string, make: (seed: number) => MakeDevice): { states: Set<string>; violations: number } {
  const states = new Set<string>();
  let violations = 0;
  for (const seed of SEEDS) {
    const simulation = SimulationState.begin(scenario(name, "small"));
    const cycle = new BootCycle(simulation, make(seed), ({ message, phase }) => {
      if (message === "asleep") states.add(phase);
    });
    cycle.run();
    violations += simulation.ledger.violations.length;
  }
  return { states, violations };
}

test("devices sleep in a download, in a trial, with a report that waits, and idle", () => {
  const { states, violations } = asleepIn(
    "unhealthy",
    (seed) => (surroundings) => new JobDevice(surroundings, undefined, seed),
  );
  assert.deepEqual(
    ["downloading", "idle", "reporting", "trial"].filter((state) => !states.has(state)),
    [],
  );
  assert.equal(violations, 0);
});

test("a sleep that does not arm the trial again loses good firmware, and the search notices", () => {
  const past = (seed: number): MakeDevice => {
    return (surroundings) => {
      const { monitor, simulation } = surroundings;
      const boot = {
        ...monitor.ports.boot,
        sleep: () => {
          simulation.board.restartWanted = "sleep";
        },
      };
      (monitor as { ports: typeof monitor.ports }).ports = { ...monitor.ports, boot };
      return new JobDevice(surroundings, undefined, seed);
    };
  };
  const { states, violations } = asleepIn("good", past);
  assert.ok(states.has("trial"));
  assert.ok(violations > 0);
});
