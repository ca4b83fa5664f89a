/**
 * The plain connection and the look-up of names, on stand-ins for the SDK's classes with all the traps of the real
 * ones.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Socket, SocketError, SocketEvents } from "../../src/ports";
import type { Lookup } from "../../hal/moddable/host-names";
import type * as Dns from "./stand-ins/dns";
import type TcpStandIn from "./stand-ins/tcp";
import type TimerStandIn from "./stand-ins/timer";

const HERE = join(dirname(fileURLToPath(import.meta.url)), "stand-ins");
const ALIASES: Readonly<Record<string, string>> = {
  "embedded:io/socket/tcp": "tcp.ts",
  "embedded:io/socket/udp": "udp.ts",
  "embedded:network/dns/resolver/udp": "resolver.ts",
  timer: "timer.ts",
};

/** What is tried, and the stand-ins it runs on, in one bundle: so both have the same ones. */
const ENTRY = `export { TcpSocket } from "../../../hal/moddable/tcp-socket";
  export { lookupBy } from "../../../hal/moddable/dns";
  export { default as TCP } from "./tcp";
  export { default as Timer } from "./timer";
  export { Resolver } from "./dns";`;

interface Bundle {
  readonly TCP: typeof TcpStandIn;
  readonly Timer: typeof TimerStandIn;
  readonly Resolver: typeof Dns.Resolver;
  readonly TcpSocket: new (
    options: { host: string; port: number; lookup: Lookup; ahead: number },
    events: SocketEvents,
  ) => Socket;
  lookupBy(servers: () => readonly string[]): Lookup;
}

const folder = mkdtempSync(join(tmpdir(), "xs-ota-sockets-"));
after(() => rmSync(folder, { recursive: true }));
const bundle = await build({
  stdin: { contents: ENTRY, resolveDir: HERE },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  plugins: [
    {
      name: "stand-ins",
      setup(setup) {
        setup.onResolve({ filter: /^(embedded:|timer$)/ }, ({ path }) => ({ path: join(HERE, ALIASES[path]!) }));
      },
    },
  ],
});
writeFileSync(join(folder, "bundle.mjs"), bundle.outputFiles[0]!.contents);
const { TCP, Timer, TcpSocket, lookupBy, Resolver } = (await import(
  pathToFileURL(join(folder, "bundle.mjs")).href
)) as Bundle;

/** A connection, what it was told, and the SDK's socket below it. */
class Fixture implements SocketEvents {
  readonly told: string[] = [];
  readonly errors: (SocketError | undefined)[] = [];
  /** Done within the callback of this name. */
  within: { readonly [name: string]: () => void } = {};
  readonly socket: Socket;

  constructor(host = "192.0.2.1", { ahead = 0, lookup = () => {} }: { ahead?: number; lookup?: Lookup } = {}) {
    this.socket = new TcpSocket({ host, port: 1883, lookup, ahead }, this);
  }

  get raw(): TcpStandIn {
    return TCP.made.at(-1)!;
  }
  opened(): void {
    this.#note("opened");
  }
  readable(): void {
    this.#note("readable");
  }
  writable(): void {
    this.#note("writable");
  }
  closed(error?: SocketError): void {
    this.errors.push(error);
    this.#note("closed");
  }
  read(length: number): string {
    const into = new Uint8Array(length);
    return Buffer.from(into.subarray(0, this.socket.read(into))).toString();
  }
  connected(room = 100): this {
    this.raw.writable(room);
    return this;
  }

  #note(what: string): void {
    this.told.push(what);
    this.within[what]?.();
  }
}

beforeEach(() => {
  TCP.made.length = 0;
  Timer.waiting.length = 0;
  Resolver.made.length = 0;
});

test("the first room means that the connection is established; later room is reported only to a writer that waits", () => {
  const fixture = new Fixture().connected(10);
  assert.deepEqual(fixture.told, ["opened"]);
  fixture.raw.writable(10);
  assert.deepEqual(fixture.told, ["opened"]);
  assert.equal(fixture.socket.write(Buffer.from("twelve bytes")), 10);
  assert.equal(fixture.socket.write(Buffer.from("more")), 0);
  fixture.raw.writable(5);
  assert.deepEqual(fixture.told, ["opened", "writable"]);
  assert.equal(Buffer.concat(fixture.raw.written).toString(), "twelve byt");
});

test("bytes are taken when the reader asks for them, and announced once", () => {
  const fixture = new Fixture().connected();
  fixture.raw.arrive("hello ");
  fixture.raw.arrive("world");
  assert.deepEqual(fixture.told, ["opened", "readable"]);
  assert.equal(fixture.read(4), "hell");
  assert.equal(fixture.raw.unread.length, 7, "what nobody asked for stays in the SDK's socket: back pressure");
  assert.equal(fixture.read(100), "o world");
  assert.equal(fixture.read(100), "");
  fixture.raw.arrive("again");
  assert.deepEqual(fixture.told, ["opened", "readable", "readable"]);
});

test("on the desktop bytes are taken ahead, up to the limit, and read in order", () => {
  const fixture = new Fixture("192.0.2.1", { ahead: 8 }).connected();
  fixture.raw.arrive("0123456789");
  assert.equal(fixture.raw.unread.toString(), "89", "the limit holds");
  assert.equal(fixture.read(3), "012");
  fixture.raw.arrive("ab");
  assert.equal(fixture.read(100), "3456789ab");
  assert.deepEqual(fixture.told, ["opened", "readable"]);
  fixture.raw.arrive("c");
  assert.deepEqual(fixture.told, ["opened", "readable", "readable"]);
});

test("the peer's close comes after its bytes, however they are read", () => {
  const fixture = new Fixture("192.0.2.1", { ahead: 100 }).connected();
  fixture.raw.arrive("last words");
  fixture.raw.options.onError();
  assert.deepEqual(fixture.told, ["opened", "readable"]);
  assert.equal(fixture.read(4), "last");
  Timer.run();
  assert.deepEqual(fixture.errors, []);
  assert.equal(fixture.read(100), " words");
  assert.deepEqual(fixture.errors, [], "not from inside read");
  Timer.run();
  assert.deepEqual(fixture.errors, [undefined]);
  assert.equal(fixture.raw.closed, true);
});

test("a connection that was never established ends as refused", () => {
  const fixture = new Fixture();
  fixture.raw.options.onError();
  assert.equal(fixture.errors[0]?.kind, "refused");
});

test("after close there is no callback, whatever the SDK still calls, and nothing is read or written", () => {
  const fixture = new Fixture().connected();
  const { raw } = fixture;
  raw.arrive("bytes");
  fixture.socket.close();
  fixture.socket.close();
  raw.options.onReadable(5);
  raw.writable(50);
  raw.options.onError();
  Timer.run();
  assert.deepEqual(fixture.told, ["opened", "readable"]);
  assert.equal(fixture.read(10), "");
  assert.equal(fixture.socket.write(Buffer.from("x")), 0);
});

test("close within any callback works", () => {
  for (const name of ["opened", "readable"]) {
    const fixture = new Fixture("192.0.2.1", { ahead: 100 });
    fixture.within = { [name]: () => fixture.socket.close() };
    fixture.connected();
    if (name === "readable") fixture.raw.arrive("bytes");
    Timer.run();
    assert.equal(fixture.told.at(-1), name);
    assert.equal(fixture.raw.closed, true);
  }
});

test("a write that fails ends the connection once, after write has returned", () => {
  for (const broken of ["throws", "undefined"] as const) {
    const fixture = new Fixture().connected();
    fixture.raw.broken = broken;
    assert.equal(fixture.socket.write(Buffer.from("x")), 0);
    assert.deepEqual(fixture.errors, []);
    fixture.raw.options.onError();
    Timer.run();
    assert.equal(fixture.told.filter((what) => what === "closed").length, 1);
  }
});

test("nothing is written before the connection is established", () => {
  const fixture = new Fixture();
  assert.equal(fixture.socket.write(Buffer.from("early")), 0);
});

test("an exception in a callback ends the connection and goes no further", () => {
  const fixture = new Fixture();
  fixture.within = {
    opened() {
      throw new Error("a fault of the application");
    },
  };
  fixture.connected();
  Timer.run();
  assert.deepEqual(
    fixture.errors.map((error) => error?.message),
    ["a fault of the application"],
  );
});

test("a socket that can not be made is reported later, as a failure", () => {
  TCP.trouble = "no socket";
  const fixture = new Fixture();
  assert.deepEqual(fixture.errors, []);
  Timer.run();
  assert.deepEqual(fixture.errors, [{ kind: "other", message: "connect 192.0.2.1: no socket" }]);
});

test("an invalid port number throws at once", () => {
  for (const port of [0, -1, 65_536, 1.5, Number.NaN])
    assert.throws(() => new TcpSocket({ host: "192.0.2.1", port, lookup: () => {}, ahead: 0 }, {} as SocketEvents));
});

test("a name is looked up first; a name without address is a failure of DNS", () => {
  const asked: { host: string; done(address: string | undefined): void }[] = [];
  const lookup: Lookup = (host, done) => void asked.push({ host, done });
  const found = new Fixture("broker.example", { lookup });
  assert.equal(TCP.made.length, 0);
  asked[0]!.done("192.0.2.5");
  assert.equal(found.raw.options.address, "192.0.2.5");
  const lost = new Fixture("nowhere.example", { lookup });
  asked[1]!.done(undefined);
  assert.deepEqual(lost.errors, [{ kind: "dns", message: "DNS: nowhere.example not found" }]);
  const late = new Fixture("late.example", { lookup });
  late.socket.close();
  asked[2]!.done("192.0.2.6");
  assert.equal(TCP.made.length, 1, "nobody waits for it any more");
  assert.deepEqual(late.told, []);
});

test("names are looked up at the servers of the moment; the resolver is closed with the answer", () => {
  let servers = ["192.0.2.53"];
  const lookup = lookupBy(() => servers);
  const answers: (string | undefined)[] = [];
  lookup("a.example", (address) => answers.push(address));
  servers = ["192.0.2.54"];
  lookup("b.example", (address) => answers.push(address));
  const [first, second] = Resolver.made;
  assert.deepEqual([first!.options.servers, second!.options.servers], [["192.0.2.53"], ["192.0.2.54"]]);
  first!.query!.onResolved("a.example", "192.0.2.1");
  second!.query!.onError("b.example");
  assert.deepEqual(answers, ["192.0.2.1", undefined]);
  assert.ok(first!.closed && second!.closed);
});

test("an invalid name is not asked for, and a missing server is a failure", () => {
  const fixture = new Fixture("a..b", { lookup: lookupBy(() => ["192.0.2.53"]) });
  Timer.run();
  assert.equal(fixture.errors[0]?.kind, "dns");
  const lonely = new Fixture("a.example", { lookup: lookupBy(() => []) });
  Timer.run();
  assert.equal(lonely.errors[0]?.kind, "dns");
  assert.equal(Resolver.made.length, 0);
});

test("a datagram that the resolver can not parse is dropped, and the next is read", () => {
  lookupBy(() => ["192.0.2.53"])("a.example", () => {});
  const seen: number[] = [];
  const { io: Guarded } = Resolver.made[0]!.options.socket;
  const socket = new Guarded({
    onReadable(count: number) {
      seen.push(count);
      if (seen.length === 1) throw new Error("malformed");
    },
  });
  socket.options.onReadable.call(socket, 3);
  assert.deepEqual(seen, [1, 1, 1]);
});
