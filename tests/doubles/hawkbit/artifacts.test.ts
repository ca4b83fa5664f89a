/** Downloads: facts 50 to 55 of hawkbit.md. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { HttpAnswer } from "../http/message";
import { DdiDevice, IMAGE, newBench } from "./device";
import type { Bench } from "./device";

const FILE = "/softwaremodules/1/artifacts/app-1.0.0.bin";
const SHA1 = createHash("sha1").update(IMAGE).digest("hex");

async function downloading(): Promise<
  Bench & { readonly id: string; get(headers?: Record<string, string>): HttpAnswer }
> {
  const bench = await newBench();
  const id = await bench.assign("1.0.0");
  return { ...bench, id, get: (headers) => bench.device.get(FILE, headers) };
}

test("the whole file has a length, an ETag, and a digest beside it", async () => {
  const { device, get } = await downloading();
  const { status, headers, body } = get({ accept: "image/png" });
  assert.equal(status, 200);
  assert.deepEqual(Buffer.from(body), Buffer.from(IMAGE));
  assert.deepEqual(
    [headers["ETag"], headers["Content-Length"], headers["Accept-Ranges"]],
    [`"${SHA1}"`, "10000", "bytes"],
  );
  const digest = Buffer.from(device.get(`${FILE}.MD5SUM`).body).toString();
  assert.equal(digest, `${createHash("md5").update(IMAGE).digest("hex")}  app-1.0.0.bin`);
});

test("single ranges", async () => {
  const { get } = await downloading();
  for (const [range, first, last] of [
    ["bytes=0-0", 0, 0],
    ["bytes=9000-", 9_000, 9_999],
    ["bytes=-10", 9_990, 9_999],
    ["bytes=9000-20000", 9_000, 9_999],
  ] as const) {
    const { status, headers, body } = get({ range });
    assert.deepEqual([status, headers["Content-Range"]], [206, `bytes ${first}-${last}/10000`]);
    assert.deepEqual(Buffer.from(body), Buffer.from(IMAGE.subarray(first, last + 1)));
  }
});

test("ranges that the server refuses, some of which RFC 9110 has it ignore or serve", async () => {
  const { get } = await downloading();
  for (const range of [
    "bytes=10000-",
    "bytes=5-4",
    "bytes=-10001",
    "lines=0-1",
    "bytes=0-1, 5-6",
    "bytes=0-5,3-9",
    "bytes=-",
  ]) {
    const { status, headers, body } = get({ range });
    assert.deepEqual([status, headers["Content-Range"], body.length], [416, "bytes */10000", 0], range);
  }
});

test("several ranges are one multipart answer", async () => {
  const { get } = await downloading();
  const { status, headers, body, framing } = get({ range: "bytes=10-11,0-1" });
  assert.deepEqual([status, framing], [206, "length"]);
  assert.match(headers["Content-Type"]!, /^multipart\/byteranges; boundary=/);
  const text = Buffer.from(body).toString("latin1");
  assert.ok(text.indexOf("bytes 10-11/10000") < text.indexOf("bytes 0-1/10000"), text);
});

test("conditions: If-Range as usual, If-None-Match is ignored, If-Match wants the digest without quotes", async () => {
  const { get } = await downloading();
  const status = (headers: Record<string, string>): number => get(headers).status;
  const range = { range: "bytes=0-3" };
  assert.equal(status({ ...range, "if-range": `"${SHA1}"` }), 206);
  assert.equal(status({ ...range, "if-range": '"other"' }), 200);
  assert.equal(status({ ...range, "if-range": new Date(0).toUTCString() }), 200);
  assert.equal(status({ "if-none-match": `"${SHA1}"` }), 200);
  assert.equal(status({ "if-match": `"${SHA1}"` }), 412);
  assert.equal(status({ "if-match": SHA1 }), 200);
});

test("a whole download, a HEAD and a digest are entries of the action, a range is none", async () => {
  const { double, device, get, id } = await downloading();
  const entries = async (): Promise<number> => (await double.operator.action("dev-1", id)).history.length;
  const before = await entries();
  get({ range: "bytes=0-3" });
  assert.equal(await entries(), before);
  get();
  device.request("HEAD", FILE);
  device.get(`${FILE}.MD5SUM`);
  assert.equal(await entries(), before + 3);
});

test("nobody without an open action of it gets a file", async () => {
  const { double, device, another, get, id } = await downloading();
  assert.equal((await another("dev-2")).get(FILE).status, 404);
  assert.equal(device.get("/softwaremodules/9/artifacts/x").status, 404);
  assert.equal(device.get("/softwaremodules/1/artifacts/x").status, 404);
  await double.operator.prepare({ gatewayToken: "key" });
  assert.equal(new DdiDevice(double, "dev-9", "GatewayToken key").get(FILE).status, 404);
  device.report(id, "closed", "failure");
  assert.equal(get({ range: "bytes=0-3" }).status, 404);
});
