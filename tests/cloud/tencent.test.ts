import assert from "node:assert/strict";
import { test } from "node:test";
import { BOARD, Board, BOARD_ID, firmware, http, REPORT, withCloud } from "./helpers";

/**
 * Resolves after the push that an answered version report may cause, in a cloud whose push delay is 0. Node calls
 * timers of equal duration in the order in which they were set.
 */
const pushDelayOver = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("a version report is answered at QoS 0 with the bytes that the platform's log shows", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    await board.version("0.1.0");
    assert.equal((await board.next())["qos"], 0);
    const [text = ""] = board.texts;
    assert.equal(text, '{"result_code":0,"result_msg":"success","type":"report_version_rsp","version":"0.1.0"}');
    assert.equal(text.length, 86);
    assert.equal(cloud.devices.get(BOARD_ID)?.version, "0.1.0");
    await board.leave();
  });
});

test("a whole update: pending while offline, pushed after the version report, followed to done", async () => {
  await withCloud({}, async (cloud) => {
    const bytes = firmware(70_000);
    const file = await cloud.packages.add(bytes, { version: "0.2.0" });
    cloud.addDevice("tencent", BOARD);
    const task = cloud.push(BOARD_ID, file);
    assert.deepEqual([task.status, task.state, task.pushes], ["pending", 0, 0]);

    const board = await Board.connect(cloud);
    assert.equal(cloud.tasks.get(task.id)?.state, 1);
    await board.version("0.1.0");
    assert.equal((await board.next())["type"], "report_version_rsp");
    const offer = await board.next();
    const { url, ...rest } = offer;
    assert.deepEqual(rest, { file_size: 70_000, md5sum: file.md5, type: "update_firmware", version: "0.2.0", qos: 0 });
    assert.match(
      board.texts[1] ?? "",
      /^\{"file_size":70000,"md5sum":"[0-9a-f]{32}","type":"update_firmware","url":"http:/,
    );
    assert.deepEqual((await http(String(url))).body, Buffer.from(bytes));
    assert.equal(cloud.traffic.ofDevice(BOARD_ID).bytes, 70_000);
    assert.equal(cloud.tasks.get(task.id)?.state, 2);

    const states: [number, number | undefined][] = [];
    cloud.on("task", ({ state, percent }) => states.push([state, percent]));
    await board.progress("0.2.0", { state: "downloading", percent: "0" }, 0);
    await board.progress("0.2.0", { state: "downloading", percent: "100" }, 0);
    await board.progress("0.2.0", { state: "burning" });
    await board.version("0.2.0");
    assert.equal((await board.next())["type"], "report_version_rsp");
    const settled = cloud.settled(task.id);
    await board.progress("0.2.0", { state: "done" });
    const end = await settled;
    assert.deepEqual(states, [
      [3, 0],
      [3, 100],
      [4, 100],
      [6, 100],
    ]);
    assert.deepEqual([end.status, end.code, end.message, end.pushes], ["success", 0, "", 1]);
    assert.deepEqual(cloud.violations(), []);
    await board.leave();
  });
});

test("an online device is pushed to at once, and a new push takes the place of one under way", async () => {
  await withCloud({}, async (cloud) => {
    const two = await cloud.packages.add(firmware(5_000), { version: "2" });
    const three = await cloud.packages.add(firmware(6_000), { version: "3" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    const first = cloud.push(BOARD_ID, two);
    assert.equal((await board.next())["version"], "2");
    const second = cloud.push(BOARD_ID, three);
    assert.equal((await board.next())["version"], "3");
    assert.equal(cloud.tasks.get(first.id)?.status, "cancelled");
    // The device can not know yet: a late word on the first is neither counted nor held against it.
    await board.progress("2", { state: "downloading", percent: "5" });
    await board.progress("3", { state: "downloading", percent: "1" });
    assert.equal(cloud.tasks.get(second.id)?.percent, 1);
    assert.equal(cloud.tasks.get(first.id)?.percent, undefined);
    assert.deepEqual(cloud.violations(), []);
    await board.leave();
  });
});

test("the pending task comes again, with a fresh URL, at each report of another version and not at one of its own", async () => {
  let now = 1_700_000_000_000;
  await withCloud({ now: () => now, tencent: { pushDelay: 0 } }, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    cloud.push(BOARD_ID, file);
    const first = await board.next();
    now += 90_000;
    await board.version("1");
    assert.equal((await board.next())["type"], "report_version_rsp");
    const again = await board.next();
    assert.deepEqual({ ...again, url: "" }, { ...first, url: "" });
    assert.notEqual(again["url"], first["url"]);
    for (const version of ["2", "2", "1"]) {
      await board.version(version);
      assert.equal((await board.next())["type"], "report_version_rsp");
      await pushDelayOver();
    }
    assert.equal((await board.next())["type"], "update_firmware");
    assert.equal(cloud.tasks.active(BOARD_ID)?.pushes, 3);
    await board.leave();
  });
});

test("fail ends the task with its code and text, and nothing is pushed again", async () => {
  await withCloud({ tencent: { pushDelay: 0 } }, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    const task = cloud.push(BOARD_ID, file);
    await board.next();
    await board.progress("2", { state: "fail", result_code: "-4", result_msg: "md5 mismatch" });
    const end = await cloud.settled(task.id);
    assert.deepEqual([end.status, end.state, end.code, end.message], ["failure", 5, -4, "md5 mismatch"]);
    await board.version("1");
    assert.equal((await board.next())["type"], "report_version_rsp");
    await pushDelayOver();
    await board.version("1");
    assert.equal((await board.next())["type"], "report_version_rsp");
    const again = cloud.push(BOARD_ID, file);
    assert.equal((await board.next())["type"], "update_firmware");
    assert.equal(cloud.tasks.get(again.id)?.pushes, 1);
    await board.leave();
  });
});

test("one final report: a marked repetition and one over a new connection are fine, anything else is a violation", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    let board = await Board.connect(cloud);
    const task = cloud.push(BOARD_ID, file);
    await board.next();
    const rules = (): string[] => cloud.violations().map(({ rule }) => rule);
    await board.progress("2", { state: "done" });
    await board.progress("2", { state: "done" }, 1, true);
    await board.leave();
    board = await Board.connect(cloud);
    await board.progress("2", { state: "done" });
    assert.deepEqual(rules(), []);
    await board.progress("2", { state: "fail", result_code: "-5", result_msg: "no" });
    assert.deepEqual(rules(), ["reported after its final report"]);
    assert.equal(cloud.violations()[0]?.task, task.id);
    await board.progress("9", { state: "downloading", percent: "1" });
    assert.deepEqual(rules().slice(1), ["reported on a version that was not pushed"]);
    assert.equal(cloud.tasks.get(task.id)?.status, "success");
    await board.leave();
  });
});

test("a second, unmarked final report on the same connection is a violation", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    cloud.push(BOARD_ID, file);
    await board.next();
    await board.progress("2", { state: "done" });
    await board.progress("2", { state: "done" });
    assert.equal(cloud.violations().length, 1);
    await board.leave();
  });
});

test("reports whose JSON differs from the documented form are understood and noted", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    const task = cloud.push(BOARD_ID, file);
    await board.next();
    await board.progress("2", { state: "downloading", percent: 7, result_code: 0 });
    assert.equal(cloud.tasks.get(task.id)?.percent, 7);
    await board.progress("2", { state: "burning", percent: "100" });
    for (const payload of ["", "nonsense", "[]", "{}", '{"type":"report_version","report":{"version":""}}']) {
      await board.client.publishAsync(REPORT, payload, { qos: 1 });
    }
    assert.deepEqual(
      cloud.violations().map(({ rule }) => rule),
      [
        "result_code is not a string",
        "percent is not a string",
        "percent has no place in burning",
        "not a JSON object with a report",
        "not a JSON object with a report",
        "not a JSON object with a report",
        "not a JSON object with a report",
        "version does not have 1 to 32 characters",
      ],
    );
    await board.leave();
  });
});

test("the log holds every message as it was received, in the order of the wire, and no more than its limit", async () => {
  await withCloud({ logLimit: 6 }, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    // In one burst: the broker's own queues would let the QoS 0 messages overtake the others.
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        board.client.publishAsync(REPORT, ` {"n": ${index}}`, { qos: index % 2 === 0 ? 1 : 0 }),
      ),
    );
    await board.client.publishAsync(REPORT, "last", { qos: 1 });
    const log = cloud.devices.messages(BOARD_ID);
    assert.deepEqual(
      log.map(({ payload }) => payload),
      [15, 16, 17, 18, 19].map((n) => ` {"n": ${n}}`).concat("last"),
    );
    assert.deepEqual(
      log.map(({ qos }) => qos),
      [0, 1, 0, 1, 0, 1],
    );
    assert.ok(
      log.every((entry) => entry.topic === REPORT && entry.direction === "up" && entry.connection !== undefined),
    );
    await board.leave();
  });
});

test("an offer can be pushed with wrong fields on purpose", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    cloud.push(BOARD_ID, file, { fields: { file_size: 0, md5sum: undefined, fw_type: "mcu" } });
    const offer = await board.next();
    assert.deepEqual([offer["file_size"], "md5sum" in offer, offer["fw_type"]], [0, false, "mcu"]);
    await board.leave();
  });
});

test("a task times out, and a late report of the device is no violation", async () => {
  await withCloud({ tencent: { taskTimeout: 0.01 } }, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    const end = await cloud.settled(cloud.push(BOARD_ID, file).id);
    assert.deepEqual([end.status, end.state], ["failure", 10]);
    await board.progress("2", { state: "done" });
    assert.deepEqual(cloud.violations(), []);
    await board.leave();
  });
});

test("a removed package fails its task in place of an offer", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    cloud.addDevice("tencent", BOARD);
    const task = cloud.push(BOARD_ID, file);
    await cloud.packages.remove(file.id);
    const board = await Board.connect(cloud);
    await board.version("1");
    const end = await cloud.settled(task.id);
    assert.deepEqual([end.status, end.message], ["failure", "the package was removed"]);
    await board.leave();
  });
});
