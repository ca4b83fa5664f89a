/** The faults of ThingsPanel's real servers, each as the played server shows it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { GENERATIONS } from "../../host-sim/cloud/core/platforms/thingspanel/generations";
import { downloadPath } from "../../host-sim/cloud/core/platforms/thingspanel/download";
import { firmware, http, withCloud } from "./helpers";
import { PROGRESS, now, onV0, onV1, step, version } from "./thingspanel";

const VERSION = GENERATIONS.v0.version!;
const ID = "thingspanel/dev-1";

test("endless-push: every wrong version is answered by a push", async () => {
  await onV0(
    async (cloud, device, file) => {
      const task = cloud.push(ID, file);
      await device.publish(PROGRESS.v0, step(1, "MCU"));
      for (let count = 0; count < 10; count++) await device.publish(VERSION, version("0.1.0"));
      await device.received(11);
      assert.deepEqual([now(cloud, task).pushes, now(cloud, task).status], [11, "upgrading"]);
    },
    { faults: ["endless-push"] },
  );
});

test("failed-row: an old failed task swallows the reports of the next, until it is cancelled", async () => {
  await onV0(
    async (cloud, device, file) => {
      const failed = cloud.push(ID, file);
      await device.publish(PROGRESS.v0, step(-3, "MCU"));
      const next = cloud.push(ID, file);
      await device.publish(PROGRESS.v0, step(50, "MCU"));
      await device.publish(PROGRESS.v0, step(100, "MCU"));
      assert.equal(now(cloud, next).status, "pushed");
      cloud.cancel(failed.id);
      await device.publish(PROGRESS.v0, step(100, "MCU"));
      assert.deepEqual([now(cloud, failed).status, now(cloud, next).status], ["cancelled", "success"]);
    },
    { faults: ["failed-row"] },
  );
});

test("concurrent: a version right behind a negative step overtakes it, and the task is pushed again", async () => {
  await onV0(
    async (cloud, device, file) => {
      const task = cloud.push(ID, file);
      await device.publish(PROGRESS.v0, step(1, "MCU"));
      while (now(cloud, task).status !== "upgrading") await once(cloud, "task");
      await device.publish(PROGRESS.v0, step(-1, "MCU"));
      await device.publish(VERSION, version("0.1.0"));
      assert.equal((await cloud.settled(task.id)).pushes, 2);
    },
    { faults: ["concurrent"] },
  );
});

test("open-tasks: the version before step 100 makes the server push the other task, and file the step under it", async () => {
  for (const versionFirst of [true, false])
    await onV0(
      async (cloud, device, file) => {
        const newer = await cloud.packages.add(firmware(10_000, 7), { version: "0.3.0" });
        const other = cloud.push(ID, newer);
        await device.publish(PROGRESS.v0, step(1, "MCU"));
        const installed = cloud.push(ID, file);
        await device.publish(PROGRESS.v0, step(99, "MCU"));
        if (versionFirst) await device.publish(VERSION, version("0.2.0"));
        await device.publish(PROGRESS.v0, step(100, "MCU"));
        const success = [now(cloud, other), now(cloud, installed)].map(({ status }) => status === "success");
        assert.deepEqual(success, versionFirst ? [true, false] : [false, true]);
      },
      { faults: ["open-tasks"] },
    );
});

test("range-200 and empty-200: v0 answers ranges and missing files with status 200", async () => {
  await withCloud({ thingspanel: { faults: ["range-200", "empty-200"] } }, async (cloud) => {
    const bytes = firmware(10_000);
    const file = await cloud.packages.add(bytes, { version: "0.2.0" });
    const url = `http://127.0.0.1:${cloud.httpPort}${downloadPath(file, "v0")}`;
    const part = await http(url, { headers: { range: "bytes=100-199" } });
    assert.deepEqual([part.status, part.headers["content-range"]], [200, "bytes 100-199/10000"]);
    assert.ok(part.body.equals(bytes.subarray(100, 200)));
    const missing = await http(url.replace(/\w{32}\.bin$/, "0.bin"));
    assert.deepEqual(
      [missing.status, missing.headers["content-length"], missing.headers["content-type"], missing.body.length],
      [200, "0", undefined, 0],
    );
  });
});

test("panic: a report without an open task, a cancelled one included, stops v1's backend for a while", async () => {
  await onV1(
    async (cloud, device, file) => {
      const id = "thingspanel/number-2";
      const cancelled = cloud.push(id, file);
      await device.publish(PROGRESS.v1, step(10));
      cloud.cancel(cancelled.id);
      await device.publish(PROGRESS.v1, step(20));
      const task = cloud.push(id, file);
      await device.publish(PROGRESS.v1, step(100));
      assert.equal(now(cloud, task).status, "pushed", "nobody hears it");
    },
    { faults: ["panic"] },
  );
  await onV1(async (cloud, device, file) => {
    await device.publish(PROGRESS.v1, step(20));
    const task = cloud.push("thingspanel/number-2", file);
    await device.publish(PROGRESS.v1, step(100));
    assert.equal(now(cloud, task).status, "success", "the repaired one goes on");
  });
});
