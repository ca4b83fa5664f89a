import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { WeakLink, type LinkQuality } from "../../host-sim/faults/weak-link";
import type { Clock } from "../../src/ports";
import { SocketClock } from "../kit/socket-clock";

/** A server behind a link; `serve` is called with each connection there. */
async function behind(
  quality: LinkQuality,
  serve: (socket: Socket) => void,
  use: (link: WeakLink) => Promise<void>,
  clock?: Clock,
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
    ...(clock === undefined ? {} : { clock }),
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

test("bytes pass unchanged in both directions, and each end learns when the other has ended", async () => {
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

test("300,000 bytes take half a second over a link of 600,000 bytes a second", async (t) => {
  const clock = new SocketClock();
  t.after(() => clock.stop());
  await behind(
    { rate: 600_000 },
    (socket) => socket.end(bytes),
    async (link) => {
      const started = clock.now();
      const socket = connect(link.ports[0]!, "127.0.0.1").on("data", () => clock.stir());
      assert.ok((await received(socket)).equals(bytes));
      const took = clock.now() - started;
      assert.ok(took >= 499 && took <= 501, `${took} ms`);
    },
    clock,
  );
});

test("a reset reaches both ends", async () => {
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

test("a link resets its connections at random moments, about as often as it is told to", async (t) => {
  const clock = new SocketClock();
  t.after(() => clock.stop());
  await behind(
    { resetEvery: 5 },
    (socket) => socket.resume(),
    async (link) => {
      const lives: number[] = [];
      for (let connection = 0; connection < 20; connection++) {
        const started = clock.now();
        const [error] = (await once(connect(link.ports[0]!, "127.0.0.1"), "error")) as [Error];
        assert.match(error.message, /ECONNRESET/);
        lives.push((clock.now() - started) / 1000);
      }
      const mean = lives.reduce((sum, life) => sum + life, 0) / lives.length;
      assert.ok(mean > 2 && mean < 10, `${mean} s`);
      assert.ok(new Set(lives).size > 4, lives.join());
    },
    clock,
  );
});

test("a connection to a port without a server behind the link is reset", async () => {
  const link = await WeakLink.open({ targets: [{ host: "127.0.0.1", port: 1 }] });
  const [error] = (await once(connect(link.ports[0]!, "127.0.0.1"), "error")) as [Error];
  assert.match(error.message, /ECONNRESET/);
  await link.close();
});
