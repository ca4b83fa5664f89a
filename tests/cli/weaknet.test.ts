import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { BIN, xsOta } from "./xs-ota";

test("weaknet relays to broker and file server, and ends on a signal", async (t) => {
  const servers = await Promise.all(
    ["broker", "files"].map(async (name) => {
      const server = createServer(
        (socket) =>
          void socket
            .on("error", () => undefined)
            .on("data", (bytes: Buffer) => socket.end(`${name}: ${bytes.toString()}`)),
      );
      await once(server.listen(0, "127.0.0.1"), "listening");
      t.after(() => server.close());
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  const child = spawn(
    process.execPath,
    [
      BIN,
      "weaknet",
      "--broker",
      servers[0]!,
      "--files",
      servers[1]!,
      "--port",
      "0",
      "--files-port",
      "0",
      "--latency",
      "5",
      "--reset-every",
      "0",
      "--stall-every",
      "0",
    ],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  t.after(() => child.kill());
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const ports = JSON.parse(line) as Record<string, { host: string; port: number }>;
  for (const name of ["broker", "files"]) {
    const socket = connect({ host: ports[name]!.host, port: ports[name]!.port, allowHalfOpen: true });
    socket.setEncoding("utf8");
    socket.write("hello");
    const [answer] = (await once(socket, "data")) as [string];
    assert.equal(answer, `${name}: hello`);
    socket.destroy();
  }
  child.kill("SIGTERM");
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0);
});

for (const [flags, complaint] of [
  [["--broker", "nowhere"], /host:port/],
  [["--rate", "fast"], /whole number/],
  [["--seed", "-1"], /whole number/],
] as const) {
  test(`weaknet refuses ${flags.join(" ")}`, async () => {
    const { code, stderr } = await xsOta("weaknet", ...flags);
    assert.equal(code, 1);
    assert.match(stderr, complaint);
  });
}
