/** Containers, sleep and recordings, which no platform knows of, on each of them but static files (tests/static). */
import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsBoardPlatform } from "../../src/platforms/thingsboard/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { broker } from "../../bench/simulation/broker";
import type { Cloud } from "../../bench/simulation/broker";
import { fileServer } from "../../bench/simulation/file-server";
import { CONFIG } from "../../bench/simulation/update";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import { ThingsBoardDouble } from "../doubles/thingsboard/server";
import { containerOf } from "../kit/containers";
import { factoryBoard, firmwareImage } from "../kit/images";
import { perConnection } from "../kit/peer";
import type { Peer } from "../kit/peer";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import type { VirtualDeviceOptions } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import { checkSilence, WIFI_PASSWORD } from "./secrets";
import { wifiNetwork } from "./wifi";
import { related } from "../powercut/simulation/container-images";

const SIZE = 60_000;
const EPOCH = Date.UTC(2026, 10, 30);
const SPAN = 24 * 3_600_000;
const ASLEEP = 600;
const NEXT = related("0.2.0", SIZE);

interface Server {
  readonly platform: VirtualDeviceOptions["platform"];
  peer(port: number): Peer | undefined;
  /** Offers 0.2.0 as this file. */
  offer(bytes: Uint8Array): Promise<void>;
  /** What its records say of the update. */
  record(): Promise<string>;
  /** Of success. */
  readonly done: string;
  /** What the device signs in with, and the parts of URLs that nobody else may know. */
  readonly secrets: readonly string[];
}

type Servers = { readonly [name: string]: (clock: VirtualClock) => Promise<Server> };

const thingsboard =
  (http: boolean) =>
  async (clock: VirtualClock): Promise<Server> => {
    const double = new ThingsBoardDouble({
      now: () => EPOCH + clock.now(),
      defer: (run) => void clock.after(0, run),
    });
    const { operator } = double;
    const profile = await operator.createProfile("p");
    const { id, accessToken } = await operator.createDevice("dev-1", profile);
    const server = http ? { server: "http://tb:8080" } : {};
    return {
      platform: () => new ThingsBoardPlatform({ title: "p", accessToken, ...server }),
      peer: (port) => (port === 1883 ? double.mqttPeer : double.httpPeer),
      offer: async (bytes) =>
        operator.assign(id, await operator.upload(profile, { title: "p", version: "0.2.0", bytes })),
      record: async () => (await operator.telemetry(id, ["fw_state"]))["fw_state"]?.at(-1) ?? "",
      done: "UPDATED",
      secrets: [accessToken, "/api/v1/"],
    };
  };

const FILES = "http://files.example/private-path/fw.bin?sign=query-s3cr3t";
/** Path and query of it. */
const OF_FILES = ["/private-path", "query-s3cr3t"];
const PASSWORD = "mqtt-p4ssword";
const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

/** Pushes the task when it is offered or the device subscribes, and acknowledges what the device tells. */
const thingspanel = (profile: "v0" | "v1") => async (): Promise<Server> => {
  let file: Uint8Array = new Uint8Array();
  let told = "";
  const panel = perConnection((connection) => {
    const packets = parser();
    const send = (packet: Packet): void => connection.send(generate(packet));
    packets.on("packet", (packet) => {
      if (packet.cmd === "connect") send({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (packet.cmd === "publish") {
        told = String((JSON.parse(packet.payload.toString()) as { step?: string }).step ?? told);
        if (packet.qos === 1) send({ cmd: "puback", messageId: packet.messageId! });
      }
      if (packet.cmd !== "subscribe") return;
      send({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
      const params = { version: "0.2.0", size: file.length, url: FILES, signMethod: "MD5", sign: md5(file) };
      const payload = JSON.stringify({ id: "1", code: 200, params });
      const { topic } = packet.subscriptions[0]!;
      // A push comes once, and a device that has the version gets none.
      if (told === "") send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
    });
    return { received: (bytes) => void packets.parse(Buffer.from(bytes)) };
  });
  const files = fileServer(() => file, { requests: 0, promised: 0 });
  const config = {
    profile,
    brokerHost: "tb",
    username: "user-token-123",
    password: PASSWORD,
    clientId: "dev-1",
    deviceNumber: "dev-1",
  };
  return {
    platform: (crypto) => new ThingsPanelPlatform(config, crypto),
    peer: (port) => (port === 1883 ? panel : files),
    offer: async (bytes) => void (file = bytes),
    record: async () => told,
    done: "100",
    secrets: [PASSWORD, "user-token-123", ...OF_FILES],
  };
};

const SERVERS: Servers = {
  Tencent: async () => {
    const cloud: Cloud = { task: undefined, reports: [], packets: 0 };
    let file: Uint8Array = new Uint8Array();
    const [mqtt, files] = [broker(cloud), fileServer(() => file, { requests: 0, promised: 0 })];
    return {
      platform: (crypto) => new TencentPlatform(CONFIG, crypto),
      peer: (port) => (port === 1883 ? mqtt : files),
      offer: async (bytes) => {
        file = bytes;
        cloud.task = { version: "0.2.0", file_size: bytes.length, md5sum: md5(bytes), url: FILES };
      },
      record: async () => cloud.reports.findLast((each) => !each.startsWith("version")) ?? "",
      done: "done",
      secrets: [CONFIG.deviceSecret, ...OF_FILES],
    };
  },
  "ThingsPanel v0": thingspanel("v0"),
  "ThingsPanel v1": thingspanel("v1"),
  hawkBit: async (clock) => {
    const double = new HawkbitDouble({ now: () => EPOCH + clock.now() });
    const { operator } = double;
    await operator.prepare();
    const { targetToken } = await operator.createDevice("dev-1");
    const config = { server: "http://hb.example", controllerId: "dev-1", targetToken, part: "firmware" };
    return {
      platform: () => new HawkbitPlatform(config),
      peer: () => double.peer(),
      offer: async (bytes) => {
        const order = { name: "p", version: "0.2.0", part: "firmware", fileName: "fw.bin", bytes };
        await operator.assign("dev-1", await operator.upload(order));
      },
      record: async () => (await operator.actions("dev-1"))[0]?.status ?? "",
      done: "finished",
      secrets: [targetToken],
    };
  },
  "ThingsBoard over MQTT": thingsboard(false),
  "ThingsBoard over HTTP": thingsboard(true),
};

/** Offers the file and runs until the update has ended, over restarts and sleeps; returns the device. */
async function run(
  name: string,
  bytes: Uint8Array,
  ends: "done" | "fail",
  options: Partial<VirtualDeviceOptions> = {},
): Promise<{ readonly device: VirtualDevice; readonly secrets: readonly string[] }> {
  const clock = new VirtualClock();
  const server = await SERVERS[name]!(clock);
  const network = new VirtualNetwork({
    clock,
    line: { latency: 20, rate: 20_000 },
    peers: ({ port }) => server.peer(port),
  });
  const device = new VirtualDevice({
    board: factoryBoard(SIZE),
    clock,
    network,
    broker: { host: "tb", port: 1883, tls: false },
    platform: server.platform,
    policy: { allowHttp: true },
    ...options,
  });
  await server.offer(bytes);
  device.powerOn();
  while (!device.notices.some((notice) => notice.event === "state" && notice.state === ends)) {
    assert.ok(clock.now() < SPAN, `${name}: ${device.state}; ${JSON.stringify(device.notices.slice(-5))}`);
    clock.step();
    const { restartWanted } = device.board;
    if (restartWanted === undefined) continue;
    device.powerOff();
    network.cut();
    if (restartWanted === "sleep") clock.advance(ASLEEP * 1000);
    device.powerOn(restartWanted === "sleep" ? "deep-sleep" : "software");
  }
  clock.advance(60_000);
  assert.equal(device.version, ends === "done" ? "0.2.0" : "0.1.0");
  assert.equal((await server.record()) === server.done, ends === "done");
  return { device, secrets: server.secrets };
}

for (const name of Object.keys(SERVERS)) {
  test(`${name}: a container is taken as the file of an update, and the device makes the image of it`, async () => {
    const { bytes } = containerOf(NEXT, [firmwareImage("0.1.0", SIZE)]);
    const { device } = await run(name, bytes, "done");
    assert.ok(device.notices.some((notice) => notice.event === "state" && notice.state === "expanding"));
  });

  test(`${name}: a sleeping device is updated over several wakes`, async () => {
    const { device } = await run(name, NEXT, "done", { sleepSeconds: ASLEEP, wake: { seconds: 3 } });
    const sleeps = device.notices.filter(({ event }) => event === "sleep").length;
    assert.ok(sleeps >= 1, `${sleeps} sleeps`);
    assert.ok(device.notices.some(({ event }) => event === "resume"));
  });

  test(`${name}: an update that fails leaves a recording that replays to the same end, and neither it nor the log tells a secret`, async () => {
    const recordings: Uint8Array[] = [];
    const { bringUp, given } = await wifiNetwork();
    const { device, secrets } = await run(name, NEXT, "fail", {
      bringUp,
      settings: { ssid: "Hall 7", wifiPassword: WIFI_PASSWORD },
      onHealthCheck: (answer) => answer(false, "bad firmware"),
      onDiagnostics: (recording) => recordings.push(recording),
    });
    // A cloud may offer it again, which is refused.
    const [first] = recordings.map((recording) => readRecording(recording).run);
    assert.equal(first?.end?.cause, "rolled-back");
    assert.equal(replay(first).doubt, undefined);
    assert.ok(device.log.some((line) => line.startsWith("recording ")));
    assert.ok(given.length > 0 && given.every((password) => password === WIFI_PASSWORD));
    checkSilence([...recordings, ...device.log, JSON.stringify(device.notices)], [...secrets, WIFI_PASSWORD]);
  });
}
