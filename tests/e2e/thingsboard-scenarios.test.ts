/** The scenarios of `npm run test:thingsboard`, against the double, through its REST API as against a real server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RestOperator } from "../../host-sim/operators/thingsboard/rest";
import { SCENARIOS, runScenarios } from "../../scripts/thingsboard/scenarios";
import { ThingsBoardDouble } from "../doubles/thingsboard/server";
import { temporaryFolder } from "../kit/folder";

for (const http of [false, true])
  test(`${SCENARIOS.length} scenarios with bytes over ${http ? "HTTP" : "MQTT"}`, async (t) => {
    const double = new ThingsBoardDouble();
    await double.start();
    t.after(() => double.stop());
    const account = { url: double.url, username: "tenant@thingsboard.org", password: "tenant" };
    const operator = Object.assign(await RestOperator.login({ ...account, mqttPort: double.mqttPort }), {
      restart: () => double.restart(),
    });
    const told: string[] = [];
    await runScenarios(operator, temporaryFolder(t), http, (title, states) => {
      assert.ok(!(states instanceof Error), `${title}: ${String(states)}`);
      told.push(title);
    });
    assert.equal(told.length, SCENARIOS.length);
  });
