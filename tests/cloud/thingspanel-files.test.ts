/** ThingsPanel's side of the local cloud, as its servers behave: downloads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import { checksum } from "../../host-sim/cloud/core/platforms/thingspanel/crc16";
import { downloadPath } from "../../host-sim/cloud/core/platforms/thingspanel/download";
import { firmware, http, withCloud } from "./helpers";

/* ---- downloads ---- */

test("a whole file, a range, and the status that v1 has for both", async () => {
  await withCloud({}, async (cloud) => {
    const bytes = firmware(10_000);
    const file = await cloud.packages.add(bytes, { version: "0.2.0" });
    for (const [profile, status] of [
      ["v0", 206],
      ["v1", 200],
    ] as const) {
      const url = urlOf(cloud, file, profile);
      const whole = await http(url);
      assert.deepEqual(
        [whole.status, whole.body.equals(bytes), whole.headers["content-range"], whole.headers.etag],
        [200, true, undefined, undefined],
      );
      const part = await http(url, { headers: { range: "bytes=4096-8191" } });
      assert.deepEqual([part.status, part.body.equals(bytes.subarray(4096, 8192))], [status, true]);
      assert.deepEqual(
        [part.headers["content-range"], part.headers["content-type"], part.headers["content-length"]],
        ["bytes 4096-8191/10000", "bin", "4096"],
      );
      const rest = await http(url, { headers: { range: "bytes=8192-" } });
      assert.deepEqual([rest.headers["content-range"], rest.body.length], ["bytes 8192-9999/10000", 1808]);
    }
    assert.equal(cloud.traffic.ofPackage(file.id).bytes, 2 * (10_000 + 4096 + 1808));
  });
});

test("ranges that are not clamped, not understood, or the wrong way round", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(10_000), { version: "0.2.0" });
    const url = urlOf(cloud, file, "v1");
    for (const range of ["bytes=0-10000", "bytes=10000-", "bytes=10000-10000", "bytes=9000-12287"])
      assert.equal((await http(url, { headers: { range } })).status, 400, range);
    for (const range of ["bytes=-500", "bytes=0-1,4-5", "bytes=a-b", "pages=1-2"]) {
      const { status, body } = await http(url, { headers: { range } });
      assert.deepEqual([status, body.length], [416, 0], range);
    }
    const { status, headers, body } = await http(url, { headers: { range: "bytes=500-400" } });
    assert.deepEqual([status, headers["content-type"]], [200, "application/json; charset=utf-8"]);
    assert.notEqual((JSON.parse(body.toString()) as { code: number }).code, 200);
  });
});

test("a missing file is JSON with status 200; only GET is routed", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(10_000), { version: "0.2.0" });
    const url = urlOf(cloud, file, "v1");
    for (const path of [
      url.replace(/[0-9a-f]{32}\.bin/, `${"0".repeat(32)}.bin`),
      `${new URL(url).origin}/api/v1/ota/download/files/%2e%2e%2f%2e%2e%2fetc/passwd`,
    ]) {
      const { status, headers } = await http(path);
      assert.deepEqual([status, headers["content-type"]], [200, "application/json; charset=utf-8"]);
    }
    assert.equal((await http(url, { method: "HEAD" })).status, 404);
    assert.equal((await http(url, { method: "POST" })).status, 404);
  });
});

test("X-CRC16: three methods, of the range that is sent, and none without a range", async () => {
  const digits = Buffer.from("123456789");
  assert.deepEqual(
    [undefined, "IBM", "whatever", "CCITT", "MODBUS"].map((method) => checksum(method, digits)),
    ["b4c8", "b4c8", "b4c8", "906e", "3d48"],
  );
  await withCloud({}, async (cloud) => {
    const bytes = firmware(10_000);
    const url = urlOf(cloud, await cloud.packages.add(bytes, { version: "0.2.0" }), "v1");
    assert.equal((await http(url)).headers["x-crc16"], undefined);
    for (const method of ["IBM", "CCITT", "MODBUS"]) {
      const { headers } = await http(url, { headers: { range: "bytes=100-199", "crc16-method": method } });
      assert.equal(headers["x-crc16"], checksum(method, bytes.subarray(100, 200)));
    }
  });
});

function urlOf(cloud: Cloud, file: Package, profile: "v0" | "v1"): string {
  return `http://127.0.0.1:${cloud.httpPort}${downloadPath(file, profile)}`;
}
