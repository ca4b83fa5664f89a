/**
 * Row 12 of the comparison, "supports breakpoint resume": the downloader over real sockets against the endpoint as it
 * really answers.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { checksum } from "../../host-sim/cloud/core/platforms/thingspanel/crc16";
import { downloadPath } from "../../host-sim/cloud/core/platforms/thingspanel/download";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import { SECTOR, WINDOW } from "../../src/constants";
import { firmware, withCloud } from "../cloud/helpers";
import { NodeDriver } from "../download/node-driver";

const FILE = firmware(9 * SECTOR + 777);

/** A cloud with FILE in it, and what was asked of its endpoint. */
async function served(use: (cloud: Cloud, file: Package, requests: IncomingMessage[]) => Promise<void>): Promise<void> {
  await withCloud({}, async (cloud) => {
    const requests: IncomingMessage[] = [];
    cloud.onRequest((request) => {
      requests.push(request);
      return false;
    });
    await use(cloud, await cloud.packages.add(FILE, { version: "0.2.0" }), requests);
  });
}

const url = (cloud: Cloud, file: Package, profile: "v0" | "v1"): string =>
  `http://127.0.0.1:${cloud.httpPort}${downloadPath(file, profile)}`;

for (const profile of ["v0", "v1"] as const) {
  for (const size of [FILE.length, 0]) {
    test(`row 12, ${profile}: whole and from every sector, ${size === 0 ? "length learnt" : "length known"}; no end beyond the file's`, async () => {
      await served(async (cloud, file, requests) => {
        for (const offset of size === 0 ? [0] : [0, SECTOR, 5 * SECTOR, 9 * SECTOR]) {
          const { image, last } = await new NodeDriver({ url: url(cloud, file, profile), size, offset }).run();
          assert.equal(last.type, "finished", JSON.stringify(last));
          assert.deepEqual(image, Buffer.from(FILE.subarray(offset)));
        }
        const ends = requests.map(({ headers }) => Number(/^bytes=\d+-(\d+)$/.exec(headers.range ?? "")![1]));
        assert.ok(Math.max(...ends) === FILE.length - 1);
      });
    });
  }
}

test("row 12: a file shorter than the first range, its length unknown: 400 leads to its length, not to an end", async () => {
  const short = firmware(1_500);
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(short, { version: "0.2.0" });
    const { image, last } = await new NodeDriver({ url: url(cloud, file, "v1"), size: 0 }).run();
    assert.equal(last.type, "finished");
    assert.deepEqual(image, Buffer.from(short));
  });
});

test("a missing file, a JSON document with status 200, is not-found and never an image", async () => {
  await served(async (cloud, file) => {
    for (const size of [FILE.length, 0]) {
      const missing = url(cloud, file, "v1").replace(/[0-9a-f]{32}\.bin/, `${"0".repeat(32)}.bin`);
      const { image, last } = await new NodeDriver({ url: missing, size }).run();
      assert.deepEqual(
        [image.length, last.type, last.type === "download-failed" && last.cause],
        [0, "download-failed", "not-found"],
      );
    }
  });
});

test("another length than offered is a failure with that reason", async () => {
  await served(async (cloud, file) => {
    const { last } = await new NodeDriver({ url: url(cloud, file, "v1"), size: FILE.length - 5 }).run();
    assert.ok(
      last.type === "download-failed" &&
        last.cause === "download" &&
        /has 37641 bytes on the server, not 37636/.test(last.message),
      JSON.stringify(last),
    );
  });
});

test("crc16: each range is checked on request; one that does not fit is fetched again, and costs the window at most", async () => {
  let spoil = 3;
  const { server, origin, bytes } = await v1Like((body, count) => {
    if (spoil > 0 && count % 2 === 0) {
      spoil--;
      body[100] = body[100]! ^ 1;
    }
    return body;
  });
  try {
    const plain = await new NodeDriver({ url: `${origin}/f.bin`, size: FILE.length }).run();
    assert.notDeepEqual(plain.image, Buffer.from(FILE), "without the check the digest would have to find it");
    spoil = 3;
    bytes.sent = 0;
    const checked = await new NodeDriver({ url: `${origin}/f.bin`, size: FILE.length, crc16: true }).run();
    assert.equal(checked.last.type, "finished");
    assert.deepEqual(checked.image, Buffer.from(FILE));
    assert.ok(bytes.sent - FILE.length <= 3 * WINDOW, `${bytes.sent} bytes`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that behaves as v1 does, on a connection that can corrupt a body after its checksum was computed. */
async function v1Like(
  line: (body: Buffer, count: number) => Buffer,
): Promise<{ server: Server; origin: string; bytes: { sent: number } }> {
  const bytes = { sent: 0 };
  let count = 0;
  const server = createServer((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")!;
    const body = Buffer.from(FILE.subarray(Number(first), Number(last) + 1));
    bytes.sent += body.length;
    response.writeHead(200, {
      "Content-Range": `bytes ${first}-${last}/${FILE.length}`,
      "Content-Length": body.length,
      "Content-Type": "bin",
      "X-CRC16": checksum(undefined, body),
    });
    response.end(line(body, ++count));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bytes };
}
