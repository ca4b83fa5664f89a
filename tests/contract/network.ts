/** What every `Network` of src/ports.ts keeps to, over real loopback sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket as NodeSocket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { test } from "node:test";
import type { ConnectOptions, Network, Socket, SocketError } from "../../src/ports";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";

export interface NetworkUnderTest {
  readonly network: Network;
  close(): void | Promise<void>;
}
/** PEM of extra roots and, for "mqtt", the client's certificate. */
export interface TrustUnderTest {
  readonly ca?: string;
  readonly certificate?: string;
  readonly privateKey?: string;
}
export type CreateNetwork = (trust?: {
  mqtt?: TrustUnderTest;
  https?: TrustUnderTest;
}) => NetworkUnderTest | Promise<NetworkUnderTest>;

type Happening = { what: "opened" | "readable" | "writable" } | { what: "closed"; error: SocketError | undefined };

/** A socket that notes what it is told, and waits for it. */
class Watched {
  readonly seen: Happening[] = [];
  readonly socket: Socket;
  #wake: () => void = () => {};
  #synchronous = true;

  constructor(network: Network, options: ConnectOptions) {
    const note = (happening: Happening): void => {
      assert.equal(this.#synchronous, false, `${happening.what} was called from inside a call of the port`);
      this.seen.push(happening);
      this.#wake();
    };
    this.socket = network.connect(options, {
      opened: () => note({ what: "opened" }),
      readable: () => note({ what: "readable" }),
      writable: () => note({ what: "writable" }),
      closed: (error) => note({ what: "closed", error }),
    });
    this.#synchronous = false;
  }

  count(what: Happening["what"]): number {
    return this.seen.filter((happening) => happening.what === what).length;
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async opened(): Promise<this> {
    await this.until(() => this.seen.length > 0);
    assert.deepEqual(this.seen[0], { what: "opened" });
    return this;
  }

  async closed(): Promise<SocketError | undefined> {
    await this.until(() => this.count("closed") > 0);
    const last = this.seen.at(-1);
    assert.ok(last?.what === "closed", "something came after closed");
    return last.error;
  }

  /** A call of the port in which nothing may be called back. */
  quietly<T>(call: () => T): T {
    this.#synchronous = true;
    try {
      return call();
    } finally {
      this.#synchronous = false;
    }
  }

  read(length: number): Buffer {
    const into = Buffer.alloc(length);
    return into.subarray(
      0,
      this.quietly(() => this.socket.read(into)),
    );
  }

  /** Reads until `length` bytes are there, taking `step` at a time. */
  async take(length: number, step = 1000): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let have = 0; have < length;) {
      const part = this.read(Math.min(step, length - have));
      if (part.length === 0) {
        const before = this.seen.length;
        await this.until(() => this.seen.length > before);
      }
      parts.push(part);
      have += part.length;
    }
    return Buffer.concat(parts);
  }
}

const pattern = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

export function networkContract(name: string, create: CreateNetwork): void {
  /** Runs one case against a server; everything is closed after it. */
  function contract(
    title: string,
    run: (server: Server, networks: typeof create) => Promise<void>,
    make: () => Server | Promise<Server> = () => createServer(),
  ): void {
    test(`${name}: ${title}`, async () => {
      const server = await make();
      const accepted = new Set<NodeSocket>();
      server.on("connection", (socket: NodeSocket) => {
        accepted.add(socket);
        socket.on("error", () => {});
      });
      server.on("tlsClientError", () => {});
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const made: NetworkUnderTest[] = [];
      try {
        await run(server, async (trust) => {
          const network = await create(trust);
          made.push(network);
          return network;
        });
      } finally {
        for (const network of made) await network.close();
        for (const socket of accepted) socket.destroy();
        server.close();
      }
    });
  }

  const accept = async (server: Server, event = "connection"): Promise<NodeSocket> =>
    (await once(server, event))[0] as NodeSocket;

  contract("opens, carries bytes both ways in order, and says nothing more after close", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = new Watched(network, { host: "127.0.0.1", port: portOf(server) });
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
    const client = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const peer = await arriving;
    peer.write("first");
    await client.until(() => client.count("readable") === 1);
    assert.equal(client.read(3).toString(), "fir");
    // A second connection's round trip gives the new bytes time to arrive at the first.
    await new Promise<void>((resolve) => peer.write("second", () => resolve()));
    const other = accept(server);
    const probe = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await other).write("!");
    await probe.until(() => probe.count("readable") === 1);
    assert.equal(client.count("readable"), 1, "announced again before it was read down");
    assert.equal((await client.take(8)).toString(), "stsecond");
    peer.write("third");
    await client.until(() => client.count("readable") >= 2);
    assert.equal((await client.take(5)).toString(), "third");
  });

  contract("not reading is back pressure: the peer stops, nothing is lost, nothing grows", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
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
    // Blocked when the kernel's buffers are full: the count stands still over many turns of the loop.
    let stalled = -1;
    for (let quiet = 0; quiet < 200; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (peer.bytesWritten - peer.writableLength !== stalled) {
        stalled = peer.bytesWritten - peer.writableLength;
        quiet = 0;
      }
    }
    assert.ok(stalled < total, "the whole stream was taken although nobody read it");
    assert.equal(client.count("readable"), 1);
    const first = await client.take(3 * 1024 * 1024, 65_536);
    assert.ok(first.equals(Buffer.concat([block, block, block])));
    client.socket.close();
  });

  contract("write takes what fits and says when there is room again", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
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
    fill();
    // The kernel's buffers take some; in the end nothing moves any more.
    for (let quiet = 0, rounds = 0; quiet < 200; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (client.count("writable") === rounds) continue;
      rounds = client.count("writable");
      quiet = 0;
      fill();
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

  contract("the port copies what it takes", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    const bytes = Buffer.from("original");
    client.socket.write(bytes);
    bytes.fill(0x78);
    const [data] = (await once(await arriving, "data")) as [Buffer];
    assert.equal(data.toString(), "original");
  });

  contract("the peer's close comes after its bytes, without an error", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await arriving).end("last words");
    assert.equal((await client.take(10)).toString(), "last words");
    assert.equal(await client.closed(), undefined);
    client.socket.close();
  });

  contract("a reset is told as such", async (server, networks) => {
    const { network } = await networks();
    const arriving = accept(server);
    const client = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    (await arriving).resetAndDestroy();
    assert.equal((await client.closed())?.kind, "reset");
  });

  contract("a port where nobody listens, and a name that does not exist", async (server, networks) => {
    const { network } = await networks();
    const port = portOf(server);
    server.close();
    const refused = new Watched(network, { host: "127.0.0.1", port });
    const error = await refused.closed();
    assert.equal(error?.kind, "refused");
    assert.match(error.message, /^[^\n]+$/);
    // One character more than a label may have (RFC 1035, section 2.3.4): refused without asking any name server.
    const nowhere = new Watched(network, { host: "a".repeat(64), port: 1 });
    assert.equal((await nowhere.closed())?.kind, "dns");
  });

  contract("closing at once, before the connection stands, is silent", async (server, networks) => {
    const { network } = await networks();
    const client = new Watched(network, { host: "127.0.0.1", port: portOf(server) });
    client.quietly(() => client.socket.close());
    const other = await new Watched(network, { host: "127.0.0.1", port: portOf(server) }).opened();
    other.socket.close();
    assert.deepEqual(client.seen, []);
  });

  tlsContract(contract);
}

function tlsContract(
  contract: (
    title: string,
    run: (server: Server, networks: CreateNetwork) => Promise<void>,
    make: () => Server | Promise<Server>,
  ) => void,
): void {
  let authority: Promise<Authority> | undefined;
  const ours = (): Promise<Authority> => (authority ??= Authority.create("ec"));
  const server =
    (names: readonly string[], dates?: { notBefore: Date; notAfter: Date }) => async (): Promise<Server> => {
      const { key, certificate } = await (await ours()).server(names, dates);
      return createTlsServer({ key, cert: certificate }, (socket) => {
        socket.on("error", () => {});
        socket.write("hello");
      });
    };
  const around = (days: number): { notBefore: Date; notAfter: Date } => {
    const middle = Date.now() + days * 86_400_000;
    return { notBefore: new Date(middle - 86_400_000), notAfter: new Date(middle + 86_400_000) };
  };

  contract(
    "TLS: opens only after a handshake with a server it trusts, by address and by name",
    async (listening, networks) => {
      const { network } = await networks({ https: { ca: (await ours()).root } });
      for (const host of ["127.0.0.1", "localhost"]) {
        const client = new Watched(network, { host, port: portOf(listening), tls: "https" });
        assert.equal(client.socket.write(Buffer.from("secret")), 0, "bytes were taken before the handshake");
        await client.opened();
        assert.equal((await client.take(5)).toString(), "hello");
        client.socket.close();
      }
    },
    server(["127.0.0.1", "localhost"]),
  );

  const refused = (
    title: string,
    names: readonly string[],
    dates: ReturnType<typeof around> | undefined,
    trusted: boolean,
  ): void =>
    contract(
      `TLS: ${title}`,
      async (listening, networks) => {
        const { network } = await networks(trusted ? { https: { ca: (await ours()).root } } : {});
        const client = new Watched(network, { host: "127.0.0.1", port: portOf(listening), tls: "https" });
        const error = await client.closed();
        assert.equal(error?.kind, "certificate", error?.message);
        assert.equal(client.count("opened"), 0);
      },
      server(names, dates),
    );
  refused("a root that nobody named is refused", ["127.0.0.1"], undefined, false);
  refused("an expired certificate is refused", ["127.0.0.1"], around(-10), true);
  refused("a certificate from the future is refused", ["127.0.0.1"], around(10), true);
  refused("a certificate for another name is refused", ["other.example"], undefined, true);

  contract(
    "TLS: the roots of mqtt are not those of https",
    async (listening, networks) => {
      const { network } = await networks({ mqtt: { ca: (await ours()).root } });
      const broker = await new Watched(network, { host: "127.0.0.1", port: portOf(listening), tls: "mqtt" }).opened();
      broker.socket.close();
      const files = new Watched(network, { host: "127.0.0.1", port: portOf(listening), tls: "https" });
      assert.equal((await files.closed())?.kind, "certificate");
    },
    server(["127.0.0.1"]),
  );

  contract(
    "TLS: a server that speaks no TLS is a TLS failure, not a certificate's",
    async (listening, networks) => {
      listening.on("connection", (socket: NodeSocket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
      const { network } = await networks();
      const client = new Watched(network, { host: "127.0.0.1", port: portOf(listening), tls: "https" });
      assert.equal((await client.closed())?.kind, "tls");
    },
    () => createServer(),
  );

  contract(
    "TLS: shows the client certificate to a broker that asks for one",
    async (listening, networks) => {
      const client = await (await ours()).client("ota-bench-01");
      const trust = { ca: (await ours()).root, certificate: client.certificate, privateKey: client.key };
      const { network } = await networks({ mqtt: trust });
      const known = new Watched(network, { host: "127.0.0.1", port: portOf(listening), tls: "mqtt" });
      await known.opened();
      assert.equal((await known.take(12)).toString(), "ota-bench-01");
      known.socket.close();
    },
    async () => {
      const { key, certificate } = await (await ours()).server(["127.0.0.1"]);
      return createTlsServer(
        { key, cert: certificate, ca: (await ours()).root, requestCert: true, rejectUnauthorized: true },
        (socket) => {
          socket.on("error", () => {});
          socket.write(String(socket.getPeerCertificate().subject.CN));
        },
      );
    },
  );
}
