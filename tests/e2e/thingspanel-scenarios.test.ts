/** The scenarios of `npm run test:thingspanel`, against the played server with the faults of the real ones. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import type { ServerFault } from "../../host-sim/cloud/core/platforms/thingspanel/faults";
import type { Device } from "../../host-sim/demo/device-process";
import { Bench, SCENARIOS } from "../../scripts/thingspanel/scenarios";
import type { Server } from "../../scripts/thingspanel/scenarios";
import { temporaryFolder } from "../kit/folder";

const FAULTS: { readonly [profile in Server["profile"]]: readonly ServerFault[] } = {
  v0: ["endless-push", "failed-row", "concurrent", "range-200", "empty-200"],
  v1: ["panic"],
};

function played(cloud: Cloud, id: string, profile: Server["profile"]): Server {
  let seen = 0;
  const versions = (): number =>
    cloud.devices.messages(id).filter(({ direction, payload }) => direction === "up" && /"version"/.test(payload))
      .length;
  return {
    profile,
    device: cloud.deviceConfig(id),
    // v1 has no version report: the broker's refusal of one spelling tells that the other was granted.
    async ready(device: Device) {
      if (profile === "v1")
        return void (await device.until("its subscriptions", ({ message }) => /subscription/.test(String(message))));
      while (versions() <= seen) await once(cloud, "message");
      seen = versions();
    },
    async push(image, version) {
      const task = cloud.push(id, await cloud.packages.add(image, { version }));
      return {
        async settled() {
          const { status, message = "" } = await cloud.settled(task.id);
          return { success: status === "success", text: message };
        },
        cancel: async () => cloud.cancel(task.id),
      };
    },
  };
}

for (const profile of ["v0", "v1"] as const)
  test(`${profile} with ${FAULTS[profile].join(", ")}`, async (t) => {
    // Slow enough for reports of progress, which come once a second, before the end.
    const cloud = await createCloud({ throttle: 150_000, thingspanel: { faults: FAULTS[profile] } });
    await cloud.start();
    t.after(() => cloud.stop());
    const id = cloud.addDevice("thingspanel", { profile, username: "token-123", deviceNumber: "dev-1" });
    const bench = new Bench(played(cloud, id, profile), temporaryFolder(t));
    t.after(() => bench.device.kill());
    // A scenario begins with what the one before has left: after a failure it would wait for ever.
    let whole = true;
    for (const { title, run } of SCENARIOS)
      await t.test(title, async () => {
        assert.ok(whole, "a scenario before this one failed");
        whole = false;
        await run(bench);
        whole = true;
      });
  });

test("without a server the command says what to set, in one line", () => {
  const { XS_OTA_THINGSPANEL: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", fileURLToPath(new URL("../../scripts/test-thingspanel.ts", import.meta.url))],
    { env, encoding: "utf8" },
  );
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^failed: set XS_OTA_THINGSPANEL: .*\n$/);
});
