/** Traps 1 to 4, 7 to 11, 15, 17, 20 of hawkbit.md: what reports do and do not do on the real server, and so here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { install, jsonOf, newBench } from "./device";
import { EXECUTIONS, RESULTS } from "./action-reports";

test("trap 1: closed with result none is success", async () => {
  const { double, device, assign } = await newBench();
  const id = await assign("1.0.0");
  assert.equal(device.report(id, "closed", "none"), 200);
  assert.equal((await double.operator.action("dev-1", id)).status, "finished");
  assert.equal((await double.operator.device("dev-1")).updateStatus, "in_sync");
});

test("trap 2: a GET of a closed action flips it back to retrieved, and installedBase is gone from the poll", async () => {
  const bench = await newBench();
  const { double, device } = bench;
  const id = await install(bench, "1.0.0");
  assert.ok(device.poll()["installedBase"] !== undefined);
  assert.equal(device.get(`/installedBase/${id}`).status, 200);
  assert.equal((await double.operator.action("dev-1", id)).status, "finished");
  assert.equal(device.get(`/deploymentBase/${id}`).status, 200);
  assert.equal((await double.operator.action("dev-1", id)).status, "retrieved");
  assert.equal(device.poll()["installedBase"], undefined);
  assert.equal(device.report(id, "closed", "success"), 410);
});

test("trap 3: a timestamp of 1970, or of 2040, leaves the target pending", async () => {
  for (const first of [undefined, Date.UTC(2040, 0)]) {
    const { double, device, assign, pass } = await newBench();
    const { operator } = double;
    const one = await assign("1.0.0");
    // The very first success is taken with any time.
    const stamped = (status: string, timestamp?: number) => ({
      status: { execution: status, result: { finished: "success" } },
      timestamp,
    });
    device.request("POST", `/deploymentBase/${one}/feedback`, stamped("closed", first));
    assert.equal((await operator.device("dev-1")).updateStatus, "in_sync");
    pass(60);
    const two = await assign("1.1.0");
    const timestamp = first === undefined ? 5_000 : undefined;
    assert.equal(device.request("POST", `/deploymentBase/${two}/feedback`, stamped("closed", timestamp)).status, 200);
    assert.equal((await operator.action("dev-1", two)).status, "finished");
    const { updateStatus, installed, assigned } = await operator.device("dev-1");
    assert.equal(updateStatus, "pending");
    assert.notEqual(installed, assigned);
  }
});

test("trap 4: only closed ends an action: all other reports leave it offered, whatever their result", async () => {
  const { double, device, assign } = await newBench();
  const id = await assign("1.0.0");
  device.get(`/deploymentBase/${id}`);
  for (const execution of EXECUTIONS.filter((each) => each !== "closed"))
    for (const finished of RESULTS) {
      assert.equal(device.report(id, execution, finished), 200);
      const { active, status } = await double.operator.action("dev-1", id);
      assert.deepEqual([active, status], [true, "retrieved"], `${execution} ${finished}`);
      assert.ok(device.poll()["deploymentBase"] !== undefined);
    }
});

test("trap 4: consent that is denied is asked for again", async () => {
  const { double, device, assign } = await newBench();
  await double.operator.prepare({ confirmation: true });
  const id = await assign("1.0.0");
  const say = (confirmation: string) => device.request("POST", `/confirmationBase/${id}/feedback`, { confirmation });
  assert.equal(say("denied").status, 200);
  assert.ok(device.poll()["confirmationBase"] !== undefined);
  assert.equal(say("maybe").status, 400);
  assert.equal(say("confirmed").status, 200);
  assert.ok(device.poll()["deploymentBase"] !== undefined);
});

test("trap 7: a cancel that is answered after burning says canceled, in sync with the old version", async () => {
  const bench = await newBench();
  const { double, device, assign } = bench;
  await install(bench, "1.0.0");
  const { installed } = await double.operator.device("dev-1");
  const id = await assign("1.1.0");
  device.report(id, "proceeding");
  await double.operator.cancel("dev-1", id);
  assert.equal(device.cancelReport(id, "closed", "success"), 200);
  assert.equal((await double.operator.action("dev-1", id)).status, "canceled");
  const record = await double.operator.device("dev-1");
  assert.deepEqual([record.updateStatus, record.installed], ["in_sync", installed]);
});

test("trap 7: rejected brings the action back, and the result of the trial wins over a cancel", async () => {
  const { double, device, assign, pass } = await newBench();
  const id = await assign("1.0.0");
  for (const [execution, finished] of [
    ["rejected", "none"],
    ["closed", "failure"],
  ] as const) {
    await double.operator.cancel("dev-1", id);
    assert.equal(device.cancelReport(id, execution, finished), 200);
    assert.equal((await double.operator.action("dev-1", id)).status, "running");
    assert.ok(device.poll()["deploymentBase"] !== undefined);
  }
  await double.operator.cancel("dev-1", id);
  for (const execution of ["proceeding", "canceled"]) {
    assert.equal(device.cancelReport(id, execution), 200);
    assert.equal((await double.operator.action("dev-1", id)).status, "canceling", execution);
  }
  pass(1);
  assert.equal(device.report(id, "proceeding"), 200);
  assert.equal(device.report(id, "closed", "success"), 200);
  assert.equal((await double.operator.action("dev-1", id)).status, "finished");
  assert.equal(device.poll()["cancelAction"], undefined);
});

test("trap 8: a superseded action that fails leaves the target in error after the new one succeeded", async () => {
  const { double, device, assign, pass } = await newBench();
  const old = await assign("1.0.0");
  const next = await assign("1.1.0");
  assert.deepEqual(Object.keys(device.poll()), ["cancelAction", "configData"]);
  assert.equal(device.report(old, "closed", "failure"), 200);
  assert.ok(device.poll()["deploymentBase"]!.startsWith(`/deploymentBase/${next}`));
  pass(1);
  assert.equal(device.report(next, "closed", "success"), 200);
  const { updateStatus, assigned } = await double.operator.device("dev-1");
  assert.deepEqual([updateStatus, assigned], ["error", undefined]);
});

test("trap 9: a version that was told to be installed is not offered again; one that failed has a new id", async () => {
  const bench = await newBench();
  const { double, device, assign, upload } = bench;
  await install(bench, "1.0.0");
  assert.equal(await double.operator.assign("dev-1", await upload("1.0.0")), undefined);
  const failed = await assign("1.1.0");
  device.report(failed, "closed", "failure");
  assert.equal(device.poll()["deploymentBase"], undefined, "not offered by itself");
  assert.notEqual(await assign("1.1.0"), failed);
});

test("trap 10: an open action is offered under the same id after a restart of the device", async () => {
  const { device, assign } = await newBench();
  const id = await assign("1.0.0");
  device.report(id, "proceeding", "none", { details: ["rebooting"] });
  assert.ok(device.poll()["deploymentBase"]!.startsWith(`/deploymentBase/${id}?`));
  const { actionHistory } = jsonOf(device.get(`/deploymentBase/${id}?actionHistory=-1`)) as Record<string, unknown>;
  assert.deepEqual(actionHistory, { status: "RUNNING", messages: ["rebooting"] });
});

test("trap 11: ids are decimal strings, with zeros at their end and up to 64 bits", async () => {
  for (const firstAction of [10n, 100n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    const { double, device, assign } = await newBench({ firstAction });
    const id = await assign("1.0.0");
    assert.equal(id, String(firstAction));
    assert.equal((jsonOf(device.get(`/deploymentBase/${id}`)) as { id: unknown }).id, id);
    await double.operator.cancel("dev-1", id);
    assert.deepEqual(jsonOf(device.get(`/cancelAction/${id}`)), { id, cancelAction: { stopId: id } });
    assert.equal(device.cancelReport(id, "closed", "success"), 200);
  }
});

test("trap 15: configData is asked for after success, and not after a failure or a cancel", async () => {
  const bench = await newBench();
  const { double, device, assign } = bench;
  const put = (): number => device.request("PUT", "/configData", { data: { "fw.version": "1.0.0" } }).status;
  assert.ok(device.poll()["configData"] !== undefined, "at the first contact");
  assert.equal(put(), 200);
  assert.equal(device.poll()["configData"], undefined);
  device.report(await assign("1.0.0"), "closed", "failure");
  assert.equal(device.poll()["configData"], undefined);
  await double.operator.cancel("dev-1", await assign("1.0.0"), true);
  assert.equal(device.poll()["configData"], undefined);
  assert.equal(put(), 200, "unasked");
  await install(bench, "1.0.0");
  assert.ok(device.poll()["configData"] !== undefined);
});

test("traps 17 and 20: 1,000 entries of an action, the server's own among them; closed still goes through", async () => {
  const { double, device, assign, pass } = await newBench();
  const id = await assign("1.0.0");
  device.get(`/deploymentBase/${id}`);
  let taken = 0;
  while (device.report(id, "proceeding") === 200) taken++;
  assert.equal(taken, 998);
  const refused = device.request("POST", `/deploymentBase/${id}/feedback`, {
    status: { execution: "proceeding", result: { finished: "none" } },
  });
  assert.equal(refused.status, 429);
  assert.match(JSON.stringify(jsonOf(refused)), /quota\.tooManyEntries/);
  pass(1);
  assert.equal(device.report(id, "closed", "success"), 200);
  assert.equal((await double.operator.action("dev-1", id)).history.length, 1_001);
});

test("trap 17: more than 50 details refuse the whole report; a long one is cut into pieces of 512 characters", async () => {
  const { double, device, assign } = await newBench();
  const id = await assign("1.0.0");
  assert.equal(device.report(id, "proceeding", "none", { details: Array(51).fill("x") }), 429);
  assert.equal(device.report(id, "proceeding", "none", { details: Array(50).fill("x") }), 200);
  const long = "\u6587".repeat(1_100);
  assert.equal(device.report(id, "proceeding", "none", { details: long, code: 11 }), 200);
  const { history, lastStatusCode } = await double.operator.action("dev-1", id);
  assert.deepEqual(
    history.at(-1)!.messages.map(({ length }) => length),
    [512, 512, 76, "Device reported status code: 11".length],
  );
  assert.equal(history.at(-1)!.messages.slice(0, 3).join(""), long);
  assert.equal(lastStatusCode, 11);
});
