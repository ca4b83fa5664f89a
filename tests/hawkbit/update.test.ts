/** Updates of the whole agent against the double of hawkBit: what the device did, and what the server's records say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deedsOf } from "../../scripts/hawkbit/deeds";
import { REQUESTS, SCENARIOS } from "../../scripts/hawkbit/scenarios";
import type { ScenarioBench } from "../../scripts/hawkbit/scenarios";
import { notAssigned } from "../doubles/hawkbit/answers";
import { answer } from "../doubles/http/message";
import { CONTROLLER, situation } from "./fleet-of-one";
import type { Situation } from "./fleet-of-one";
import { checkRequests } from "./request-checks";

/** As long as a real server takes to restart, ms. */
const AWAY = 30_000;

/** The scenario's view of a device on a clock that the test moves. */
const benchOf = (world: Situation): ScenarioBench => {
  const { double, device, until, untilState, status, upload } = world;
  const on = (): void => {
    if (device.state === "off") device.powerOn();
  };
  return {
    operator: double.operator,
    controllerId: CONTROLLER,
    upload,
    async untilState(state) {
      on();
      untilState(state);
    },
    async untilStatus(action, wanted) {
      on();
      until(`action ${action} ${wanted}`, () => status(action) === wanted);
      return double.operator.action(CONTROLLER, action);
    },
    powerCut: async () => world.powerCut(),
    powerOff: async () => world.powerOff(),
    wait: async (milliseconds) => world.pass(milliseconds),
    now: () => world.now(),
    async untilVersion(version) {
      const told = (): string | undefined => double.repository.target(CONTROLLER).attributes.get("fw.version");
      until(`${version} is told`, () => told() === version);
    },
    refuse(kind, code, times) {
      const gone = notAssigned("1", CONTROLLER);
      const refused = kind === "file" && code === 404 ? gone : answer(code);
      for (let count = 0; count < times; count++) double.faults.push({ path: REQUESTS[kind], answer: refused });
    },
    restartServer: async () => world.away(AWAY),
    async consent(action, word) {
      const { status: code } = world.ask("POST", `/confirmationBase/${action}/feedback`, { confirmation: word });
      assert.equal(code, 200);
    },
    deeds: () => deedsOf(device.notices as never),
  };
};

for (const { title, run } of SCENARIOS)
  test(title, async () => {
    const world = await situation();
    const bench = benchOf(world);
    const ends = await run(bench);
    for (const [action, status] of ends) {
      assert.equal(world.status(action), status);
      assert.ok(world.history(action).length < 30, `${world.history(action).length} entries`);
    }
    checkRequests(world.double);
    assert.equal(world.double.faults.length, 0, "what was to be refused was asked for");
    const isInstalled = ends.some(([, status]) => status === "finished");
    assert.equal(/reboots/.test(bench.deeds()), isInstalled || ends.some(([, status]) => status === "error"));
    if (!isInstalled) assert.equal(world.device.version, "0.1.0");
  });
