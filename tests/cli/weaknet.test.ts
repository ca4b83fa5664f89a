import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { refusesEach, startXsOta } from "../kit/xs-ota";

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
  const [broker, files] = servers;
  const targets = ["--broker", broker!, "--files", files!, "--port", "0", "--files-port", "0"];
  const quality = ["--latency", "5", "--reset-every", "0", "--stall-every", "0"];
  const link = startXsOta("weaknet", ...targets, ...quality);
  t.after(() => link.end("SIGKILL"));
  const ports = (await link.line()) as Record<string, { host: string; port: number }>;
  for (const name of ["broker", "files"]) {
    const socket = connect({ host: ports[name]!.host, port: ports[name]!.port, allowHalfOpen: true });
    socket.setEncoding("utf8");
    socket.write("hello");
    let answer = "";
    socket.on("data", (text: string) => (answer += text));
    await once(socket, "end");
    assert.equal(answer, `${name}: hello`);
    socket.destroy();
  }
  assert.equal((await link.end("SIGTERM")).code, 0);
});

test("weaknet refuses bad input", async () => {
  await refusesEach([
    [["weaknet", "--broker", "nowhere"], /host:port/],
    [["weaknet", "--rate", "fast"], /whole number/],
    [["weaknet", "--seed", "-1"], /whole number/],
  ]);
});
