import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import * as fc from "fast-check";
import { readReport } from "../../host-sim/cloud/core/platforms/tencent/report";
import { Board, BOARD, BOARD_ID, closing, credentials, mqtt, REPORT, UPDATE, withCloud } from "./helpers";

test("malformed identities and a second device of the same client id are refused", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    assert.throws(() => cloud.addDevice("tencent", BOARD), /is there already/);
    assert.throws(
      () => cloud.addDevice("tencent", { ...BOARD, productId: "A1B2C3D4E5ota", deviceName: "-bench-01" }),
      /productId/,
    );
    // Same client id by another split of product and device.
    assert.throws(
      () => cloud.addDevice("tencent", { ...BOARD, productId: "A1B2C3D4", deviceName: "E5ota-bench-01" }),
      /client id/,
    );
    assert.throws(() => cloud.addDevice("tencent", { ...BOARD, deviceName: "a/b" }), /deviceName/);
    assert.throws(
      () => cloud.addDevice("tencent", { ...BOARD, deviceName: "x", deviceSecret: "not base64!" }),
      /deviceSecret/,
    );
    assert.throws(() => cloud.push("tencent/A1B2C3D4E5/nobody", {} as never), /no device/);
  });
});

test("presence follows the connection, and a client id is taken over", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const seen: boolean[] = [];
    cloud.on("device", ({ online }) => seen.push(online));
    const first = await Board.connect(cloud);
    const closed = closing(first.client);
    const second = await Board.connect(cloud);
    await closed;
    assert.deepEqual(seen, [true, false, true]);
    await second.version("1");
    assert.equal((await second.next())["version"], "1");
    const gone = once(cloud, "device");
    await second.leave();
    await gone;
    assert.equal(cloud.devices.get(BOARD_ID)?.online, false);
  });
});

test("only with the right name and password, of either algorithm, and before they expire", async () => {
  await withCloud({ now: () => 1_700_000_000_000 }, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const port = cloud.mqttPort;
    for (const algorithm of ["sha1", "sha256"] as const) {
      const client = await mqtt({ port, ...credentials(BOARD, algorithm) });
      await client.endAsync(true);
    }
    // The largest expiry that the vendor's C SDK sends.
    await (await mqtt({ port, ...credentials(BOARD, "sha256", "9223372036854775807") })).endAsync(true);
    const good = credentials(BOARD);
    const reasons: string[] = [];
    cloud.on("refused", ({ reason }) => reasons.push(reason));
    const bad = [
      { ...good, password: good.password.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) },
      { ...good, password: good.password.replace("sha256", "sha1") },
      { ...good, password: "" },
      { clientId: good.clientId },
      credentials(BOARD, "sha256", "1600000000"),
      { ...good, username: good.username.replace("12010126;", "") },
      { ...good, username: `x${good.username}` },
      credentials({ ...BOARD, deviceSecret: "AAAA" }),
      credentials({ ...BOARD, deviceName: "stranger" }),
      { clientId: "", username: good.username, password: good.password },
    ];
    for (const options of bad) await assert.rejects(mqtt({ port, ...options }));
    assert.deepEqual(reasons, [
      "wrong password",
      "wrong password",
      "wrong password",
      "user name is not clientId;sdkAppId;connId;expiry",
      "user name has expired",
      "user name is not clientId;sdkAppId;connId;expiry",
      "user name does not begin with the client id",
      "wrong password",
      "unknown device",
      "unknown device",
    ]);
    assert.equal(cloud.devices.get(BOARD_ID)?.online, false);
  });
});

test("another device's topics are out of reach", async () => {
  await withCloud({}, async (cloud) => {
    const other = { ...BOARD, deviceName: "other" };
    cloud.addDevice("tencent", BOARD);
    cloud.addDevice("tencent", other);
    const board = await Board.connect(cloud);
    const filters = ["$ota/update/A1B2C3D4E5/other", "$ota/update/+/+", "$ota/#", "#", "$SYS/#", REPORT];
    for (const filter of filters) await assert.rejects(board.client.subscribeAsync(filter, { qos: 1 }), filter);
    const version = JSON.stringify({ type: "report_version", report: { version: "6" } });
    // Acknowledged and dropped; the connection stays.
    await board.client.publishAsync("$ota/report/A1B2C3D4E5/other", version, { qos: 1 });
    await board.client.publishAsync(UPDATE, version, { qos: 1 });
    await board.version("1");
    assert.equal((await board.next())["version"], "1");
    assert.equal(cloud.devices.get("tencent/A1B2C3D4E5/other")?.version, undefined);
    assert.deepEqual(
      cloud.violations().map(({ topic }) => topic),
      [...filters, "$ota/report/A1B2C3D4E5/other", UPDATE],
    );
    await board.leave();
  });
});

test("reading a report never throws, and what it makes of one is within bounds", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("downloading", "done", "fail", "-1", "0", "100", "1e9", "version"),
  );
  const shaped = fc.record({
    type: fc.constantFrom("report_version", "report_progress", "x"),
    report: fc.record(
      {
        version: value,
        progress: fc.oneof(
          value,
          fc.record({ state: value, percent: value, result_code: value, result_msg: value }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: [] },
    ),
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        shaped.map((message) => JSON.stringify(message)),
      ),
      (payload) => {
        const { report, complaints } = readReport(payload);
        assert.ok(report !== undefined || complaints.length > 0);
        if (report?.type !== "report_progress") return;
        assert.ok(report.percent === undefined || (report.percent >= 0 && report.percent <= 100));
        assert.ok(Number.isInteger(report.code) || complaints.length > 0);
      },
    ),
  );
});
