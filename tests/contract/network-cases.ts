/** One case of the network's contract: a server on loopback, and networks under test that are closed after it. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket as NodeSocket } from "node:net";
import { test } from "node:test";
import type { Network } from "../../src/ports";

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

/** Registers one case: a server of `make` (default: plain TCP) listens on a free port of 127.0.0.1 while it runs. */
export type Contract = (
  title: string,
  run: (server: Server, networks: CreateNetwork) => Promise<void>,
  make?: () => Server | Promise<Server>,
) => void;

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Runs one case against a server; everything is closed after it. */
export function runner(name: string, create: CreateNetwork): Contract {
  return (title, run, make = () => createServer()) => {
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
  };
}
