/** The doubles on a network in memory: the same bytes as behind a port, on virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import { VirtualClock } from "../../kit/virtual-clock";
import { VirtualNetwork } from "../../kit/virtual-network";
import type { Peer } from "../../kit/peer";
import { newBench } from "../hawkbit/device";
import { image } from "../thingsboard/device";
import { ThingsBoardDouble } from "../thingsboard/server";
import { RawClient } from "./raw-client";

/** Sends bytes over a connection and lets all happen that follows; what came, and whether it was closed. */
function exchange(clock: VirtualClock, peer: Peer, bytes: Uint8Array): { received: Buffer; closed: boolean } {
  const network = new VirtualNetwork({ clock, line: { latency: 10 }, peers: () => peer });
  const received: Buffer[] = [];
  let closed = false;
  const into = Buffer.alloc(4_096);
  const socket = network.connect(
    { host: "double", port: 80 },
    {
      opened: () => void socket.write(bytes),
      readable() {
        for (let count = socket.read(into); count > 0; count = socket.read(into))
          received.push(Buffer.from(into.subarray(0, count)));
      },
      writable: () => undefined,
      closed: () => (closed = true),
    },
  );
  while (clock.step());
  return { received: Buffer.concat(received), closed };
}

async function behindPort(t: TestContext, url: string, text: string): Promise<string> {
  const client = await RawClient.open(url);
  t.after(() => client.socket.destroy());
  client.send(text);
  return client.closed();
}

const withoutDate = (text: string): string => text.replaceAll(/Date: .+/g, "Date:");

test("hawkBit: documents, a 304, a report, errors in both forms, 104 pipelined ranges", async (t) => {
  const { double, device, assign } = await newBench();
  await double.start();
  t.after(() => double.stop());
  const id = await assign("1.0.0");
  const ask = (method: string, path: string, ...lines: readonly string[]): string =>
    [
      `${method} ${device.base}${path} HTTP/1.1`,
      "Host: h",
      `Authorization: ${device.authorization}`,
      ...lines,
      "",
      "",
    ].join("\r\n");
  const report = JSON.stringify({ status: { execution: "proceeding", result: { finished: "none" } } });
  const file = "/softwaremodules/1/artifacts/app-1.0.0.bin";
  const post = ask(
    "POST",
    `/deploymentBase/${id}/feedback`,
    "Content-Type: application/json",
    `Content-Length: ${report.length}`,
  );
  const close = ask("GET", "/deploymentBase/999", "Connection: close");
  for (const text of [
    ask("GET", `/installedBase/${id}`) + ask("HEAD", file) + ask("GET", "/softwaremodules/9/artifacts/x") + close,
    post + report + close,
    post.replace(/Content-Length: \d+/, "Content-Length: 1") + "{",
    Array.from({ length: 104 }, (_, at) => ask("GET", file, `Range: bytes=${at}-${at}`)).join(""),
    ask("GET", "").replace("Host: h\r\n", ""),
    ask("GET", "", `X: ${"x".repeat(9_000)}`),
  ]) {
    const { received, closed } = exchange(new VirtualClock(), double.peer(), Buffer.from(text));
    assert.equal(withoutDate(received.toString("latin1")), withoutDate(await behindPort(t, double.url, text)));
    assert.ok(closed);
  }
});

test("ThingsBoard: a chunk over MQTT and a range over HTTP, on virtual time", async () => {
  const clock = new VirtualClock();
  const double = new ThingsBoardDouble({ now: () => clock.now(), defer: (run) => void clock.after(0, run) });
  const { operator } = double;
  const profile = await operator.createProfile("xs");
  const { id, accessToken } = await operator.createDevice("dev-1", profile);
  await operator.assign(
    id,
    await operator.upload(profile, { title: "xs-app", version: "1.0.0", bytes: image("1.0.0") }),
  );
  const connect: Packet = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId: "c",
    username: accessToken,
  };
  const request: Packet = {
    cmd: "publish",
    topic: "v2/fw/request/1/chunk/2",
    payload: "4096",
    qos: 0,
    dup: false,
    retain: false,
  };
  const packets: Packet[] = [];
  const reader = parser().on("packet", (packet: Packet) => packets.push(packet));
  reader.parse(exchange(clock, double.mqttPeer, Buffer.concat([generate(connect), generate(request)])).received);
  assert.deepEqual(
    packets.map(({ cmd }) => cmd),
    ["connack", "publish"],
  );
  const { payload } = packets[1] as Extract<Packet, { cmd: "publish" }>;
  assert.deepEqual(Buffer.from(payload), Buffer.from(image("1.0.0").subarray(8_192)));
  const path = `/api/v1/${accessToken}/firmware?title=xs-app&version=1.0.0`;
  const get = `GET ${path} HTTP/1.1\r\nHost: h\r\nRange: bytes=0-3\r\n\r\n`;
  const { received, closed } = exchange(clock, double.httpPeer, Buffer.from(get));
  assert.match(received.toString("latin1"), /^HTTP\/1\.1 206 \r\n[^]*\r\n\r\n[^]{4}$/);
  assert.ok(!closed);
  const two = exchange(clock, double.httpPeer, Buffer.from(get.replace("0-3", "0-1,5-6")));
  assert.ok(two.closed && two.received.length > 9_000);
});
