import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { quiet } from "./quiet-loop";
import { SocketClock } from "./socket-clock";

test("time stands still while bytes go back and forth, and jumps once all is quiet", async (t) => {
  const clock = new SocketClock();
  t.after(() => clock.stop());
  const server = createServer((socket) => socket.on("data", (bytes) => socket.write(bytes)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  t.after(() => {
    socket.destroy();
    server.close();
  });
  let turns = 0;
  const at: number[] = [];
  clock.set(() => at.push(turns), 3_600_000);
  socket.on("data", () => {
    clock.stir();
    if (++turns < 2_000) socket.write("x");
  });
  socket.write("x");
  await clock.until(() => at.length > 0);
  assert.deepEqual(at, [2_000]);
  assert.equal(clock.now(), 3_601_000);
});

test("quiet waits for a file that is being read", async () => {
  let read = 0;
  const reading = (async (): Promise<void> => {
    for (let round = 0; round < 50; round++, read++) await readFile(new URL(import.meta.url));
  })();
  await quiet(() => 0);
  assert.equal(read, 50);
  await reading;
});

test("many may wait for quiet at the same time", async () => {
  await Promise.all(Array.from({ length: 20 }, () => quiet(() => 0)));
});
