/** What a wake costs before the first byte of the file: round trips and bytes, with and without TLS. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import type { KeyKind } from "../../host-sim/cloud/core/listeners/certificates";
import { table } from "../output/table";
import type { WakesResult } from "../simulation/wakes";
import { LINES } from "./lines";

export interface HandshakeCost {
  readonly name: string;
  readonly roundTrips: number;
  /** From and to the server, TCP's own headers aside. */
  readonly down: number;
  readonly up: number;
}

/** The suites that the agent offers (hal/moddable/tls-session.ts). */
const SUITES: { readonly [kind in KeyKind]: string } = {
  ec: "ECDHE-ECDSA-AES128-GCM-SHA256",
  rsa: "ECDHE-RSA-AES128-GCM-SHA256",
};

/** Full TLS 1.2 handshakes on this machine's loopback, the server's certificate sent with its issuer. */
export async function countHandshakes(): Promise<HandshakeCost[]> {
  return [await count("ec", "P-256 certificates"), await count("rsa", "RSA 2048 certificates")];
}

async function count(kind: KeyKind, name: string): Promise<HandshakeCost> {
  const { roundTrips, down, up } = await overTls(kind);
  return { name, roundTrips, down: tens(down), up: tens(up) };
}

/** Bytes both ways of a whole TLS connection for one request and one answer of so many bytes. */
export async function countExchange(kind: KeyKind, request: number, answer: number): Promise<number> {
  const { down, up } = await overTls(kind, { request, answer });
  return tens(down + up);
}

async function overTls(
  kind: KeyKind,
  exchange?: { readonly request: number; readonly answer: number },
): Promise<Omit<HandshakeCost, "name">> {
  const authority = await Authority.create(kind);
  const { key, certificate } = await authority.server(["localhost"]);
  const server = createTlsServer({ key, cert: certificate }, (socket) => {
    socket.once("data", () => socket.write(Buffer.alloc(exchange?.answer ?? 0)));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const flights: ("up" | "down")[] = [];
  const bytes = { up: 0, down: 0 };
  const note = (direction: "up" | "down", chunk: Buffer): void => {
    bytes[direction] += chunk.length;
    if (flights.at(-1) !== direction) flights.push(direction);
  };
  const relay = createServer((near) => {
    const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
    near.on("data", (chunk: Buffer) => (note("up", chunk), far.write(chunk))).on("close", () => far.destroy());
    far.on("data", (chunk: Buffer) => (note("down", chunk), near.write(chunk))).on("close", () => near.destroy());
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const client = connectTls({
    port: (relay.address() as AddressInfo).port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: authority.root,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ciphers: SUITES[kind],
  });
  await once(client, "secureConnect");
  if (exchange !== undefined) {
    client.write(Buffer.alloc(exchange.request));
    await once(client, "data");
    // close_notify of both.
    client.end();
    await once(client, "close");
  }
  client.destroy();
  relay.close();
  server.close();
  return { roundTrips: flights.filter((flight) => flight === "down").length, down: bytes.down, up: bytes.up };
}

/** An ECDSA signature has 70 to 72 bytes. */
const tens = (bytes: number): number => Math.round(bytes / 10) * 10;

/** TCP and the request are a round trip each. */
const PLAIN = 2;

export function firstByteSection(
  { wakes }: WakesResult,
  handshakes: readonly HandshakeCost[],
): { title: string; note: string; body: string } {
  const { latency } = LINES[0]!;
  const [, second] = wakes;
  const rows = [
    { name: "plain HTTP", roundTrips: 0, down: 0, up: 0 },
    ...handshakes.map((each) => ({ ...each, name: `HTTPS, ${each.name}` })),
  ];
  return {
    title: "From a wake to the first byte of the file",
    note:
      `With an address, and the name of the server known; a name that is not takes one more round trip and about 100 bytes. The stored URL is asked at once, the broker beside it: neither waits for the other. ` +
      `In the run above the first byte came ${second === undefined ? "-" : Math.round(second.first)} ms after the reset. ` +
      "TLS: a full handshake, counted on this machine's loopback between Node's TLS 1.2 and itself, with the suites that the agent offers, and two certificates; public chains of three have 1 to 2 KB more. " +
      "There is no resumption: the SDK's cache holds one session in RAM, which a deep sleep loses, and the agent's own checks take full handshakes only.",
    body: table(
      ["", "round trips", `ms at ${latency} ms one way`, "handshake bytes down", "up"],
      rows.map(({ name, roundTrips, down, up }) => [
        name,
        roundTrips + PLAIN,
        (roundTrips + PLAIN) * 2 * latency,
        down,
        up,
      ]),
    ),
  };
}
