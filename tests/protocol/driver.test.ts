/** The driver of both protocol machines, over a socket and a clock that the test moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, ConnectOptions, Network, Socket, SocketError, SocketEvents } from "../../src/ports";
import { ProtocolDriver } from "../../src/protocol/driver";
import type { IoEffect, ProtocolMachine } from "../../src/protocol/machine";

type Output = IoEffect | { readonly type: "event"; readonly name: string };

const SERVER: ConnectOptions = { host: "server.example", port: 1 };
const event = (name: string): Output => ({ type: "event", name });
const CONNECT: Output = { type: "connect" };
const CLOSE: Output = { type: "close" };
const send = (length: number): Output => ({ type: "send", bytes: new Uint8Array(length) });

/** Answers each input with what the test says, and writes the inputs down. */
class Machine implements ProtocolMachine<Output> {
  readonly inputs: string[] = [];
  readonly answers: { [input: string]: readonly Output[] } = { start: [CONNECT] };
  target = new Uint8Array(1_024);

  private answer(input: string, text = input): Output[] {
    this.inputs.push(text);
    return [...(this.answers[input] ?? [])];
  }

  start = (): Output[] => this.answer("start");
  opened = (): Output[] => this.answer("opened");
  readTarget = (): Uint8Array => this.target;
  received = (count: number): Output[] => this.answer("received", `received ${count}`);
  closed = (error: SocketError | undefined): Output[] =>
    this.answer("closed", `closed: ${error?.message ?? "in order"}`);
  tick = (): Output[] => this.answer("tick");
  deadline = (): number => 7;
  stop = (): Output[] => this.answer("stop");
}

class Scene extends ProtocolDriver<Output, Machine> {
  readonly fake = new Machine();
  readonly log: string[];
  readonly timers: (() => void)[];
  readonly sockets: FakeSocket[];
  onEvent: (name: string) => void = () => {};

  constructor(connect: (events: SocketEvents) => FakeSocket = (events) => new FakeSocket(events)) {
    const log: string[] = [];
    const timers: (() => void)[] = [];
    const sockets: FakeSocket[] = [];
    const network: Network = {
      connect(options, events) {
        assert.deepEqual(options, SERVER);
        const socket = connect(events);
        sockets.push(socket);
        return socket;
      },
    };
    const clock: Clock = { now: () => 0, set: (callback) => timers.push(callback), clear: () => {} };
    super({ network, clock, enter: (callback) => callback() });
    this.log = log;
    this.timers = timers;
    this.sockets = sockets;
  }

  protected override serverOf(): ConnectOptions {
    return SERVER;
  }

  protected override handle(output: Exclude<Output, IoEffect>): void {
    this.log.push(output.name);
    this.onEvent(output.name);
  }

  go(machine = this.fake): FakeSocket {
    this.begin(machine);
    return this.sockets.at(-1)!;
  }

  runTimer(): void {
    this.timers.shift()!();
  }
}

class FakeSocket implements Socket {
  readonly events: SocketEvents;
  waiting = 0;
  written = 0;
  takes = Infinity;
  open = true;

  constructor(events: SocketEvents) {
    this.events = events;
  }

  read(into: Uint8Array): number {
    const count = Math.min(into.length, this.waiting);
    this.waiting -= count;
    return count;
  }

  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.takes);
    this.written += count;
    return count;
  }

  close(): void {
    this.open = false;
  }
}

test("I/O is carried out in order, and every other output goes on unchanged", () => {
  const scene = new Scene();
  scene.fake.answers["opened"] = [event("a"), send(5), event("b"), CLOSE, event("c")];
  const socket = scene.go();
  socket.events.opened();
  assert.deepEqual(scene.log, ["a", "b", "c"]);
  assert.deepEqual([socket.written, socket.open], [5, false]);
  socket.events.closed();
  assert.deepEqual(scene.fake.inputs, ["start", "opened"], "a closed connection is not heard any more");
});

test("a connect replaces the connection at hand", () => {
  const scene = new Scene();
  scene.fake.answers["opened"] = [CONNECT];
  const first = scene.go();
  first.events.opened();
  assert.deepEqual([first.open, scene.sockets.length], [false, 2]);
  first.events.readable();
  assert.deepEqual(scene.fake.inputs, ["start", "opened"]);
});

test("a turn reads two sectors at most; the rest follows in a turn of its own", () => {
  const scene = new Scene();
  const socket = scene.go();
  socket.waiting = 10_000;
  socket.events.readable();
  assert.deepEqual(scene.fake.inputs.slice(1), Array<string>(8).fill("received 1024"));
  scene.runTimer();
  assert.deepEqual(scene.fake.inputs.slice(9), ["received 1024", "received 784"]);
  assert.equal(scene.timers.length, 0);
});

test("a machine that has no room is not given bytes", () => {
  const scene = new Scene();
  const socket = scene.go();
  scene.fake.target = new Uint8Array(0);
  socket.waiting = 10;
  socket.events.readable();
  assert.deepEqual([scene.fake.inputs, socket.waiting], [["start"], 10]);
});

test("bytes that wait when the connection ends are received before its end", () => {
  const scene = new Scene();
  const socket = scene.go();
  socket.waiting = 1_500;
  socket.events.closed({ kind: "reset", message: "connection reset" });
  assert.deepEqual(scene.fake.inputs.slice(1), ["received 1024", "received 476", "closed: connection reset"]);
});

test("a peer that takes no bytes loses its connection", () => {
  const scene = new Scene();
  const socket = scene.go();
  socket.takes = 0;
  scene.fake.answers["opened"] = [send(16_384), send(1), event("after")];
  socket.events.opened();
  assert.deepEqual(scene.fake.inputs.slice(1), ["opened", "closed: the peer takes no bytes"]);
  assert.equal(socket.open, false);
});

test("bytes that a socket does not take at once follow when it is writable", () => {
  const scene = new Scene();
  const socket = scene.go();
  socket.takes = 3;
  scene.fake.answers["opened"] = [send(5)];
  socket.events.opened();
  assert.equal(socket.written, 3);
  socket.events.writable();
  assert.equal(socket.written, 5);
});

test("a port that can not even begin a connection ends it in a later turn", () => {
  const scene = new Scene(() => {
    throw new Error("no socket left");
  });
  scene.go();
  assert.deepEqual(scene.fake.inputs, ["start"]);
  scene.runTimer();
  assert.deepEqual(scene.fake.inputs, ["start", "closed: no socket left"]);
});

test("an owner that stops the machine from an event makes its remaining outputs void", () => {
  const scene = new Scene();
  scene.fake.answers["opened"] = [event("finished"), send(5), event("never")];
  scene.fake.answers["stop"] = [CLOSE];
  const socket = scene.go();
  scene.onEvent = () => scene.stop();
  socket.events.opened();
  assert.deepEqual([scene.log, socket.written, socket.open], [["finished"], 0, false]);
  assert.deepEqual([scene.deadline(), scene.fake.inputs.at(-1)], [undefined, "stop"]);
});

test("an owner that starts another machine from an event is not given outputs of the first", () => {
  const scene = new Scene();
  const second = new Machine();
  scene.fake.answers["opened"] = [event("finished"), event("never")];
  scene.onEvent = () => scene.go(second);
  const first = scene.go();
  first.events.opened();
  assert.deepEqual(
    [scene.log, scene.fake.inputs, second.inputs],
    [["finished"], ["start", "opened", "stop"], ["start"]],
  );
  assert.equal(first.open, false);
  scene.tick();
  assert.deepEqual([second.inputs, scene.deadline()], [["start", "tick"], 7]);
});
