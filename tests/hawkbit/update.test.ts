/** Updates of the whole agent against the double of hawkBit: what the device did, and what the server's records say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SCENARIOS } from "../../scripts/hawkbit/scenarios";
import type { ScenarioBench } from "../../scripts/hawkbit/scenarios";
import { CONTROLLER, situation } from "./fleet-of-one";
import type { Situation } from "./fleet-of-one";
import { checkRequests } from "./request-checks";

/** The scenario's view of a device on a clock that the test moves. */
const benchOf = ({ double, until, untilState, status, powerCut, upload }: Situation): ScenarioBench => ({
  operator: double.operator,
  controllerId: CONTROLLER,
  upload,
  untilState: async (state) => untilState(state),
  async untilStatus(action, wanted) {
    until(`action ${action} ${wanted}`, () => status(action) === wanted);
    return double.operator.action(CONTROLLER, action);
  },
  powerCut: async () => powerCut(),
  async untilVersion(version) {
    const told = (): string | undefined => double.repository.target(CONTROLLER).attributes.get("fw.version");
    until(`${version} is told`, () => told() === version);
  },
});

for (const { title, run } of SCENARIOS)
  test(title, async () => {
    const world = await situation();
    for (const [action, status] of await run(benchOf(world))) {
      assert.equal(world.status(action), status);
      assert.ok(world.history(action).length < 30, `${world.history(action).length} entries`);
    }
    checkRequests(world.double);
  });
