/**
 * The scenarios of scripts/thingspanel against a ThingsPanel server of one's own, through its REST API; `npm test` runs
 * the same against the played one.
 *
 *     XS_OTA_THINGSPANEL=http://192.0.2.1:9999 npm run test:thingspanel        docs/PLATFORMS.md lists what else it needs
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { restServer } from "./thingspanel/rest";
import { Bench, SCENARIOS } from "./thingspanel/scenarios";

const folder = mkdtempSync(join(tmpdir(), "xs-ota-thingspanel-"));
let board: Bench | undefined;
try {
  const url = needed("", "the address of your ThingsPanel server, http://host:port").replace(/\/+$/, "");
  const server = await restServer({
    url,
    email: needed("_EMAIL", "the account that the console is used with"),
    password: needed("_PASSWORD", "its password"),
    device: JSON.parse(
      readFileSync(needed("_DEVICE", "device.json of a device that may be updated"), "utf8"),
    ) as Record<string, unknown>,
    deviceId: needed("_DEVICE_ID", "the id of that device in the console"),
    groupId: needed("_GROUP_ID", "the id of its product (v0) or of its device configuration (v1)"),
  });
  const bench = (board = new Bench(server, folder));
  for (const { title, run } of SCENARIOS) {
    await run(bench);
    console.log(`ok: ${title}`);
  }
  console.log(`ok: ${SCENARIOS.length} scenarios on ThingsPanel ${server.profile} at ${url}`);
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await board?.device.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

function needed(name: string, meaning: string): string {
  const value = process.env[`XS_OTA_THINGSPANEL${name}`];
  if (value === undefined || value === "") throw new Error(`set XS_OTA_THINGSPANEL${name}: ${meaning}`);
  return value;
}
