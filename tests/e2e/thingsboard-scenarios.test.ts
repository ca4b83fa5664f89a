/** The scenarios of `npm run test:thingsboard`, against the double, through its REST API as against a real server. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RestOperator } from "../../host-sim/operators/thingsboard/rest";
import { runScenarios, scenariosOf } from "../../scripts/thingsboard/scenarios";
import { ThingsBoardDouble } from "../doubles/thingsboard/server";
import { temporaryFolder } from "../kit/folder";

describe("a server of ThingsBoard's interface", { concurrency: true }, () => {
  for (const way of ["MQTT", "HTTP"] as const)
    test(`${scenariosOf(way, false).length} scenarios with bytes over ${way}`, async (t) => {
      const double = new ThingsBoardDouble();
      await double.start();
      t.after(() => double.stop());
      const account = { url: double.url, username: "tenant@thingsboard.org", password: "tenant" };
      const operator = Object.assign(await RestOperator.login({ ...account, mqttPort: double.mqttPort }), {
        restart: () => double.restart(),
      });
      const told: string[] = [];
      await runScenarios(operator, temporaryFolder(t), { way, slow: false }, (title, states) => {
        assert.ok(!(states instanceof Error), `${title}: ${String(states)}`);
        told.push(title);
      });
      assert.equal(told.length, scenariosOf(way, false).length);
    });
});
