import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket, SocketError } from "../../src/ports";
import { VirtualClock } from "./virtual-clock";
import { VirtualNetwork } from "./virtual-network";
import type { Connection, Peer } from "./peer";
import type { Line } from "./virtual-network";

/** A device's socket with what it is told, and reads at once unless `reads` is false. */
function connected(line: Line, peer: Peer | undefined, reads = true) {
  const clock = new VirtualClock();
  const network = new VirtualNetwork({ clock, line, peers: () => peer, random: () => 0.5 });
  const events: string[] = [];
  const read: Buffer[] = [];
  let error: SocketError | undefined;
  const take = (): void => {
    const into = Buffer.alloc(1_000);
    for (let count = socket.read(into); count > 0; count = socket.read(into))
      read.push(Buffer.from(into.subarray(0, count)));
  };
  const note = (text: string): void => void events.push(`${text} at ${clock.now()}`);
  const socket: Socket = network.connect(
    { host: "h", port: 80 },
    {
      opened: () => note("opened"),
      readable: () => {
        note("readable");
        if (reads) take();
      },
      writable: () => note("writable"),
      closed: (why) => {
        error = why;
        note("closed");
      },
    },
  );
  const run = (): void => {
    while (clock.step(60_000));
  };
  return { clock, network, socket, events, take, run, text: () => Buffer.concat(read).toString(), error: () => error };
}

const echo: Peer = { received: (bytes, connection) => connection.send(Buffer.from(bytes)) };

test("a connection stands after a round trip, and bytes take the latency each way", () => {
  const { clock, socket, events, run, text } = connected({ latency: 10 }, echo);
  assert.equal(socket.write(Buffer.from("early")), 0, "nothing is taken before the connection stands");
  clock.step();
  assert.equal(socket.write(Buffer.from("hello")), 5);
  run();
  assert.deepEqual([events, text()], [["opened at 20", "readable at 40"], "hello"]);
});

test("nobody at a port is a refused connection", () => {
  const { events, run, error } = connected({ latency: 10 }, undefined);
  run();
  assert.deepEqual([events, error()?.kind], [["closed at 20"], "refused"]);
});

test("an end is told once everything before it was read; a reset is not kept back", () => {
  const ends: Peer = {
    opened(connection) {
      connection.send(Buffer.from("last"));
      connection.end();
    },
    received: () => undefined,
  };
  const late = connected({ latency: 10 }, ends, false);
  late.run();
  assert.deepEqual(late.events, ["opened at 20", "readable at 30"]);
  late.take();
  late.run();
  assert.deepEqual([late.text(), late.events.at(-1), late.error()], ["last", "closed at 30", undefined]);
  const resets: Peer = { opened: (connection) => connection.reset(), received: () => undefined };
  const reset = connected({ latency: 10 }, resets);
  reset.run();
  assert.deepEqual([reset.events, reset.error()?.kind], [["opened at 20", "closed at 30"], "reset"]);
});

test("a rate is shared by all bytes of a direction, headers among them", () => {
  const sends: Peer = { opened: (connection) => connection.send(Buffer.alloc(960)), received: () => undefined };
  const { events, run } = connected({ latency: 10, rate: 1_000 }, sends);
  run();
  // SYN and SYN-ACK take 40 ms each, 960 bytes with their header 1,000 ms.
  assert.deepEqual(events, ["opened at 100", "readable at 1110"]);
});

test("a window holds back what the device has not read", () => {
  const sends: Peer = { opened: (connection) => connection.send(Buffer.alloc(10_000)), received: () => undefined };
  const { run, take, network, text } = connected({ latency: 10, window: 5_760 }, sends, false);
  run();
  assert.deepEqual(network.traffic(80), { connections: 1, resets: 0, sent: 5_760, read: 0, up: 0 });
  for (let round = 0; round < 3; round++) {
    take();
    run();
  }
  assert.equal(text().length, 10_000);
});

test("a line that is lost resets every connection and tells both ends", () => {
  const closed: Connection[] = [];
  const waits: Peer = { received: () => undefined, closed: (connection) => void closed.push(connection) };
  const { events, run, network, error } = connected({ latency: 10, resetEvery: 1 }, waits);
  run();
  assert.deepEqual([events, error()?.kind], [["opened at 20", "closed at 693"], "reset"]);
  assert.deepEqual([closed.length, closed[0]?.closed, network.traffic(80).resets], [1, true, 1]);
});

test("without power nothing leaves the device, and nothing reaches it after a cut", () => {
  let powered = true;
  const heard: string[] = [];
  const clock = new VirtualClock();
  const events: string[] = [];
  const peer: Peer = {
    received: (bytes, connection) => {
      heard.push(Buffer.from(bytes).toString());
      connection.send(bytes);
    },
  };
  const network = new VirtualNetwork({ clock, line: { latency: 10 }, peers: () => peer, powered: () => powered });
  const note = (text: string) => (): void => void events.push(text);
  const socket = network.connect(
    { host: "h", port: 1 },
    { opened: note("opened"), readable: note("readable"), writable: note("writable"), closed: note("closed") },
  );
  clock.advance(20);
  socket.write(Buffer.from("sent"));
  powered = false;
  socket.write(Buffer.from("lost"));
  network.cut();
  clock.advance(1_000);
  assert.deepEqual([heard, events], [["sent"], ["opened"]]);
});
