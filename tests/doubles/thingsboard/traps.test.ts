/** Traps T1 to T12 of thingsboard.md: the double has them. T8 is about time; here is only what brings it about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTRIBUTES, image, newBench, TELEMETRY } from "./device";

const part = (version: string, chunk: number, size = 4_096): Buffer =>
  Buffer.from(image(version).subarray(chunk * size, (chunk + 1) * size));

test("T1: a request id goes on with the old package on its connection, and with the new one after a reconnect", async () => {
  const { online, offer } = await newBench();
  await offer("1.0.0");
  const device = online();
  assert.deepEqual(device.chunk(7, 0, 4_096), part("1.0.0", 0));
  await offer("1.0.1");
  assert.deepEqual(device.chunk(7, 1, 4_096), part("1.0.0", 1), "bound to the old one");
  assert.deepEqual(device.chunk(8, 1, 4_096), part("1.0.1", 1), "a new id has the new one");
  const again = online();
  assert.deepEqual(again.chunk(7, 2, 4_096), part("1.0.1", 2), "mixed, and nothing tells");
});

test("T1: after it was withdrawn a bound id still has bytes, a new one none", async () => {
  const { double, id, online, offer } = await newBench();
  await offer("1.0.0");
  const device = online();
  device.chunk(7, 0, 4_096);
  await double.operator.assign(id, undefined);
  assert.deepEqual(device.chunk(7, 1, 4_096), part("1.0.0", 1));
  assert.equal(device.chunk(8, 1, 4_096), undefined);
  assert.deepEqual([device.errors, device.closed], [["NOT_FOUND"], true]);
});

test("T2: an hour after its load a bound id has empty chunks for ever; a new id heals both", async () => {
  const { online, offer, pass } = await newBench();
  await offer("1.0.0");
  const device = online();
  assert.equal(device.chunk(1, 0, 4_096)?.length, 4_096);
  for (let minute = 0; minute < 59; minute++) {
    pass(60);
    device.send({ cmd: "pingreq" });
  }
  assert.equal(device.chunk(1, 1, 4_096)?.length, 4_096);
  pass(60);
  for (let tries = 0; tries < 3; tries++) assert.equal(device.chunk(1, 1, 4_096)?.length, 0);
  assert.equal(device.chunk(2, 1, 4_096)?.length, 4_096);
  assert.equal(device.chunk(1, 1, 4_096)?.length, 4_096);
});

test("T2: so it is with more than 10 packages in flight, and when a package was deleted", async () => {
  const { double, profile, id, online, offer, upload } = await newBench();
  const first = await offer("1.0.0");
  const device = online();
  assert.equal(device.chunk(1, 0, 4_096)?.length, 4_096);
  for (let count = 1; count <= 10; count++) {
    await double.operator.assign(id, await upload(`2.0.${count}`));
    assert.equal(device.chunk(100 + count, 0, 4_096)?.length, 4_096);
  }
  assert.equal(device.chunk(1, 1, 4_096)?.length, 0);
  await double.operator.deletePackage(first);
  assert.equal(device.chunk(1, 1, 4_096)?.length, 0);
  assert.ok(profile.length > 0 && !device.closed);
});

test("T2: a restart of the server begins the hour anew, for request ids of a new connection", async () => {
  const { double, online, offer, pass } = await newBench();
  await offer("1.0.0");
  online().chunk(1, 0, 64);
  pass(3_000);
  await double.operator.restart!();
  const device = online();
  assert.equal(device.chunk(1, 1, 64)?.length, 64);
  pass(590);
  device.send({ cmd: "pingreq" });
  pass(590);
  assert.equal(device.chunk(1, 2, 64)?.length, 64);
});

test("T3: chunks are no activity: a session of nothing else is closed after 600 s, in the middle of the download", async () => {
  const { online, offer, pass } = await newBench();
  await offer("1.0.0");
  const quiet = online();
  quiet.chunk(1, 0, 64);
  for (let count = 1; count < 10; count++) {
    pass(60);
    assert.equal(quiet.chunk(1, count, 64)?.length, 64);
  }
  pass(60);
  assert.equal(quiet.chunk(1, 10, 64), undefined);
  assert.ok(quiet.closed);
});

test("T3: a ping or telemetry keeps it", async () => {
  const { online, offer, pass } = await newBench();
  await offer("1.0.0");
  const device = online();
  device.chunk(1, 0, 64);
  for (let count = 1; count < 12; count++) {
    pass(300);
    if (count % 2 === 0) device.send({ cmd: "pingreq" });
    else device.publish(TELEMETRY, { fw_state: "DOWNLOADING" });
  }
  assert.ok(!device.closed);
});

test("T4: an empty payload or a size of 0 asks for everything in one message, whatever the chunk", async () => {
  const { online, offer } = await newBench();
  await offer("1.0.0");
  const device = online();
  for (const [id, payload] of [
    [1, ""],
    [2, "0"],
    [3, "-1"],
  ] as const)
    assert.equal(device.chunk(id, 5, payload)?.length, 10_000, payload);
  assert.equal(device.chunk(4, 0, 4_096)?.length, 4_096);
  assert.equal(device.chunk(4, 1, "")?.length, 4_096, "the size that it was last asked with");
  assert.equal(device.chunk(4, 2, 100)?.length, 100);
  assert.equal(device.chunk(4, 3, "")?.length, 100);
});

test("T5: clean=false says that a session is present, and keeps nothing; an offer to an offline device is not pushed", async () => {
  const { double, id, dial, token, offer, upload } = await newBench();
  const device = dial();
  device.connect({ username: token, clean: false });
  assert.equal(device.last("connack").sessionPresent, true);
  device.subscribe(1, ATTRIBUTES);
  const again = dial();
  again.connect({ username: token, clean: false });
  assert.equal(again.last("connack").sessionPresent, true);
  await offer("1.0.0");
  assert.deepEqual(again.pushed(), [], "the subscription is gone");
  again.subscribe(1, ATTRIBUTES);
  assert.deepEqual(again.pushed(), [], "nor at the subscription");
  assert.notDeepEqual(again.attributes(), {}, "it has to ask");
  await double.operator.assign(id, await upload("1.0.1"));
  assert.equal(again.pushed().length, 2);
});

test("T6: a window before the first answer trips the limits, behind it it does not", async () => {
  const ask = async (first: boolean): Promise<{ chunks: number; closed: boolean }> => {
    const { online, offer } = await newBench("20:1,600:60");
    await offer("1.0.0");
    const device = online();
    if (first) device.chunk(1, 0, 64);
    device.messages.length = 0;
    device.send(...Array.from({ length: 64 }, (_, chunk) => device.packet(`v2/fw/request/1/chunk/${chunk}`, "64", 0)));
    return { chunks: device.messages.length, closed: device.closed };
  };
  assert.deepEqual(await ask(false), { chunks: 0, closed: true });
  assert.deepEqual(await ask(true), { chunks: 64, closed: false });
});

test("T6: answers to more than three at once come out of order, those to two in order", async () => {
  const { online, offer } = await newBench();
  await offer("1.0.0");
  const device = online();
  const order = (window: number): number[] => {
    device.messages.length = 0;
    device.send(
      ...Array.from({ length: window }, (_, chunk) => device.packet(`v2/fw/request/1/chunk/${chunk}`, "64", 0)),
    );
    return device.messages.map(({ topic }) => Number(topic.split("/").at(-1)));
  };
  assert.deepEqual(order(2), [0, 1]);
  assert.notDeepEqual(order(8), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(order(8).sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("T7: errors name no request, and the connection ends; for software they come on the same topic", async () => {
  const { double, profile, id, online, offer } = await newBench();
  for (const [topic, size, reason] of [
    ["v2/fw/request/7/chunk/0", "4096", "NOT_FOUND"],
    ["v2/sw/request/7/chunk/0", "4096", "NOT_FOUND"],
  ] as const) {
    const device = online();
    device.publish(topic, size);
    assert.deepEqual([device.errors, device.closed], [[reason], true]);
  }
  await offer("1.0.0");
  const device = online();
  assert.equal(device.chunk(1, 0, 65_536)?.length, 10_000);
  assert.equal(device.chunk(2, 0, 65_537), undefined);
  assert.deepEqual([device.errors, device.closed], [["PAYLOAD_TOO_LARGE"], true]);
  const link = { title: "xs-app", version: "9", url: "http://127.0.0.1:9/fw.bin" };
  await double.operator.assign(id, await double.operator.link(profile, link));
  const other = online();
  assert.equal(other.chunk(1, 0, 4_096), undefined);
  assert.deepEqual([other.errors, other.closed], [["FAILURE"], true]);
});

test("T8: chunks come at QoS 1 unless the device subscribed to them at QoS 0", async () => {
  const { online, offer } = await newBench();
  await offer("1.0.0");
  const device = online();
  device.chunk(1, 0, 64);
  assert.equal(device.messages[0]!.qos, 1);
  assert.deepEqual(device.subscribe(0, "v2/fw/response/+/chunk/+"), [0]);
  device.chunk(1, 1, 64);
  assert.equal(device.messages[0]!.qos, 0);
});

test("T9: a new offer comes with deleted keys that were never there; a withdrawal names fw_title", async () => {
  const { double, id, profile, online, offer } = await newBench();
  const device = online();
  await offer("1.0.0");
  const [deleted, all] = device.pushed() as Record<string, unknown>[];
  assert.deepEqual(deleted, { deleted: ["fw_tag", "fw_url"] });
  assert.deepEqual(Object.keys(all!), ["fw_title", "fw_version", "fw_size", "fw_checksum_algorithm", "fw_checksum"]);
  await offer("1.0.1", { tag: "xs-app 1.0.1" });
  assert.deepEqual(device.pushed()[0], { deleted: ["fw_url"] });
  const link = { title: "xs-app", version: "9", url: "http://127.0.0.1:9/fw.bin" };
  await double.operator.assign(id, await double.operator.link(profile, link));
  assert.deepEqual(device.pushed(), [
    { deleted: ["fw_checksum_algorithm", "fw_tag", "fw_checksum", "fw_size"] },
    { fw_title: "xs-app", fw_version: "9", fw_url: "http://127.0.0.1:9/fw.bin" },
  ]);
  await double.operator.assign(id, undefined);
  const [withdrawn] = device.pushed() as { deleted: string[] }[];
  assert.ok(withdrawn!.deleted.includes("fw_title") && withdrawn!.deleted.length === 9);
});

test("T10: 416 carries the whole file, and nothing has an ETag", async () => {
  const { offer, get } = await newBench();
  await offer("1.0.0");
  const file = "firmware?title=xs-app&version=1.0.0";
  const { status, body, headers, close } = get(file, { range: "bytes=10000-" });
  assert.deepEqual([status, body.length, headers["ETag"], close], [416, 10_000, undefined, true]);
});

test("T11: fw_error stays over a later success, and UPDATED at each boot overwrites the state of an open offer", async () => {
  const { double, id, online, offer, states, pass } = await newBench();
  const device = online();
  device.publish(TELEMETRY, { fw_state: "FAILED", fw_error: "trial: not confirmed" });
  pass(1);
  device.publish(TELEMETRY, { fw_state: "UPDATED", current_fw_version: "1.0.0" });
  const errors = async (): Promise<unknown> => (await double.operator.telemetry(id, ["fw_error"]))["fw_error"]!.at(-1);
  assert.equal(await errors(), "trial: not confirmed");
  device.publish(TELEMETRY, { fw_error: null });
  assert.equal(await errors(), "trial: not confirmed");
  device.publish(TELEMETRY, { fw_error: "" });
  assert.equal(await errors(), "");
  pass(1);
  await offer("1.0.1");
  pass(1);
  device.publish(TELEMETRY, { fw_state: "UPDATED" });
  pass(1);
  assert.equal((await states()).at(-1), "UPDATED");
  assert.deepEqual(
    device.messages.filter(({ topic }) => topic.startsWith("v2/")),
    [],
    "and it is never offered again by itself",
  );
});

test("T12: a version is text: 1.1.1 and 1.1.10 are two packages, and both are offered", async () => {
  const { online, offer } = await newBench();
  const device = online();
  await offer("1.1.1");
  await offer("1.1.10");
  const versions = device.pushed().map((each) => (each as Record<string, unknown>)["fw_version"]);
  assert.deepEqual(
    versions.filter((each) => each !== undefined),
    ["1.1.1", "1.1.10"],
  );
});
