/** The agent's own downloader against the file sides of both doubles, over sockets: their HTTP is one that it can use. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeDriver } from "../../download/node-driver";
import { newBench } from "../hawkbit/device";
import { image } from "../thingsboard/device";
import { ThingsBoardDouble } from "../thingsboard/server";
import { HttpServer } from "./server";

/** More than 100 requests of the agent's largest range. */
const FILE = image("1.0.0", 1_700_000);

test("hawkBit: a download over more than 100 requests has two connections and no hole", async (t) => {
  const { double, device } = await newBench();
  const order = { name: "xs-app", version: "1.0.0", part: "firmware", fileName: "fw.bin", bytes: FILE };
  await double.operator.assign("dev-1", await double.operator.upload(order));
  // The downloader has no header of its own yet: the token is put in on the way.
  const { authorization } = device;
  const server = new HttpServer({
    requestsPerConnection: 100,
    answer: (request) => double.answer({ ...request, headers: { ...request.headers, authorization } }),
  });
  await server.start();
  t.after(() => server.stop());
  const url = `${server.url}${device.base}/softwaremodules/1/artifacts/fw.bin`;
  const { image: got, last } = await new NodeDriver({ url, size: FILE.length }).run();
  assert.equal(last.type, "finished", JSON.stringify(last));
  assert.ok(Buffer.from(FILE).equals(got));
  const requests = double.exchanges.length;
  assert.ok(requests > 100 && server.connections === 2, `${requests} requests, ${server.connections} connections`);
});

test("ThingsBoard: a download by ranges, and a package that was replaced within it", async (t) => {
  const double = new ThingsBoardDouble();
  await double.start();
  t.after(() => double.stop());
  const { operator } = double;
  const profile = await operator.createProfile("xs");
  const { id, accessToken } = await operator.createDevice("dev-1", profile);
  await operator.assign(id, await operator.upload(profile, { title: "xs-app", version: "1.0.0", bytes: FILE }));
  const url = `${operator.server}/api/v1/${accessToken}/firmware?title=xs-app&version=1.0.0`;
  const whole = await new NodeDriver({ url, size: FILE.length }).run();
  assert.equal(whole.last.type, "finished", JSON.stringify(whole.last));
  assert.ok(Buffer.from(FILE).equals(whole.image));
  await operator.assign(
    id,
    await operator.upload(profile, { title: "xs-app", version: "2.0.0", bytes: image("2.0.0") }),
  );
  const { last } = await new NodeDriver({ url, size: FILE.length }).run();
  assert.ok(last.type === "download-failed" && last.message.includes("HTTP 400"), JSON.stringify(last));
});
