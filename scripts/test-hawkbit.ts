/**
 * What the double of hawkBit claims of the real server, and the scenarios with `xs-ota device`, on a server of one's own.
 *
 *     XS_OTA_HAWKBIT=http://192.0.2.1:8080 npm run test:hawkbit        XS_OTA_HAWKBIT_USER, XS_OTA_HAWKBIT_PASSWORD: admin
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CONTRACT } from "./hawkbit/contract";
import { DeviceBench } from "./hawkbit/device-bench";
import { accountFrom, RestOperator } from "../host-sim/operators/hawkbit/rest";
import { SCENARIOS } from "./hawkbit/scenarios";
import type { Scenario } from "./hawkbit/scenarios";

let failed = 0;
const check = (title: string, run: Promise<string>): Promise<void> =>
  run.then(
    (line) => console.log(`ok: ${title}${line}`),
    (error: unknown) => {
      failed++;
      console.log(`not ok: ${title}: ${(error as Error).message}`);
    },
  );

/** Returns what the device did, and what the server's records say. */
async function play(operator: RestOperator, { run }: Scenario): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-hawkbit-"));
  const bench = await DeviceBench.create(operator, folder);
  try {
    const records: string[] = [];
    for (const [action, wanted] of await run(bench)) {
      const { status, history } = await operator.action(bench.controllerId, action);
      if (status !== wanted) throw new Error(`action ${action} is ${status}, not ${wanted}`);
      records.push(`action ${action} ${status}: ${history.map(({ type }) => type).join(", ")}`);
    }
    const { updateStatus, attributes } = await operator.device(bench.controllerId);
    records.push(`target ${updateStatus}, fw.version ${attributes["fw.version"]}`);
    return `\n    device: ${bench.deeds()}\n    server: ${records.join("; ")}`;
  } finally {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

let operator: RestOperator | undefined;
try {
  operator = new RestOperator(accountFrom(process.env));
  await operator.prepare();
  const milliseconds = { operator, wait: (time: number) => wait(time) };
  for (const { title, run } of CONTRACT)
    await check(
      title,
      run(milliseconds).then(() => ""),
    );
  for (const scenario of SCENARIOS) await check(scenario.title, play(operator, scenario));
  const all = CONTRACT.length + SCENARIOS.length;
  if (failed > 0) throw new Error(`${failed} of ${all} checks`);
  console.log(`ok: ${all} checks on hawkBit at ${operator.server}`);
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await operator?.cleanUp();
}
