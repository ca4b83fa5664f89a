/** The device API over HTTP: facts 3 and 37 to 42 of thingsboard.md. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../http/message";
import { image, newBench } from "./device";
import type { Bench } from "./device";

const FILE = "firmware?title=xs-app&version=1.0.0";
const IMAGE = image("1.0.0");

async function offered(limits?: string): Promise<Bench> {
  const bench = await newBench(limits);
  await bench.offer("1.0.0");
  return bench;
}

test("the whole file, and a HEAD of it", async () => {
  const { get } = await offered();
  const { status, headers, body } = get(FILE);
  assert.deepEqual([status, headers["Accept-Ranges"], headers["x-filename"]], [200, "bytes", "xs-app 1.0.0.bin"]);
  assert.deepEqual([headers["ETag"], headers["Last-Modified"]], [undefined, undefined]);
  assert.deepEqual(Buffer.from(body), Buffer.from(IMAGE));
});

test("ranges, of the file and of a chunk of it", async () => {
  const { get } = await offered();
  for (const [query, range, first, last, size] of [
    ["", "bytes=100-199", 100, 199, 10_000],
    ["", "bytes=6000-", 6_000, 9_999, 10_000],
    ["&size=4096&chunk=1", "bytes=0-9", 0, 9, 4_096],
  ] as const) {
    const { status, headers, body } = get(FILE + query, { range });
    assert.deepEqual([status, headers["Content-Range"]], [206, `bytes ${first}-${last}/${size}`]);
    const base = query === "" ? 0 : 4_096;
    assert.deepEqual(Buffer.from(body), Buffer.from(IMAGE.subarray(base + first, base + last + 1)));
  }
  assert.equal(get(FILE, { range: "bytes=0-1,5-6" }).broken, true);
});

test("chunks: the same arithmetic as over MQTT, and no limit of size", async () => {
  const { get } = await offered();
  const part = (query: string): unknown => {
    const { status, body } = get(FILE + query);
    return [status, body.length];
  };
  assert.deepEqual(part("&size=4096&chunk=2"), [200, 1_808]);
  assert.deepEqual(part("&size=4096&chunk=3"), [200, 0]);
  assert.deepEqual(part("&size=100"), [200, 100]);
  assert.deepEqual(part("&chunk=1"), [200, 10_000]);
  assert.deepEqual(part("&size=0&chunk=1"), [200, 10_000]);
  assert.deepEqual(part("&size=200000&chunk=0"), [200, 10_000]);
  assert.deepEqual(part("&size=100&chunk=-1"), [500, 0]);
  assert.equal((part("&size=abc") as number[])[0], 400);
});

test("title and version are compared with the assignment of now", async () => {
  const bench = await offered();
  const { double, id, profile, get } = bench;
  const status = (query: string): number => get(query).status;
  assert.equal(status("firmware?title=xs-app&version=1.0.1"), 400);
  const missing = get("firmware?title=xs-app");
  assert.deepEqual([missing.status, missing.headers["Content-Type"]], [400, "application/json"]);
  await bench.offer("1.0.1");
  const old = get(FILE);
  assert.deepEqual([old.status, old.body.length, old.close], [400, 0, true]);
  await double.operator.assign(id, undefined);
  assert.equal(status(FILE), 404);
  const link = { title: "xs-app", version: "1.0.0-url", url: "http://files/fw.bin" };
  await double.operator.assign(id, await double.operator.link(profile, link));
  assert.equal(status("firmware?title=xs-app&version=1.0.0-url"), 404);
  await double.operator.useBasicCredentials(id, { clientId: "c" });
  assert.equal(status(FILE), 401, "only an access token is known");
});

test("attributes and telemetry, as over MQTT", async () => {
  const { double, id, token, get } = await offered();
  const { body } = get("attributes?sharedKeys=fw_title,fw_version");
  assert.deepEqual(parseJson(body), { shared: { fw_title: "xs-app", fw_version: "1.0.0" } });
  const post = (text: string): number => {
    const request = {
      method: "POST",
      target: `/api/v1/${token}/telemetry`,
      headers: {},
      address: "",
      scheme: "http",
    } as const;
    return double.answer({ ...request, body: Buffer.from(text) }).status;
  };
  assert.deepEqual([post('{"fw_state":"UPDATED"}'), post("{")], [200, 500]);
  assert.deepEqual((await double.operator.telemetry(id, ["fw_state"]))["fw_state"]!.at(-1), "UPDATED");
});

test("fact 37: over the limit a file is 500, and a question for attributes has no answer", async () => {
  const { get } = await offered("5:1,600:60");
  const statuses: number[] = [];
  for (let count = 0; count < 6; count++) statuses.push(get(FILE).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 500]);
  assert.equal(get("attributes").status, 0);
});

test("a fault is answered once", async () => {
  const { double, get } = await offered();
  double.faults.push({
    path: /firmware/,
    answer: { status: 500, headers: {}, body: new Uint8Array(), framing: "length", close: true },
  });
  assert.deepEqual([get(FILE).status, get(FILE).status], [500, 200]);
});
