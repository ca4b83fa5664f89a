/** The REST client for real servers, against the double's REST API: the records are those of the operator in code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { CONTRACT, runCheck } from "../../../scripts/thingsboard/contract";
import type { ThingsBoardOperator } from "../../../host-sim/operators/thingsboard/operator";
import { accountFrom, RestOperator } from "../../../host-sim/operators/thingsboard/rest";
import { image } from "./device";
import { ThingsBoardDouble } from "./server";

const ACCOUNT = { username: "tenant@thingsboard.org", password: "tenant" };

/** Everything that an operator can do, and what is to be read of it. */
async function scenario(operator: ThingsBoardOperator, double: ThingsBoardDouble): Promise<unknown[]> {
  const seen: unknown[] = [];
  const profile = await operator.createProfile("xs");
  const { id, accessToken } = await operator.createDevice("dev-1", profile);
  seen.push(accessToken.length);
  const one = await operator.upload(profile, { title: "xs-app", version: "1.0.0", bytes: image("1.0.0") });
  const two = await operator.upload(profile, {
    title: "xs-app",
    version: "2.0.0",
    tag: "t",
    bytes: image("2.0.0"),
    algorithm: "CRC32",
  });
  const url = await operator.link(profile, {
    title: "xs-app",
    version: "9",
    url: "http://files/fw.bin",
    size: 5,
    algorithm: "MD5",
    checksum: "ab",
  });
  await operator.assign(id, one);
  seen.push(await operator.attributes(id, "SHARED_SCOPE"));
  await operator.assignToProfile(profile, two);
  await operator.assign(id, undefined);
  seen.push(await operator.attributes(id, "SHARED_SCOPE"));
  await operator.assign(id, url);
  await operator.setShared(id, { xs_ota_retry: 1 });
  seen.push(await operator.attributes(id, "SHARED_SCOPE"), await operator.attributes(id, "CLIENT_SCOPE"));
  seen.push(await operator.telemetry(id, ["fw_state", "target_fw_version", "fw_error"]));
  await operator.useBasicCredentials(id, { userName: "u", password: "p" });
  seen.push(double.repository.device(id).credentials);
  await operator.deletePackage(one);
  seen.push(double.repository.packages.size);
  const other = await operator.createDevice("dev-2", profile);
  await operator.deleteDevice(other.id);
  await operator.cleanUp();
  const { devices, packages, profiles } = double.repository;
  seen.push([devices.size, packages.size, profiles.size]);
  return seen;
}

async function started(t: TestContext): Promise<ThingsBoardDouble> {
  // Each look at the clock is a millisecond later, so that no two values are of one time.
  let now = 0;
  const double = new ThingsBoardDouble({ now: () => (now += 10) });
  await double.start();
  t.after(() => double.stop());
  return double;
}

test("each thing that an operator does has the same records by REST as in code", async (t) => {
  const [byRest, inCode] = [await started(t), await started(t)];
  const rest = await RestOperator.login({ url: byRest.operator.server, ...ACCOUNT });
  assert.deepEqual(await scenario(rest, byRest), await scenario(inCode.operator, inCode));
});

test("a refusal of the server is one line with its reason", async (t) => {
  const double = await started(t);
  const url = double.operator.server;
  await assert.rejects(RestOperator.login({ url, username: "x", password: "y" }), {
    message: "POST auth/login: HTTP 401, Invalid username or password",
  });
  const rest = await RestOperator.login({ url, ...ACCOUNT });
  await assert.rejects(rest.assign("none", undefined), {
    message: "GET device/none: HTTP 404, Device with id [none] is not found",
  });
  const profile = await rest.createProfile("xs");
  const order = { title: "xs-app", version: "1.0.0", bytes: image("1.0.0"), checksum: "00" };
  await assert.rejects(rest.upload(profile, order), { message: /checksum=00: HTTP 400, Wrong otaPackage file!$/ });
  await double.stop();
  await assert.rejects(RestOperator.login({ url, ...ACCOUNT }), {
    message: /^http:\/\/127\.0\.0\.1:\d+\/api\/auth\/login: \w+/,
  });
});

test("the address comes from the environment, the account has the demo installation's default", () => {
  const XS_OTA_THINGSBOARD = "http://192.0.2.1:8080";
  const account = { url: XS_OTA_THINGSBOARD, ...ACCOUNT, mqttPort: 1_883 };
  assert.deepEqual(accountFrom({ XS_OTA_THINGSBOARD }), account);
  const port = (text: string): unknown => accountFrom({ XS_OTA_THINGSBOARD, XS_OTA_THINGSBOARD_MQTT_PORT: text });
  assert.deepEqual(port("2883"), { ...account, mqttPort: 2_883 });
  for (const wrong of [undefined, "192.0.2.1:8080", "http://192.0.2.1/api"])
    assert.throws(() => accountFrom({ XS_OTA_THINGSBOARD: wrong }), { message: /^set XS_OTA_THINGSBOARD: / });
  for (const wrong of ["x", "0", "70000"]) assert.throws(() => port(wrong), { message: /_MQTT_PORT: a port/ });
});

for (const { title, run } of CONTRACT)
  test(`as claimed of a real server: ${title}`, async (t) => {
    const double = await started(t);
    const { host, port } = double.operator.mqtt;
    const rest = await RestOperator.login({ url: double.operator.server, ...ACCOUNT, mqttPort: port });
    assert.equal(host, rest.mqtt.host);
    await runCheck(rest, run);
    await rest.cleanUp();
    assert.equal(double.repository.devices.size, 0);
  });
