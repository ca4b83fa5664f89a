import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "../../src/ports";
import { LwipReceiver, SEGMENT } from "./lwip-receiver";
import { VirtualClock } from "./virtual-clock";
import { VirtualNetwork } from "./virtual-network";

const DEFAULT = 4 * SEGMENT;
const THRICE = 12 * SEGMENT;

test("every second segment is acknowledged at once, the first waits for the timer", () => {
  const receiver = new LwipReceiver(DEFAULT);
  assert.deepEqual([receiver.received(SEGMENT), receiver.delayed], [false, true]);
  assert.deepEqual([receiver.received(SEGMENT), receiver.delayed], [true, false]);
});

test("what is not read keeps the window's edge where it was, acknowledged or not", () => {
  const receiver = new LwipReceiver(DEFAULT);
  for (let segment = 0; segment < 4; segment++) receiver.received(SEGMENT);
  assert.equal(receiver.acknowledge(), DEFAULT, "closed: all that was allowed has arrived");
});

test("a read is told at once when the window has grown by a quarter, or by four segments", () => {
  const updates = (window: number, reads: readonly number[]): boolean[] => {
    const receiver = new LwipReceiver(window);
    for (let room = window; room >= SEGMENT; room -= SEGMENT) receiver.received(SEGMENT);
    receiver.acknowledge();
    return reads.map((bytes) => receiver.taken(bytes));
  };
  assert.deepEqual(updates(DEFAULT, [SEGMENT - 1, 1]), [false, true], "a quarter of 5,760 bytes is a segment");
  assert.deepEqual(updates(THRICE, [SEGMENT, SEGMENT, SEGMENT]), [false, false, true]);
  assert.deepEqual(updates(40 * SEGMENT, Array<number>(4).fill(SEGMENT)), [false, false, false, true]);
});

test("an acknowledgement takes along what was read since the last", () => {
  const receiver = new LwipReceiver(THRICE);
  receiver.received(SEGMENT);
  assert.equal(receiver.taken(SEGMENT), false, "too little for an update of its own");
  assert.ok(receiver.received(SEGMENT));
  assert.equal(receiver.acknowledge(), THRICE + SEGMENT);
});

test("the window never grows beyond its size", () => {
  const receiver = new LwipReceiver(DEFAULT);
  receiver.received(100);
  receiver.taken(500);
  assert.equal(receiver.acknowledge(), DEFAULT, "less than a segment more is not told");
  receiver.received(SEGMENT);
  receiver.taken(SEGMENT);
  assert.equal(receiver.acknowledge(), DEFAULT + 100 + SEGMENT);
});

/** A peer that sends `bytes` as soon as it is asked; what the device reads, and when, is the test's. */
function streaming(bytes: number, window: number) {
  const clock = new VirtualClock();
  const peer = {
    received: (_: Uint8Array, connection: { send(bytes: Uint8Array): void }) => connection.send(new Uint8Array(bytes)),
  };
  const network = new VirtualNetwork({ clock, line: { latency: 10, window }, peers: () => peer });
  const arrivals: number[] = [];
  let stall = 0;
  let reads = true;
  const into = new Uint8Array(SEGMENT);
  const socket: Socket = network.connect(
    { host: "h", port: 80 },
    {
      opened: () => socket.write(Buffer.from("GET")),
      readable: () => {
        if (!reads) return;
        for (let count = socket.read(into); count > 0; count = socket.read(into)) arrivals.push(clock.time);
        clock.spend(stall);
        stall = 0;
      },
      writable: () => undefined,
      closed: () => undefined,
    },
  );
  return {
    clock,
    network,
    socket,
    arrivals,
    stallOnce: (milliseconds: number): void => void (stall = milliseconds),
    stopReading: (): void => void (reads = false),
    run: (): void => {
      while (clock.step(60_000));
    },
  };
}

test("a connection: a window that is not read closes, and a read opens it", () => {
  const { network, socket, stopReading, run } = streaming(10 * SEGMENT, DEFAULT);
  stopReading();
  run();
  assert.equal(network.traffic(80).sent, DEFAULT);
  socket.read(new Uint8Array(SEGMENT - 1));
  run();
  assert.equal(network.traffic(80).sent, DEFAULT, "the socket asks for a quarter of the window at least");
  socket.read(new Uint8Array(1));
  run();
  assert.equal(network.traffic(80).sent, DEFAULT + SEGMENT);
});

test("a connection: lwIP hears of reads when they are a quarter of the window, or with the next segment", () => {
  const { network, socket, stopReading, run } = streaming(13 * SEGMENT, THRICE);
  stopReading();
  run();
  assert.equal(network.traffic(80).sent, THRICE);
  socket.read(new Uint8Array(3 * SEGMENT - 1));
  run();
  assert.equal(network.traffic(80).sent, THRICE, "closed");
  socket.read(new Uint8Array(1));
  run();
  assert.equal(network.traffic(80).sent, 13 * SEGMENT);
});

test("a connection: a single segment in a wide window is acknowledged by the timer", () => {
  const { clock, network, run, arrivals } = streaming(SEGMENT, THRICE);
  const acknowledged: number[] = [];
  const arrival = network.arrival.bind(network);
  network.arrival = (direction, bytes) => {
    if (direction === "up" && bytes === 0) acknowledged.push(clock.time);
    return arrival(direction, bytes);
  };
  run();
  assert.deepEqual([arrivals, acknowledged], [[40], [250]]);
});

test("a connection: the peer goes on while the device's flash works, and stops where the window ends", () => {
  const { stallOnce, run, arrivals } = streaming(8 * SEGMENT, DEFAULT);
  stallOnce(150);
  run();
  // Four segments arrive at 40 ms; the first read is followed by 150 ms in which nothing runs. That read was told to
  // the peer before, so a fifth segment waits when the stall ends at 190; for the others the peer waits until 200.
  assert.deepEqual(arrivals, [40, 190, 190, 190, 190, 210, 210, 210]);
});
