/** A day of a device that is offered nothing, on each platform, in virtual time: what its polls or its connection cost. */
import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import type { Platform } from "../../src/platforms/platform";
import { StaticPlatform } from "../../src/platforms/static/dialect";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsBoardPlatform } from "../../src/platforms/thingsboard/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import type { Crypto } from "../../src/ports";
import { HawkbitDouble } from "../../tests/doubles/hawkbit/server";
import { ThingsBoardDouble } from "../../tests/doubles/thingsboard/server";
import { factoryBoard } from "../../tests/kit/images";
import { perConnection } from "../../tests/kit/peer";
import type { Connection, Peer } from "../../tests/kit/peer";
import { VirtualClock } from "../../tests/kit/virtual-clock";
import { VirtualDevice } from "../../tests/kit/virtual-device";
import { VirtualNetwork } from "../../tests/kit/virtual-network";
import { broker } from "./broker";
import { CONFIG } from "./update";

const DAY = 86_400_000;
const EPOCH = Date.UTC(2026, 10, 30);
/** By then the device has told the server all that it tells after a start. */
const SETTLED = 30 * 60_000;
const PORT = 1883;

/** Without TLS, TCP and IP. */
export interface IdleDay {
  readonly connections: number;
  /** Writes of either side: over TLS each is a record. */
  readonly messages: number;
  readonly up: number;
  readonly down: number;
}

interface Server {
  readonly peer: Peer;
  platform(crypto: Crypto): Platform;
}

/* ---- the servers ---- */

/** As nginx answers. */
const VALIDATORS = 'Last-Modified: Mon, 30 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\nETag: "692c3f40-26b"\r\n';
const START = "Server: nginx/1.28.0\r\nDate: Mon, 30 Nov 2026 12:00:00 GMT\r\n";
const UNCHANGED = `HTTP/1.1 304 Not Modified\r\n${START}${VALIDATORS}\r\n`;
const MANIFEST = JSON.stringify({ name: "p", version: "0.1.0", builds: [] });
const WHOLE = `HTTP/1.1 200 OK\r\n${START}Content-Type: application/json\r\nContent-Length: ${MANIFEST.length}\r\n${VALIDATORS}Accept-Ranges: bytes\r\n\r\n${MANIFEST}`;

const staticFiles = (pollSeconds: number): Server => ({
  peer: perConnection((connection) => ({
    received: (bytes) => connection.send(Buffer.from(Buffer.from(bytes).includes("If-None-Match") ? UNCHANGED : WHOLE)),
  })),
  platform: (crypto) =>
    new StaticPlatform({ manifest: "http://files.example/fw/manifest.json", deviceId: "dev-1", pollSeconds }, crypto),
});

async function hawkbit(pollSeconds: number, clock: VirtualClock): Promise<Server> {
  const double = new HawkbitDouble({ now: () => EPOCH + clock.now() });
  await double.operator.prepare();
  const { targetToken } = await double.operator.createDevice("dev-1");
  const config = {
    server: "http://hawkbit.example",
    controllerId: "dev-1",
    targetToken,
    part: "firmware",
    pollSeconds,
  };
  return { peer: double.peer(), platform: () => new HawkbitPlatform(config) };
}

const tencent = (): Server => ({
  peer: broker({ task: undefined, reports: [], packets: 0 }),
  platform: (crypto) => new TencentPlatform(CONFIG, crypto),
});

/** Answers what needs an answer, and sends nothing by itself. */
const quietBroker = (): Peer =>
  perConnection((connection) => {
    const packets = parser();
    const send = (packet: Packet): void => connection.send(generate(packet));
    packets.on("packet", ({ cmd, messageId, ...rest }) => {
      if (cmd === "connect") send({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (cmd === "subscribe") send({ cmd: "suback", messageId: messageId!, granted: [1] });
      if (cmd === "pingreq") send({ cmd: "pingresp" });
      if (cmd === "publish" && (rest as { qos?: number }).qos === 1) send({ cmd: "puback", messageId: messageId! });
    });
    return { received: (bytes) => void packets.parse(Buffer.from(bytes)) };
  });

const thingspanel = (profile: "v0" | "v1"): Server => ({
  peer: quietBroker(),
  platform: (crypto) =>
    new ThingsPanelPlatform(
      { profile, brokerHost: "broker.example", username: "token-123", clientId: "dev-1", deviceNumber: "dev-1" },
      crypto,
    ),
});

async function thingsboard(clock: VirtualClock): Promise<Server> {
  const double = new ThingsBoardDouble({
    now: () => EPOCH + clock.now(),
    defer: (run) => void clock.set(run, 0),
  });
  const profile = await double.operator.createProfile("p");
  const { accessToken } = await double.operator.createDevice("dev-1", profile);
  return { peer: double.mqttPeer, platform: () => new ThingsBoardPlatform({ title: "p", accessToken }) };
}

/* ---- the day ---- */

export interface IdleKind {
  readonly title: string;
  /** Of a platform that is polled. */
  readonly pollSeconds?: number;
  server(clock: VirtualClock): Server | Promise<Server>;
}

const polled = (title: string, pollSeconds: number, server: IdleKind["server"]): IdleKind => ({
  title,
  pollSeconds,
  server,
});

export const IDLE_KINDS: readonly IdleKind[] = [
  ...[21_600, 300].map((seconds) => polled("static files", seconds, () => staticFiles(seconds))),
  ...[21_600, 300].map((seconds) => polled("hawkBit", seconds, (clock) => hawkbit(seconds, clock))),
  { title: "Tencent", server: tencent },
  { title: "ThingsPanel `v0`", server: () => thingspanel("v0") },
  { title: "ThingsPanel `v1`", server: () => thingspanel("v1") },
  { title: "ThingsBoard", server: thingsboard },
];

/** Jitter is switched off by a random number in the middle. */
export async function idleDay({ server, pollSeconds = 0 }: IdleKind): Promise<IdleDay> {
  const clock = new VirtualClock();
  const { peer, platform } = await server(clock);
  let messages = 0;
  const counted = counting(peer, () => messages++);
  const network = new VirtualNetwork({ clock, line: { latency: 20 }, peers: () => counted });
  const ports = [80, PORT];
  const device = new VirtualDevice({
    board: factoryBoard(),
    clock,
    network,
    platform,
    broker: { host: "broker.example", port: PORT, tls: false },
    policy: { allowHttp: true },
  });
  device.powerOn();
  clock.advance(Math.max(SETTLED, pollSeconds * 1_500));
  const sum = (): IdleDay => {
    const all = ports.map((port) => network.traffic(port));
    const of = (count: (traffic: (typeof all)[number]) => number): number =>
      all.reduce((total, traffic) => total + count(traffic), 0);
    return {
      connections: of(({ connections }) => connections),
      messages,
      up: of(({ up }) => up),
      down: of(({ sent }) => sent),
    };
  };
  const before = sum();
  clock.advance(DAY);
  const after = sum();
  device.powerOff();
  return {
    connections: after.connections - before.connections,
    messages: after.messages - before.messages,
    up: after.up - before.up,
    down: after.down - before.down,
  };
}

/** The same peer, each write of either side counted. */
function counting(peer: Peer, note: () => void): Peer {
  const ends = new Map<Connection, Connection>();
  const endOf = (connection: Connection): Connection => {
    let end = ends.get(connection);
    if (end === undefined)
      ends.set(
        connection,
        (end = {
          send: (bytes, arriving) => {
            note();
            connection.send(bytes, arriving);
          },
          end: () => connection.end(),
          reset: () => connection.reset(),
          get closed() {
            return connection.closed;
          },
        }),
      );
    return end;
  };
  return {
    opened: (connection) => peer.opened?.(endOf(connection)),
    received: (bytes, connection) => {
      note();
      peer.received(bytes, endOf(connection));
    },
    closed: (connection) => {
      peer.closed?.(endOf(connection));
      ends.delete(connection);
    },
  };
}
