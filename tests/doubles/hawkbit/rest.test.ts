/** The REST client for real servers, against the double's management API: the records are those of the operator in code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { CONTRACT } from "../../../scripts/hawkbit/contract";
import type { HawkbitOperator } from "../../../host-sim/operators/hawkbit/operator";
import { accountFrom, RestOperator } from "../../../host-sim/operators/hawkbit/rest";
import { DdiDevice, IMAGE, jsonOf } from "./device";
import { HawkbitDouble } from "./server";

/** Everything that an operator can do, and what is to be read of it at the end. */
async function scenario(operator: HawkbitOperator, double: HawkbitDouble, pass: () => void): Promise<unknown[]> {
  const seen: unknown[] = [];
  await operator.prepare({ gatewayToken: "key", confirmation: false, autoClose: false, pollingTime: "00:10:00" });
  const { targetToken } = await operator.createDevice("dev-1");
  const device = new DdiDevice(double, "dev-1", `TargetToken ${targetToken}`);
  const upload = (version: string): Promise<string> =>
    operator.upload({
      name: "xs-app",
      version,
      part: "firmware",
      fileName: "fw.bin",
      bytes: IMAGE,
      metadata: { signature: "MEU" },
    });
  const [one, two] = [await upload("1.0.0"), await upload("1.1.0")];
  const first = (await operator.assign("dev-1", one, { type: "soft", weight: 500 }))!;
  await operator.forceNow("dev-1", first);
  seen.push(jsonOf(device.get(`/deploymentBase/${first}`)));
  device.report(first, "proceeding", "none", { details: ["received"], code: 7 });
  seen.push(await operator.action("dev-1", first));
  pass();
  device.report(first, "closed", "success");
  seen.push(await operator.assign("dev-1", one), await operator.device("dev-1"));
  const opensAt = double.repository.now() + 3_600_000;
  const second = (await operator.assign("dev-1", two, { window: { opensAt, seconds: 5_400 } }))!;
  seen.push(jsonOf(device.get(`/deploymentBase/${second}`)), double.repository.actionOf("dev-1", second).window);
  await operator.cancel("dev-1", second);
  device.cancelReport(second, "rejected");
  await operator.cancel("dev-1", second, true);
  await operator.withdraw(two);
  seen.push(await operator.actions("dev-1"), await operator.device("dev-1"));
  for (const name of ["fleet-1", "fleet-2"]) await operator.createDevice(name);
  const order = { name: "all", targets: "controllerid==fleet-*", firmware: one, groups: 2, success: 50, error: 10 };
  const rollout = await operator.rollOut(order);
  const fleet = double.repository.target("fleet-1");
  pass();
  new DdiDevice(double, "fleet-1", `TargetToken ${fleet.securityToken}`).report(
    String(fleet.actions[0]!.id),
    "closed",
    "failure",
  );
  pass();
  seen.push(await operator.rollout(rollout));
  await operator.resume(rollout);
  seen.push(await operator.rollout(rollout));
  await operator.deleteDevice("fleet-2");
  await operator.cleanUp();
  seen.push([...double.repository.targets.keys()]);
  return seen;
}

function newDouble(): { readonly double: HawkbitDouble; pass(milliseconds?: number): void } {
  let now = Date.UTC(2026, 10, 28, 12, 59, 59);
  return { double: new HawkbitDouble({ now: () => now }), pass: (milliseconds = 1_000) => void (now += milliseconds) };
}

async function restOf(
  t: TestContext,
): Promise<{ readonly double: HawkbitDouble; readonly rest: RestOperator; pass(milliseconds?: number): void }> {
  const { double, pass } = newDouble();
  await double.start();
  t.after(() => double.stop());
  return { double, pass, rest: new RestOperator({ url: double.url, user: "admin", password: "admin" }) };
}

test("each thing that an operator does has the same records by REST as in code", async (t) => {
  const { double, pass, rest } = await restOf(t);
  const inCode = newDouble();
  assert.deepEqual(
    await scenario(rest, double, pass),
    await scenario(inCode.double.operator, inCode.double, inCode.pass),
  );
});

test("a refusal of the server is one line with its reason", async (t) => {
  const { double, rest } = await restOf(t);
  await rest.createDevice("dev-1");
  await assert.rejects(rest.createDevice("dev-1"), { message: "POST targets: HTTP 409, target dev-1 exists already" });
  await assert.rejects(rest.device("dev-2"), { message: "GET targets/dev-2: HTTP 404, target dev-2 does not exist" });
  const stranger = new RestOperator({ url: double.url, user: "admin", password: "no" });
  await assert.rejects(stranger.prepare(), { message: /system\/configs\/\S+: HTTP 401, no JSON of hawkBit$/ });
  await double.stop();
  await assert.rejects(rest.device("dev-1"), {
    message: /^http:\/\/127\.0\.0\.1:\d+\/rest\/v1\/targets\/dev-1: \w+/,
  });
});

test("the address comes from the environment, the account has the stock server's default", () => {
  const XS_OTA_HAWKBIT = "http://192.0.2.1:8080/";
  const account = { url: "http://192.0.2.1:8080", user: "admin", password: "admin" };
  assert.deepEqual(accountFrom({ XS_OTA_HAWKBIT }), account);
  const given = { XS_OTA_HAWKBIT, XS_OTA_HAWKBIT_USER: "u", XS_OTA_HAWKBIT_PASSWORD: "p" };
  assert.deepEqual(accountFrom(given), { ...account, user: "u", password: "p" });
  for (const wrong of [undefined, "", "192.0.2.1:8080", "http://192.0.2.1/DEFAULT"])
    assert.throws(() => accountFrom({ XS_OTA_HAWKBIT: wrong }), { message: /^set XS_OTA_HAWKBIT: / });
});

for (const { title, run } of CONTRACT)
  test(`as claimed of a real server: ${title}`, async (t) => {
    const { double, rest, pass } = await restOf(t);
    await rest.prepare();
    await run({ operator: rest, wait: async (milliseconds) => pass(milliseconds) });
    await rest.cleanUp();
    assert.equal(double.repository.targets.size, 0);
  });
