/** The chip's TCP, TypeScript and C, passes the suite of every `Network`; its UDP echoes. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Lookup } from "../../../hal/moddable/host-names";
import type { LwipSockets } from "../../../hal/esp32/tcp/lwip-sockets";
import type { Socket, SocketEvents } from "../../../src/ports";
import { networkContract } from "../../contract/network";
import { buildHost, toolchain } from "./compile";
import { NativeSockets } from "./native-sockets";

/** What the bundle below holds; its modules import the SDK's, which Node's types do not know. */
interface Datagrams {
  readonly target: unknown;
  read(): ArrayBuffer | undefined;
  write(bytes: Uint8Array | ArrayBuffer, address: string, port: number): void;
  close(): void;
}
interface Bundle {
  readonly LwipSockets: new () => LwipSockets;
  readonly LwipTcpSocket: new (
    sockets: LwipSockets,
    options: { host: string; port: number; lookup: Lookup },
    events: SocketEvents,
  ) => Socket;
  readonly LwipUdpSocket: new (
    sockets: LwipSockets,
    options: { target?: unknown; onReadable(this: unknown, count: number): void },
  ) => Datagrams;
}

const PORT = fileURLToPath(new URL("../../../hal/esp32/tcp", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "xs-ota-lwip-"));
after(() => rmSync(folder, { recursive: true }));

/** The SDK's timer. */
const TIMER = `export default { set: (callback, ms = 0) => setTimeout(callback, ms) }`;
const bundle = await build({
  stdin: {
    contents: `export { LwipSockets } from "./lwip-sockets"; export { LwipTcpSocket } from "./tcp-socket"; export { LwipUdpSocket } from "./udp-socket";`,
    resolveDir: PORT,
  },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  plugins: [
    {
      name: "timer",
      setup(setup) {
        setup.onResolve({ filter: /^timer$/ }, () => ({ path: "timer", namespace: "timer" }));
        setup.onLoad({ filter: /./, namespace: "timer" }, () => ({ contents: TIMER }));
      },
    },
  ],
});
writeFileSync(join(folder, "bundle.mjs"), bundle.outputFiles[0]!.contents);
const {
  LwipSockets: Sockets,
  LwipTcpSocket,
  LwipUdpSocket,
} = (await import(pathToFileURL(join(folder, "bundle.mjs")).href)) as Bundle;
const program = buildHost(toolchain(folder), folder);

/** XS's: each process is one chip. */
let chip: NativeSockets | undefined;
Object.assign(globalThis, {
  native:
    (name: string) =>
    (...args: unknown[]) =>
      chip!.call(name, args),
});

function powered(): { sockets: LwipSockets; close(): void } {
  const own = (chip = new NativeSockets(program));
  return { sockets: new Sockets(), close: () => own.close() };
}

const nowhere: Lookup = (host) => {
  throw new Error(`resolve ${host}: not a host name`);
};

networkContract(
  "the chip's sockets",
  () => {
    const { sockets, close } = powered();
    return {
      network: {
        connect: ({ host, port }, events: SocketEvents) =>
          new LwipTcpSocket(sockets, { host, port, lookup: nowhere }, events),
      },
      close,
    };
  },
  "plain",
);

test("the window of a connection is lwIP's", () => {
  const { sockets, close } = powered();
  // TCP_WND of fake-lwip/lwip/tcp.h.
  assert.equal(sockets.tcpWindow, 5_744);
  close();
});

test("datagrams come one at a time, to a socket that is open", async () => {
  const { sockets, close } = powered();
  const heard: string[] = [];
  const answered = new Promise<void>((resolve) => {
    const socket: Datagrams = new LwipUdpSocket(sockets, {
      target: "the target",
      onReadable(this: unknown, count: number) {
        const self = this as Datagrams;
        assert.equal(self.target, "the target");
        assert.equal(count, 1);
        heard.push(Buffer.from(self.read()!).toString());
        assert.equal(self.read(), undefined);
        if (heard.length === 2) {
          socket.close();
          socket.close();
          assert.throws(() => socket.write(Buffer.from("late"), "127.0.0.1", 53), /closed/);
          resolve();
        }
      },
    });
    assert.throws(() => socket.write(Buffer.from("x"), "nobody", 53), /udp to nobody: not an address/);
    socket.write(Buffer.from("first"), "127.0.0.1", 53);
    socket.write(Uint8Array.from(Buffer.from("second")).buffer, "127.0.0.1", 53);
  });
  await answered;
  assert.deepEqual(heard, ["first", "second"]);
  close();
});

test("what can not be opened is told later, with its cause", async () => {
  const { sockets, close } = powered();
  const told: unknown[] = [];
  const events = (done: () => void): SocketEvents => ({
    opened: () => told.push("opened"),
    readable: () => told.push("readable"),
    writable: () => told.push("writable"),
    closed: (error) => {
      told.push(error);
      done();
    },
  });
  await new Promise<void>((done) => {
    const lookup: Lookup = (_host, resolved) => resolved("not an address");
    const socket = new LwipTcpSocket(sockets, { host: "broker.example", port: 1883, lookup }, events(done));
    assert.equal(socket.read(new Uint8Array(1)) + socket.write(Uint8Array.of(1)), 0);
    assert.deepEqual(told, []);
  });
  assert.deepEqual(told, [{ kind: "other", message: "connect not an address: not an address" }]);
  const many = Array.from({ length: 8 }, () =>
    sockets.udpOpen({ opened() {}, readable() {}, writable() {}, ended() {} }),
  );
  await new Promise<void>((done) => {
    const socket = new LwipTcpSocket(sockets, { host: "127.0.0.1", port: 9, lookup: nowhere }, events(done));
    assert.equal(socket.write(Uint8Array.of(1)), 0);
  });
  assert.deepEqual(told[1], { kind: "other", message: "connect 127.0.0.1: too many sockets" });
  for (const handle of many) sockets.udpClose(handle);
  close();
});
