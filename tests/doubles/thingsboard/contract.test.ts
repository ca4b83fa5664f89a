/** "Contract" of thingsboard.md over MQTT, beside the traps: who is let in, offers, limits of sizes, telemetry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTRIBUTES, image, newBench, OFFER_KEYS, TbDevice, TELEMETRY } from "./device";

test("facts 1 and 2: who is let in, and with which code not", async () => {
  const { double, id, dial, token } = await newBench();
  for (const version of [3, 4, 5] as const) {
    assert.equal(dial(version).connect({ username: token, password: Buffer.from("ignored") }), 0);
    const refused = dial(version);
    assert.equal(refused.connect({ username: "wrong" }), version === 5 ? 134 : 5);
    assert.ok(refused.closed);
  }
  assert.equal(dial().connect({}), 2, "no user name");
  const basic = async (credentials: object, identity: object): Promise<number> => {
    await double.operator.useBasicCredentials(id, credentials);
    return dial().connect(identity);
  };
  const password = Buffer.from("pw");
  assert.equal(await basic({ userName: "u", password: "pw" }, { username: "u", password, clientId: "any" }), 0);
  assert.equal(await basic({ clientId: "c" }, { clientId: "c" }), 0);
  assert.equal(
    await basic({ clientId: "c", userName: "u", password: "pw" }, { clientId: "d", username: "u", password }),
    5,
  );
  assert.equal(await basic({ userName: "u", password: "pw" }, { username: "u", password: Buffer.from("no") }), 5);
});

test("facts 3 and 4: other credentials, a deletion and a second connection end the first", async () => {
  const { double, id, online, dial, token } = await newBench();
  const first = online();
  const second = online();
  assert.deepEqual([first.closed, second.closed], [true, false]);
  await double.operator.useBasicCredentials(id, { clientId: "c" });
  assert.ok(second.closed);
  const third = dial();
  assert.equal(third.connect({ clientId: "c" }), 0);
  await double.operator.deleteDevice(id);
  assert.ok(third.closed);
  assert.equal(dial().connect({ username: token }), 5);
});

test("fact 6: only exact filters are granted, QoS 2 as 1", async () => {
  const { online } = await newBench();
  const granted = online().subscribe(
    2,
    ATTRIBUTES,
    `${ATTRIBUTES}/response/+`,
    "v2/fw/response/+/chunk/+",
    "v2/fw/error",
    "v2/fw/#",
    "v2/fw/response/+",
    "v2/fw/response/7/chunk/+",
  );
  assert.deepEqual(granted, [1, 1, 1, 1, 128, 128, 128]);
});

test("fact 7: answers need no subscription, a push does", async () => {
  const { dial, token, offer } = await newBench();
  const device = dial();
  device.connect({ username: token });
  await offer("1.0.0");
  assert.deepEqual(device.messages, []);
  assert.equal(device.chunk(1, 0, 64)?.length, 64);
  assert.notDeepEqual(device.attributes(), {});
});

test("fact 8: the limits of a session, as the real server tells them", async () => {
  const { online } = await newBench("20:1,600:60");
  const device = online();
  device.publish("v1/devices/me/rpc/request/1", { method: "getSessionLimits", params: {} });
  const { topic, payload } = device.messages.at(-1)!;
  const limits = "20:1,600:60";
  assert.equal(topic, "v1/devices/me/rpc/response/1");
  assert.deepEqual(JSON.parse(String(payload)), {
    maxPayloadSize: 65_536,
    maxInflightMessages: 100,
    rateLimits: { messages: limits, telemetryMessages: limits, telemetryDataPoints: limits },
  });
});

test("facts 9 to 12: packages that the server refuses", async () => {
  const { double, id, profile, upload, offer } = await newBench();
  const { operator } = double;
  await offer("1.0.0");
  await assert.rejects(upload("1.0.0", { tag: "other" }), {
    message: "OtaPackage with such title and version already exists!",
  });
  await assert.rejects(upload("1.0.1", { bytes: new Uint8Array() }), { message: /data should be specified/ });
  await assert.rejects(upload("1.0.2", { title: "<b>bold</b>" }), { message: /malformed/ });
  await assert.rejects(upload("1.0.3", { version: "1".repeat(256) }), { message: /length/ });
  const { fw_checksum } = (await operator.attributes(id, "SHARED_SCOPE")) as { fw_checksum: string };
  const bytes = image("1.0.0");
  await assert.rejects(upload("1.0.4", { bytes, checksum: fw_checksum.toUpperCase() }), {
    message: "Wrong otaPackage file!",
  });
  assert.ok(await upload("1.0.5", { bytes, checksum: fw_checksum, title: "a/b ? & \u6587 <" }));
  assert.ok(await upload("1.0.6", { bytes: Uint8Array.of(1) }));
  const other = await operator.createProfile("other");
  const foreign = await operator.upload(other, { title: "x", version: "1", bytes });
  await assert.rejects(operator.assign(id, foreign), {
    message: "Can't assign firmware with different deviceProfile!",
  });
  const empty = double.repository.createPackage(double.repository.profile(profile), { title: "none", version: "1" });
  await assert.rejects(operator.assign(id, empty.id), { message: "Can't assign firmware with empty data!" });
  const [first] = double.repository.packages.keys();
  await assert.rejects(operator.deletePackage(first!), { message: /referenced by the devices cannot be deleted/ });
});

test("fact 13: the device's own assignment wins; taken away, the profile's comes back; the same again does nothing", async () => {
  const { double, id, profile, online, upload } = await newBench();
  const { operator } = double;
  const [one, two] = [await upload("1.0.0"), await upload("2.0.0")];
  const device = online();
  const version = (): unknown => (device.pushed().at(-1) as Record<string, unknown> | undefined)?.["fw_version"];
  await operator.assignToProfile(profile, one);
  assert.equal(version(), "1.0.0");
  await operator.assign(id, two);
  assert.equal(version(), "2.0.0");
  await operator.assign(id, two);
  assert.equal(version(), undefined);
  await operator.assignToProfile(profile, undefined);
  await operator.assignToProfile(profile, one);
  assert.equal(version(), undefined);
  await operator.assign(id, undefined);
  assert.equal(version(), "1.0.0");
  const other = double.repository.createProfile("other");
  const theirs = await operator.upload(other.id, { title: "xs-app", version: "3.0.0", bytes: image("3.0.0") });
  await operator.assignToProfile(other.id, theirs);
  double.repository.changeProfile(double.repository.device(id), other);
  assert.equal(version(), "3.0.0");
  assert.ok(!device.closed);
});

test("fact 14: INITIATED is reached while the device is offline", async () => {
  const { double, id, offer, states } = await newBench();
  await offer("1.0.0", { tag: "t" });
  assert.deepEqual(await states(), ["QUEUED", "INITIATED"]);
  const told = await double.operator.telemetry(id, [
    "target_fw_title",
    "target_fw_version",
    "target_fw_tag",
    "fw_error",
  ]);
  assert.deepEqual(told, { target_fw_title: ["xs-app"], target_fw_version: ["1.0.0"], target_fw_tag: ["t"] });
});

test("facts 17 to 19: what a device can ask for", async () => {
  const { double, id, online, offer } = await newBench();
  const device = online();
  assert.deepEqual(device.attributes(), {}, "nothing assigned: no key shared");
  await offer("1.0.0");
  const { shared } = device.attributes() as { shared: Record<string, unknown> };
  assert.deepEqual(Object.keys(shared).sort(), [
    "fw_checksum",
    "fw_checksum_algorithm",
    "fw_size",
    "fw_title",
    "fw_version",
  ]);
  assert.deepEqual(device.attributes({ sharedKeys: "target_fw_ts,fw_ts" }), {});
  device.publish(ATTRIBUTES, { failed: "1.0.0" });
  await double.operator.setShared(id, { xs_ota_retry: 1 });
  assert.deepEqual(device.pushed().at(-1), { xs_ota_retry: 1 });
  const all = device.attributes({}) as Record<string, Record<string, unknown>>;
  assert.deepEqual([all["client"], all["shared"]!["xs_ota_retry"]], [{ failed: "1.0.0" }, 1]);
  assert.deepEqual(device.attributes({ clientKeys: "failed,none" }), { client: { failed: "1.0.0" } });
  for (const [topic, payload] of [
    [`${ATTRIBUTES}/request/x`, "{}"],
    [`${ATTRIBUTES}/request/1`, "{"],
  ] as const) {
    const other = online();
    other.publish(topic, payload);
    assert.ok(other.closed, topic);
  }
  assert.equal(OFFER_KEYS.split(",").length, 7);
});

test("fact 20: a package that is an address tells size and digest only where the operator gave them", async () => {
  const { double, id, profile, online } = await newBench();
  const device = online();
  const link = { title: "xs-app", version: "9", url: "http://files/fw.bin" };
  const given = { ...link, version: "10", size: 700_000, algorithm: "SHA256", checksum: "ab" } as const;
  await double.operator.assign(id, await double.operator.link(profile, link));
  assert.deepEqual(device.attributes(), { shared: { fw_title: "xs-app", fw_version: "9", fw_url: link.url } });
  await double.operator.assign(id, await double.operator.link(profile, given));
  const { shared } = device.attributes() as { shared: Record<string, unknown> };
  assert.deepEqual(
    [shared["fw_size"], shared["fw_checksum_algorithm"], shared["fw_checksum"]],
    [700_000, "SHA256", "ab"],
  );
});

test("facts 21 and 27: chunks; beyond the end an empty one, past 32 bits nothing, a wrong topic is ignored", async () => {
  const { online, offer } = await newBench();
  await offer("1.0.0");
  const device = online();
  for (const qos of [0, 1, 2] as const) {
    device.messages.length = 0;
    device.publish(`v2/fw/request/${qos + 1}/chunk/2`, "4096", qos);
    assert.equal(device.messages[0]!.payload.length, 10_000 - 8_192);
  }
  assert.ok(device.last("puback") !== undefined && device.last("pubrec") !== undefined);
  assert.equal(device.chunk("12345678901234567890", 0, 4_096)?.length, 4_096, "20 digits");
  assert.equal(device.chunk(1, 3, 4_096)?.length, 0);
  assert.equal(device.chunk(1, 600_000, 4_096), undefined);
  for (const topic of ["v2/fw/request/x/chunk/0", "v2/fw/request/1/chunk/-1", "some/topic"]) {
    device.messages.length = 0;
    device.publish(topic, "4096");
    assert.deepEqual([device.messages.length, device.closed], [0, false], topic);
  }
});

test("fact 26: a size that is no number of 32 bits ends the connection without a word", async () => {
  for (const [size, chunk] of [
    ["abc", "0"],
    ["4096 ", "0"],
    ['"4096"', "0"],
    ["2147483648", "0"],
    ["4096", "99999999999"],
  ] as const) {
    const { online, offer } = await newBench();
    await offer("1.0.0");
    const device = online();
    assert.equal(device.chunk(1, chunk, size), undefined);
    assert.deepEqual([device.errors, device.closed], [[], true], size);
  }
});

test("facts 35 and 36: over the limit the connection ends, with a reason only in MQTT 5; connects count too", async () => {
  const { online, dial, token } = await newBench("20:1,600:60");
  for (const version of [4, 5] as const) {
    const device = online(version);
    const message = device.packet(TELEMETRY, '{"a":1}', 1);
    for (let count = 0; count < 30 && !device.closed; count++) device.send(message);
    assert.ok(device.closed);
    assert.equal(
      device.packets.some(({ cmd }) => cmd === "disconnect"),
      version === 5,
    );
  }
  const codes = Array.from({ length: 16 }, () => dial().connect({ username: token }));
  assert.ok(codes.includes(3) && codes.at(-1) === 3, String(codes));
});

test("fact 35: one request id, one chunk after the other, is counted once", async () => {
  const { online, offer } = await newBench("20:1,600:60");
  await offer("1.0.0");
  const device = online();
  for (let chunk = 0; chunk < 156; chunk++) assert.ok(device.chunk(1, chunk, 64) !== undefined);
  let ids = 2;
  while (!device.closed) device.chunk(ids++, 0, 64);
  assert.ok(ids > 10 && ids <= 35, String(ids));
});

test("facts 43 to 47: telemetry of any words; too large or no JSON ends the connection, in MQTT 5 it is refused", async () => {
  const { double, id, online } = await newBench();
  const device = online();
  device.publish(TELEMETRY, { fw_state: "WHATEVER", fw_error: "x".repeat(60_000) });
  device.publish(TELEMETRY, { ts: 5, values: { fw_state: "OLDER" } });
  const { fw_state, fw_error } = await double.operator.telemetry(id, ["fw_state", "fw_error"]);
  assert.deepEqual([fw_state, fw_error![0]!.length], [["OLDER", "WHATEVER"], 60_000]);
  device.publish(TELEMETRY, "{");
  assert.ok(device.closed);
  const five = online(5);
  five.publish(TELEMETRY, "{");
  assert.deepEqual([five.last("puback").reasonCode, five.closed], [153, false]);
  five.publish(TELEMETRY, `"${"x".repeat(65_536)}"`);
  assert.ok(five.closed);
});

test("what a device sent is recorded, without its token", async () => {
  const { double, online, get, token } = await newBench();
  online().publish(TELEMETRY, { fw_state: "UPDATED" });
  get("attributes?sharedKeys=fw_title");
  const sent = double.transport.received.map(({ device, what }) => `${device} ${what}`);
  assert.deepEqual(sent, [`dev-1 ${TELEMETRY}`, "dev-1 GET attributes?sharedKeys=fw_title"]);
  assert.ok(!sent.join().includes(token));
});

test("a fork has the same records without connections, and neither hears of the other afterwards", async () => {
  const { double, id, token, online, offer, states } = await newBench();
  await offer("1.0.0");
  const device = online();
  device.chunk(1, 0, 64);
  const fork = double.fork({ now: double.transport.now, defer: (run) => run() });
  const there = new TbDevice(fork, () => undefined);
  assert.equal(there.connect({ username: token }), 0);
  assert.ok(!device.closed);
  assert.deepEqual(there.chunk(1, 0, 64), Buffer.from(image("1.0.0").subarray(0, 64)));
  there.publish(TELEMETRY, { fw_state: "FAILED" });
  await fork.operator.assign(id, undefined);
  assert.deepEqual(await states(), ["QUEUED", "INITIATED"]);
  assert.deepEqual((await fork.operator.telemetry(id, ["fw_state"]))["fw_state"], ["QUEUED", "INITIATED", "FAILED"]);
  assert.notDeepEqual(device.attributes(), {});
  assert.deepEqual(there.attributes(), {});
});
