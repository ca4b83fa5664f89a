/**
 * What every `Network` of src/ports.ts keeps to where it speaks TLS: full verification of chain, dates and host name.
 */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { Server, Socket as NodeSocket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { portOf } from "./network-cases";
import type { Contract } from "./network-cases";
import { ObservedSocket } from "./observed-socket";

let authority: Promise<Authority> | undefined;
const ours = (): Promise<Authority> => (authority ??= Authority.create("ec"));
const server = (names: readonly string[], dates?: { notBefore: Date; notAfter: Date }) => async (): Promise<Server> => {
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

export function tlsContract(contract: Contract): void {
  verification(contract);
  handshakes(contract);
}

function verification(contract: Contract): void {
  contract(
    "TLS: opens only after a handshake with a server it trusts, by address and by name",
    async (listening, networks) => {
      const { network } = await networks({ https: { ca: (await ours()).root } });
      for (const host of ["127.0.0.1", "localhost"]) {
        const client = new ObservedSocket(network, { host, port: portOf(listening), tls: "https" });
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
        const client = new ObservedSocket(network, { host: "127.0.0.1", port: portOf(listening), tls: "https" });
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
}

function handshakes(contract: Contract): void {
  contract(
    "TLS: the roots of mqtt are not those of https",
    async (listening, networks) => {
      const { network } = await networks({ mqtt: { ca: (await ours()).root } });
      const broker = await new ObservedSocket(network, {
        host: "127.0.0.1",
        port: portOf(listening),
        tls: "mqtt",
      }).opened();
      broker.socket.close();
      const files = new ObservedSocket(network, { host: "127.0.0.1", port: portOf(listening), tls: "https" });
      assert.equal((await files.closed())?.kind, "certificate");
    },
    server(["127.0.0.1"]),
  );

  contract(
    "TLS: a server that speaks no TLS is a TLS failure, not a certificate's",
    async (listening, networks) => {
      listening.on("connection", (socket: NodeSocket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
      const { network } = await networks();
      const client = new ObservedSocket(network, { host: "127.0.0.1", port: portOf(listening), tls: "https" });
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
      const known = new ObservedSocket(network, { host: "127.0.0.1", port: portOf(listening), tls: "mqtt" });
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
