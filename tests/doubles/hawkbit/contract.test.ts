/** The rest of "The contract" in hawkbit.md: who is let in, what is refused, the states of actions and targets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DdiDevice, install, jsonOf, newBench } from "./device";

test("facts 2 and 3: tokens are off by default; the scheme's case counts; a gateway registers unknown targets", async () => {
  const { double, device } = await newBench();
  const status = (authorization: string, controllerId = "dev-1", path = ""): number =>
    new DdiDevice(double, controllerId, authorization).get(path).status;
  const { authorization } = device;
  assert.equal(status(authorization), 200);
  for (const wrong of [authorization.toLowerCase(), "TargetToken no", "Basic YTpi", "", "GatewayToken key"])
    assert.equal(status(wrong), 401, wrong);
  const { headers, body } = new DdiDevice(double, "dev-1", "TargetToken no").get("");
  assert.deepEqual([headers["WWW-Authenticate"], body.length], [undefined, 0]);
  assert.equal(status(authorization, "dev-9"), 401);
  await double.operator.prepare({ gatewayToken: "key" });
  assert.equal(status("GatewayToken key", "dev-9", "/deploymentBase/1"), 404, "not registered by this");
  assert.equal(status("GatewayToken key", "dev-9"), 200);
  const { updateStatus } = await double.operator.device("dev-9");
  assert.equal(updateStatus, "registered");
  await double.operator.deleteDevice("dev-9");
  assert.equal(status("GatewayToken key", "dev-9"), 200, "registered anew");
  double.repository.settings.targetTokens = false;
  assert.equal(status(authorization), 401);
});

test("fact 11: a body of another type is 415, a broken one 400, a wrong method 405", async () => {
  const { device, assign } = await newBench();
  const path = `/deploymentBase/${await assign("1.0.0")}/feedback`;
  const good = { status: { execution: "proceeding", result: { finished: "none" } } };
  const status = (body: unknown, type = "application/json"): number =>
    device.request("POST", path, body, { "content-type": type }).status;
  assert.equal(status({ ...good, id: "8", time: "now" }, "application/json; charset=utf-8"), 200);
  for (const type of ["", "text/plain", "application/hal+json"]) assert.equal(status(good, type), 415);
  for (const bad of ["{", "[]", {}, { status: { execution: "proceeding" } }, { status: { ...good.status, code: "x" } }])
    assert.equal(status(bad), 400, JSON.stringify(bad));
  assert.equal(device.request("POST", "/configData", { data: { a: 1 } }).status, 405);
  assert.equal(device.request("DELETE", "", undefined).status, 405);
});

test("fact 16: the interval is HH:mm:ss, and may vary", async () => {
  const { double, device, pass } = await newBench();
  const sleep = (): string =>
    (jsonOf(device.get("")) as { config: { polling: { sleep: string } } }).config.polling.sleep;
  assert.equal(sleep(), "00:05:00");
  await double.operator.prepare({ pollingTime: "01:00:00~10%" });
  const seen = new Set([sleep(), (pass(1), sleep())]);
  assert.deepEqual([...seen].sort(), ["00:54:00", "01:06:00"]);
  for (const wrong of ["00:00:29", "24:00:00", "300", "00:05"])
    await assert.rejects(double.operator.prepare({ pollingTime: wrong }), { message: /polling time/ });
});

test("facts 13 and 18: 304 is a poll, a document is not", async () => {
  const { double, device, assign, pass } = await newBench();
  const target = double.repository.target("dev-1");
  device.get(`/deploymentBase/${await assign("1.0.0")}`);
  assert.equal(target.lastSeen, undefined);
  const { headers } = device.get("");
  pass(10);
  const { status, framing } = device.get("", { "if-none-match": headers["ETag"]! });
  assert.deepEqual([status, framing, target.lastSeen], [304, "none", double.repository.now()]);
});

test("fact 17: the id names an action; c changes with every report and may be left out", async () => {
  const { device, assign } = await newBench();
  const id = await assign("1.0.0");
  const first = device.poll()["deploymentBase"]!;
  device.report(id, "proceeding");
  const second = device.poll()["deploymentBase"]!;
  assert.notEqual(first, second);
  assert.equal(first.split("?")[0], second.split("?")[0]);
  const status = (path: string): number => device.get(path).status;
  assert.deepEqual([status(first), status(`/deploymentBase/${id}`)], [200, 200], "an old c, and none");
});

test("fact 19: attributes are merged, replaced, removed; long and too many ones are refused", async () => {
  const { double, device } = await newBench();
  const put = (body: object): number => device.request("PUT", "/configData", body).status;
  const attributes = async (): Promise<unknown> => (await double.operator.device("dev-1")).attributes;
  assert.equal(put({ data: { a: 1, b: "x".repeat(128) } }), 200);
  assert.equal(put({ mode: "remove", data: { b: "" } }), 200);
  assert.deepEqual(await attributes(), { a: "1" });
  assert.equal(put({ mode: "replace", data: { c: true } }), 200);
  assert.deepEqual(await attributes(), { c: "true" });
  for (const bad of [{}, { data: {} }, { data: { a: "x".repeat(129) } }, { data: { ["k".repeat(129)]: 1 } }])
    assert.equal(put(bad), 400);
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, index]));
  assert.equal(put({ data: many }), 429);
});

test("facts 26 and 32: soft, time-forced and download-only", async () => {
  const { double, device, assign, pass } = await newBench();
  const handling = (id: string): unknown => {
    const { deployment } = jsonOf(device.get(`/deploymentBase/${id}`)) as { deployment: Record<string, unknown> };
    return [deployment["download"], deployment["update"]];
  };
  const soft = await assign("1.0.0", { type: "soft" });
  assert.deepEqual(handling(soft), ["attempt", "attempt"]);
  await double.operator.forceNow("dev-1", soft);
  assert.deepEqual(handling(soft), ["forced", "forced"]);
  device.report(soft, "closed", "failure");
  const timed = await assign("1.0.0", { type: "timeforced", forceTime: double.repository.now() + 5_000 });
  assert.deepEqual(handling(timed), ["attempt", "attempt"]);
  pass(5);
  assert.deepEqual(handling(timed), ["forced", "forced"]);
  device.report(timed, "closed", "failure");
  const only = await assign("1.0.0", { type: "downloadonly" });
  assert.deepEqual(handling(only), ["forced", "skip"]);
  assert.equal(device.report(only, "downloaded"), 200);
  const { status, active } = await double.operator.action("dev-1", only);
  assert.deepEqual([status, active], ["downloaded", false]);
  assert.equal((await double.operator.device("dev-1")).updateStatus, "in_sync");
  assert.equal(device.poll()["installedBase"], undefined);
  assert.equal(device.report(only, "closed", "success"), 410);
});

test("fact 21: part is the key of the type, except for two stock types", async () => {
  const { double, device } = await newBench();
  const { operator } = double;
  for (const [type, part] of [
    ["os", "os"],
    ["firmware", "firmware"],
    ["application", "bApp"],
    ["runtime", "jvm"],
  ] as const) {
    const order = { name: "xs", version: type, part: type, fileName: "fw.bin", bytes: Uint8Array.of(1) };
    const id = (await operator.assign("dev-1", await operator.upload(order)))!;
    const text = Buffer.from(device.get(`/deploymentBase/${id}`).body).toString();
    assert.match(text, new RegExp(`"part":"${part}"`));
    device.report(id, "closed", "failure");
  }
});

test("fact 27: a maintenance window is not enforced", async () => {
  const { double, device, assign, pass } = await newBench();
  const id = await assign("1.0.0", { window: { opensAt: double.repository.now() + 3_600_000, seconds: 60 } });
  pass(1);
  assert.equal(device.report(id, "closed", "success"), 200);
  assert.equal((await double.operator.device("dev-1")).updateStatus, "in_sync");
});

test("facts 37 and 40: what is answered after the end of an action, and for one of another device", async () => {
  const { device, another, assign } = await newBench();
  const id = await assign("1.0.0");
  assert.equal((await another("dev-2")).report(id, "closed", "success"), 404);
  assert.equal(device.report("999", "closed", "success"), 404);
  assert.equal(device.cancelReport(id, "closed", "success"), 405, "not canceling");
  assert.equal(device.get(`/cancelAction/${id}`).status, 404);
  assert.equal(device.get(`/installedBase/${id}`).status, 404);
  assert.equal(device.report(id, "closed", "failure"), 200);
  assert.equal(device.report(id, "proceeding"), 410);
  assert.equal(device.get(`/installedBase/${id}`).status, 200);
});

test("facts 42 and 43: force quit, three sets in a row, and obsolete actions that are closed silently", async () => {
  const { double, device, assign } = await newBench();
  const one = await assign("1.0.0");
  await double.operator.cancel("dev-1", one, true);
  assert.equal(device.report(one, "closed", "success"), 410);
  assert.equal(device.cancelReport(one, "closed", "success"), 200);
  const ids = [await assign("1.1.0"), await assign("1.2.0"), await assign("1.3.0")];
  for (const id of ids.slice(0, 2)) {
    assert.equal(device.poll()["cancelAction"], `/cancelAction/${id}`);
    assert.equal(device.cancelReport(id, "closed", "success"), 200);
  }
  assert.ok(device.poll()["deploymentBase"]!.startsWith(`/deploymentBase/${ids[2]}?`));
  await double.operator.prepare({ autoClose: true });
  const last = await assign("1.4.0");
  assert.ok(device.poll()["deploymentBase"]!.startsWith(`/deploymentBase/${last}?`));
  assert.equal(device.report(ids[2]!, "closed", "success"), 410);
});

test("facts 47 to 49: consent, by request and by standing consent", async () => {
  const { double, device, assign } = await newBench();
  await double.operator.prepare({ confirmation: true });
  const id = await assign("1.0.0");
  assert.equal(device.get(`/deploymentBase/${id}`).status, 404);
  assert.equal(device.report(id, "proceeding"), 404);
  assert.ok("confirmation" in (jsonOf(device.get(device.poll()["confirmationBase"]!)) as object));
  assert.equal(device.get("/softwaremodules/1/artifacts/app-1.0.0.bin", { range: "bytes=0-3" }).status, 206);
  const activate = (): number => device.request("POST", "/confirmationBase/activateAutoConfirm", "").status;
  assert.deepEqual([activate(), activate()], [200, 409]);
  assert.ok(device.poll()["deploymentBase"] !== undefined, "confirmed at once");
  assert.equal(device.get(`/confirmationBase/${id}`).status, 404);
  assert.equal(device.request("POST", "/confirmationBase/deactivateAutoConfirm", "").status, 200);
  device.report(id, "closed", "failure");
  assert.equal(device.request("POST", `/confirmationBase/${id}/feedback`, { confirmation: "confirmed" }).status, 410);
  await assign("1.1.0", { confirmationRequired: false });
  assert.ok(device.poll()["deploymentBase"] !== undefined);
});

test("fact 57: a device's own version is a set that the server knows, and does nothing to an open action", async () => {
  const { double, device, upload, assign } = await newBench();
  await upload("1.0.0");
  const say = (version: string): number => device.request("PUT", "/installedBase", { name: "xs-app", version }).status;
  assert.deepEqual([say("9.9.9"), say("1.0.0"), say("1.0.0")], [404, 201, 200]);
  assert.equal((await double.operator.device("dev-1")).updateStatus, "in_sync");
  const id = await assign("1.1.0");
  assert.equal(say("1.1.0"), 200);
  assert.equal((await double.operator.action("dev-1", id)).active, true);
});

test("a fault is answered once, and restarts keep what was stored", async () => {
  const bench = await newBench();
  const { double, device } = bench;
  double.faults.push({
    path: /dev-1$/,
    answer: { status: 500, headers: {}, body: new Uint8Array(), framing: "length", close: false },
  });
  assert.deepEqual([device.get("").status, device.get("").status], [500, 200]);
  await install(bench, "1.0.0");
  const sent = double.exchanges.map(({ request, answer }) => `${request.method} ${answer.status}`);
  assert.deepEqual(sent, ["GET 500", "GET 200", "GET 200", "GET 200", "POST 200"]);
});
