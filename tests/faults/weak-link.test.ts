import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { WeakLink, type LinkQuality } from "../../host-sim/faults/weak-link";

/** A server behind a link; `serve` is told of each connection there. */
async function behind(
  quality: LinkQuality,
  serve: (socket: Socket) => void,
  use: (link: WeakLink) => Promise<void>,
): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    serve(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const link = await WeakLink.open({
    targets: [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }],
    quality,
    seed: 7,
  });
  try {
    await use(link);
  } finally {
    await link.close();
    server.close();
  }
}

const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7 + (index >> 9)) & 0xff));

async function received(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  await once(socket, "end");
  return Buffer.concat(parts);
}

test("bytes pass unchanged in both directions, and each end hears when the other is done", async () => {
  await behind(
    { latency: 5, jitter: 5 },
    (socket) => void received(socket).then((all) => socket.end(createHash("md5").update(all).digest("hex"))),
    async (link) => {
      const socket = connect({ port: link.ports[0]!, host: "127.0.0.1", allowHalfOpen: true });
      const answer = received(socket);
      socket.end(bytes);
      assert.equal((await answer).toString(), createHash("md5").update(bytes).digest("hex"));
      socket.destroy();
    },
  );
});

test("a slow link takes its time, and not much more", async () => {
  await behind(
    { rate: 600_000 },
    (socket) => socket.end(bytes),
    async (link) => {
      const started = performance.now();
      const all = await received(connect(link.ports[0]!, "127.0.0.1"));
      assert.ok(all.equals(bytes));
      assert.ok(performance.now() - started >= 480, "300,000 bytes at 600,000 a second");
    },
  );
});

test("a reset reaches both ends; the server behind is spared what is still under way", async () => {
  let far: Socket | undefined;
  await behind(
    { rate: 50_000 },
    (socket) => {
      far = socket;
      socket.end(bytes);
    },
    async (link) => {
      const near = connect(link.ports[0]!, "127.0.0.1");
      await once(near, "data");
      const gone = [near, far!].map((socket) => new Promise<unknown>((resolve) => socket.once("error", resolve)));
      link.cut();
      for (const error of await Promise.all(gone)) assert.match(String(error), /ECONNRESET/);
    },
  );
});

test("resets come by themselves where they are asked for", async () => {
  await behind(
    { resetEvery: 0.2 },
    (socket) => socket.resume(),
    async (link) => {
      const near = connect(link.ports[0]!, "127.0.0.1");
      const [error] = (await once(near, "error")) as [Error];
      assert.match(error.message, /ECONNRESET/);
    },
  );
});

test("nobody behind the link is a reset, not a hang", async () => {
  const link = await WeakLink.open({ targets: [{ host: "127.0.0.1", port: 1 }] });
  const [error] = (await once(connect(link.ports[0]!, "127.0.0.1"), "error")) as [Error];
  assert.match(error.message, /ECONNRESET/);
  await link.close();
});
