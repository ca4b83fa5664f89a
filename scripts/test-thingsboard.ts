/**
 * What the double of ThingsBoard claims of the real server, checked on a server of one's own; and the scenarios that
 * `npm test` runs against the double, with what the server's own records say of each.
 *
 *     XS_OTA_THINGSBOARD=http://192.0.2.1:8080 npm run test:thingsboard        XS_OTA_THINGSBOARD_USER, _PASSWORD: a
 *         tenant's administrator; XS_OTA_THINGSBOARD_MQTT_PORT: 1883
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CONTRACT, runCheck } from "./thingsboard/contract";
import { accountFrom, RestOperator } from "../host-sim/operators/thingsboard/rest";
import { SCENARIOS, runScenarios } from "./thingsboard/scenarios";

/** What a check waits for comes within a second, or never. */
const CHECK_WITHIN = 60_000;

const folder = mkdtempSync(join(tmpdir(), "xs-ota-thingsboard-"));
let operator: RestOperator | undefined;
try {
  const logged = (operator = await RestOperator.login(accountFrom(process.env)));
  let failed = 0;
  for (const { title, run } of CONTRACT) {
    const late = wait(CHECK_WITHIN, undefined, { ref: false }).then(() => {
      throw new Error(`not so after ${CHECK_WITHIN / 1_000} s`);
    });
    await Promise.race([runCheck(logged, run), late]).then(
      () => console.log(`ok: ${title}`),
      (error: unknown) => {
        failed++;
        console.log(`not ok: ${title}: ${(error as Error).message}`);
      },
    );
    late.catch(() => undefined);
  }
  if (failed > 0) throw new Error(`${failed} of ${CONTRACT.length} checks`);
  for (const way of ["MQTT", "HTTP"] as const) {
    const whole = await runScenarios(logged, mkdtempSync(join(folder, way)), { way, slow: true }, (title, states) =>
      console.log(
        states instanceof Error
          ? `not ok: ${way}: ${title}: ${states.message}`
          : `ok: ${way}: ${title}: ${states.join(" ")}`,
      ),
    );
    if (!whole) throw new Error(`a scenario over ${way}`);
  }
  console.log(
    `ok: ${CONTRACT.length} checks and ${SCENARIOS.length} scenarios over MQTT and over HTTP on ThingsBoard at ${logged.server}`,
  );
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await operator?.cleanUp();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
