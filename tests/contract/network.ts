/** What every `Network` of src/ports.ts keeps to, over real loopback sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server, Socket as NodeSocket } from "node:net";
import { quiet } from "../kit/quiet-loop";
import { portOf, runner } from "./network-cases";
import type { Contract, CreateNetwork } from "./network-cases";
import { tlsContract } from "./network-tls";
import { ObservedSocket } from "./observed-socket";

const accept = async (server: Server, event = "connection"): Promise<NodeSocket> =>
  (await once(server, event))[0] as NodeSocket;

const pattern = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
/** `only`: "plain" for a port whose TLS is another module. */
export function networkContract(name: string, create: CreateNetwork, only?: "plain"): void {
  const contract = runner(name, create);
  transfer(contract);
  backPressure(contract);
  endings(contract);
  if (only !== "plain") tlsContract(contract);
}

function transfer(contract: Contract): void {
  contract("opens, carries bytes both ways in order, and says nothing more after close", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) });
    assert.equal(
      client.quietly(() => client.socket.write(Buffer.from("early"))),
      0,
      "bytes were taken before the connection stood",
    );
    await client.opened();
    const peer = await arriving;
    const bytes = pattern(5000);
    assert.equal(
      client.quietly(() => client.socket.write(bytes)),
      5000,
    );
    let received = Buffer.alloc(0);
    while (received.length < 5000) received = Buffer.concat([received, (await once(peer, "data"))[0] as Buffer]);
    assert.ok(received.equals(bytes));
    peer.write(bytes);
    assert.ok((await client.take(5000, 7)).equals(bytes));
    assert.equal(client.read(10).length, 0);
    client.quietly(() => client.socket.close());
    client.socket.close();
    const before = client.seen.length;
    if (!peer.destroyed) await once(peer, "close");
    assert.equal(client.seen.length, before);
  });

  contract("announces bytes once until they are read down to nothing", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const peer = await arriving;
    peer.write("first");
    await client.until(() => client.count("readable") === 1);
    assert.equal(client.read(3).toString(), "fir");
    // A second connection's round trip gives the new bytes time to arrive at the first.
    await new Promise<void>((resolve) => peer.write("second", () => resolve()));
    const other = accept(server);
    const probe = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await other).write("!");
    await probe.until(() => probe.count("readable") === 1);
    assert.equal(client.count("readable"), 1, "announced again before it was read down");
    assert.equal((await client.take(8)).toString(), "stsecond");
    peer.write("third");
    await client.until(() => client.count("readable") >= 2);
    assert.equal((await client.take(5)).toString(), "third");
  });

  contract(
    "a read that returns fewer bytes than it could has read all: the next ones are announced",
    async (server, networks) => {
      const { network } = await networks();
      const arriving = accept(server);
      const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
      const peer = await arriving;
      for (const count of [1, 2, 3]) {
        peer.write("abc");
        await client.until(() => client.count("readable") === count);
        assert.equal(client.read(4).toString(), "abc");
      }
    },
  );

  contract("no more waits than the socket's window says", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const { window = Infinity } = client.socket;
    assert.ok(window >= 1_000);
    (await arriving).write(pattern(60_000));
    await client.until(() => client.count("readable") === 1);
    // A second connection's round trip gives more bytes time to arrive at the first.
    const other = accept(server);
    const probe = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await other).write("!");
    await probe.until(() => probe.count("readable") === 1);
    assert.ok(client.read(100_000).length <= window);
  });

  contract("the port copies what it takes", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const bytes = Buffer.from("original");
    client.socket.write(bytes);
    bytes.fill(0x78);
    const [data] = (await once(await arriving, "data")) as [Buffer];
    assert.equal(data.toString(), "original");
  });
}

function backPressure(contract: Contract): void {
  contract("not reading is back pressure: the peer stops, nothing is lost, nothing grows", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const peer = await arriving;
    const total = 64 * 1024 * 1024;
    const block = pattern(1024 * 1024);
    let poured = 0;
    const pour = (): void => {
      while (poured < total) {
        poured += block.length;
        if (!peer.write(block)) return void peer.once("drain", pour);
      }
    };
    pour();
    await client.until(() => client.count("readable") === 1);
    // The peer is blocked once the kernel's buffers are full.
    const taken = (): number => peer.bytesWritten - peer.writableLength;
    await quiet(taken);
    const stalled = taken();
    assert.ok(stalled < total, "the whole stream was taken although nobody read it");
    assert.equal(client.count("readable"), 1);
    const first = await client.take(3 * 1024 * 1024, 65_536);
    assert.ok(first.equals(Buffer.concat([block, block, block])));
    client.socket.close();
  });

  contract("write takes what fits and says when there is room again", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const peer = await arriving;
    peer.pause();
    const block = pattern(65_536);
    const sent: Buffer[] = [];
    const fill = (): void => {
      for (;;) {
        const count = client.quietly(() => client.socket.write(block));
        sent.push(block.subarray(0, count));
        if (count < block.length) return;
      }
    };
    // The kernel's buffers take some; in the end nothing moves any more.
    for (let rounds = -1; rounds !== client.count("writable");) {
      rounds = client.count("writable");
      fill();
      await quiet(() => client.count("writable"));
    }
    const before = client.count("writable");
    const expected = Buffer.concat(sent);
    const received: Buffer[] = [];
    let length = 0;
    const complete = new Promise<void>((resolve) => {
      peer.on("data", (chunk: Buffer) => {
        received.push(chunk);
        length += chunk.length;
        if (length === expected.length + 3) resolve();
      });
    });
    peer.resume();
    await client.until(() => client.count("writable") > before);
    assert.equal(client.socket.write(Buffer.from("end")), 3);
    await complete;
    assert.ok(Buffer.concat(received).equals(Buffer.concat([expected, Buffer.from("end")])));
  });
}

function endings(contract: Contract): void {
  contract("the peer's close comes after its bytes, without an error", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await arriving).end("last words");
    assert.equal((await client.take(10)).toString(), "last words");
    assert.equal(await client.closed(), undefined);
    client.socket.close();
  });

  contract("a reset is told as such", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await arriving).resetAndDestroy();
    assert.equal((await client.closed())?.kind, "reset");
  });

  contract("a port where nobody listens, and a name that does not exist", async (server, networks) => {
    const { network } = await networks();
    const port = portOf(server);
    server.close();
    const refused = new ObservedSocket(network, { host: "127.0.0.1", port });
    const error = await refused.closed();
    assert.equal(error?.kind, "refused");
    assert.match(error.message, /^[^\n]+$/);
    // One character more than a label may have (RFC 1035, section 2.3.4): refused without asking any name server.
    const nowhere = new ObservedSocket(network, { host: "a".repeat(64), port: 1 });
    assert.equal((await nowhere.closed())?.kind, "dns");
  });

  contract("closing at once, before the connection stands, is silent", async (server, networks) => {
    const { network } = await networks();
    const client = new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) });
    client.quietly(() => client.socket.close());
    const other = await new ObservedSocket(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    other.socket.close();
    assert.deepEqual(client.seen, []);
  });
}
