/** `xs-ota device` on hawkBit over real sockets, against the double: the way in which `npm run test:hawkbit` runs all scenarios. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { DeviceBench } from "../../scripts/hawkbit/device-bench";
import { SCENARIOS } from "../../scripts/hawkbit/scenarios";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import { temporaryFolder } from "../kit/folder";

test("the scenarios' device, as a process: a power cut in the download, and one in the trial", async (t) => {
  const double = new HawkbitDouble();
  await double.start();
  t.after(() => double.stop());
  await double.operator.prepare();
  const played = ["power cut in the phase download", "power cut in the phase trial"];
  for (const [index, { run }] of SCENARIOS.filter(({ title }) => played.includes(title)).entries()) {
    const folder = join(temporaryFolder(t), String(index));
    mkdirSync(folder);
    const bench = await DeviceBench.create(double.operator, folder);
    try {
      for (const [action, status] of await run(bench))
        assert.equal((await double.operator.action(bench.controllerId, action)).status, status);
    } finally {
      await bench.close();
    }
  }
});

test("device.json of hawkBit: the server's scheme decides about plain downloads, and mistakes name the key", (t) => {
  const path = join(temporaryFolder(t), "device.json");
  const read = (config: object): ReturnType<typeof readDeviceConfig> => {
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return readDeviceConfig(path);
  };
  const config = {
    platform: "hawkbit",
    server: "http://127.0.0.1:8080",
    tenant: "DEFAULT",
    controllerId: "dev-1",
    targetToken: "secret",
    part: "firmware",
  };
  const { firmware, warnings } = read(config);
  assert.deepEqual([firmware.broker, firmware.policy.allowHttp, warnings], [undefined, true, []]);
  assert.equal(read({ ...config, server: "https://fota.example" }).firmware.policy.allowHttp, false);
  for (const [change, message] of [
    [{ server: undefined }, /server: is missing$/],
    [{ server: "fota.example" }, /server: URL is neither http nor https$/],
    [{ controllerId: "a/b" }, /controllerId: /],
    [{ targetToken: undefined }, /targetToken: either this or gatewayToken is expected$/],
    [{ part: undefined }, /part: is missing$/],
    [{ pollSeconds: 5 }, /pollSeconds: /],
  ] as const)
    assert.throws(() => read({ ...config, ...change }), { message });
});
