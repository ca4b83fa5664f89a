/** Every named fault over real sockets, and a stock HTTP server. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { FaultServer } from "../../host-sim/faults/fault-server";
import type { HttpFault } from "../../host-sim/faults/fault-server";
import { HTTP_FAULTS, resetAfter } from "../../host-sim/faults/http-faults";
import { SECTOR, URL_RENEWALS, WINDOW } from "../../src/constants";
import { testFile } from "./harness";
import { NodeDriver } from "./node-driver";
import type { DriverResult } from "./node-driver";

const FILE = testFile(9 * SECTOR + 777);

async function download(
  fault: HttpFault,
  { host = "127.0.0.1", size = FILE.length } = {},
): Promise<DriverResult & { server: FaultServer; renewals: number }> {
  const server = await FaultServer.listen(FILE, fault, host);
  let renewals = 0;
  const driver = new NodeDriver({ url: `${server.origin}/fw.bin?sign=secret`, size }, () =>
    renewals++ < URL_RENEWALS ? `${server.origin}/fresh?sign=${renewals}` : undefined,
  );
  server.on("held", (bytes) => driver.silentAfter(bytes));
  try {
    return { ...(await driver.run()), server, renewals };
  } finally {
    await server.close();
  }
}

for (const [name, { end, make }] of Object.entries(HTTP_FAULTS)) {
  for (const size of [FILE.length, 0]) {
    // These faults contradict the offered size only.
    if (size === 0 && /another length|wrong total|whole file, chunked|until close|^4(00|16)$/.test(name)) continue;
    test(`server that ${make().does}${size === 0 ? ", size unknown" : ""}`, async () => {
      const { image, last, widest, server, renewals, effects } = await download(make(), { size });
      assert.ok(widest <= WINDOW, `${widest} bytes asked ahead`);
      assert.equal(
        effects.filter(({ type }) => type === "finished" || type === "download-failed").length,
        end === "url-expired" ? 0 : 1,
      );
      if (end === "finished" || end === "renewed") {
        assert.equal(last.type, "finished", JSON.stringify(last));
        assert.deepEqual(image, Buffer.from(FILE));
        assert.equal(renewals, end === "renewed" ? 1 : 0);
      } else if (end === "url-expired")
        assert.ok(last.type === "expired" && last.message.startsWith("HTTP 403: ") && renewals > URL_RENEWALS);
      else {
        assert.ok(last.type === "download-failed", JSON.stringify(last));
        assert.equal(last.cause, end, last.message);
        assert.doesNotMatch(last.message, /secret/);
      }
      assert.ok(server.requests.length > 0);
    });
  }
}

test("reset at any byte: each costs at most the window", async () => {
  for (let count = SECTOR + 150; count < 14_000; count += 1_237) {
    const { image, last, server } = await download(resetAfter(count).make());
    assert.equal(last.type, "finished");
    assert.deepEqual(image, Buffer.from(FILE));
    assert.ok(server.bodyBytes - FILE.length <= server.connections * WINDOW);
  }
});

test("over one good connection nothing is fetched twice, and requests are pipelined", async () => {
  const { server, widest } = await download(HTTP_FAULTS["none"]!.make());
  assert.equal(server.connections, 1);
  assert.equal(server.bodyBytes, FILE.length);
  assert.ok(widest > 8_192 && widest <= WINDOW);
});

const ipv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
test("an IPv6 literal", { skip: !ipv6 }, async () => {
  const { image, server } = await download(HTTP_FAULTS["none"]!.make(), { host: "::1" });
  assert.deepEqual(image, Buffer.from(FILE));
  assert.match(server.requests[0]!.head, /\r\nHost: \[::1\]:\d+\r\n/);
});

test("Node's HTTP server, its keep-alive, and a long URL of unusual characters", async () => {
  const odd = `/a//%2F%00%zz;b='()*~?sign=q%3D1%26x&${"y".repeat(1_800)}`;
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    seen.add(request.url ?? "");
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")!;
    const body = FILE.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, {
      "content-length": body.length,
      "content-range": `bytes ${first}-${Number(first) + body.length - 1}/${FILE.length}`,
      "last-modified": new Date(0).toUTCString(),
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let connections = 0;
  server.on("connection", () => connections++);
  const result = await new NodeDriver({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${odd}`,
    size: FILE.length,
  }).run();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(result.image, Buffer.from(FILE));
  assert.deepEqual([...seen], [odd]);
  assert.equal(connections, 1);
  assert.ok(result.widest > 8_192);
});

test("nobody listens: refused connections are waited out until the budget ends", async () => {
  const gone = await FaultServer.listen(FILE, HTTP_FAULTS["none"]!.make());
  const url = `${gone.origin}/fw.bin`;
  await gone.close();
  const { last } = await new NodeDriver({ url, size: FILE.length }).run();
  assert.ok(last.type === "download-failed" && last.cause === "download-timeout");
  assert.match(last.message, /ECONNREFUSED/);
});
