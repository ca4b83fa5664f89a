/** A failure's recording on its way to the broker, and what it and the log must not tell. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { generate, parser } from "mqtt-packet";
import type { IPublishPacket, Packet } from "mqtt-packet";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { CONFIG } from "../../bench/simulation/update";
import { fileServer } from "../../bench/simulation/file-server";
import { factoryBoard, firmwareImage } from "../kit/images";
import { perConnection } from "../kit/peer";
import type { Peer } from "../kit/peer";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import type { VirtualDeviceOptions } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import { checkSilence } from "../platforms/secrets";

const TOPIC = "diagnostics/dev-1";
const SIZE = 30_000;
const FILE = firmwareImage("0.2.0", SIZE);
const URL_OF_FILE = "http://files.example/private-path/fw.bin?sign=query-s3cr3t";
const URL_SECRETS = ["/private-path", "query-s3cr3t"];

interface Scene {
  readonly device: VirtualDevice;
  readonly clock: VirtualClock;
  /** What the device has published beside the platform's own. */
  readonly diagnostics: IPublishPacket[];
  readonly recordings: { readonly bytes: Uint8Array; readonly reference: string }[];
  /** Until the device has told a failure and an idle minute has gone by. */
  fails(): void;
  /** From here on the broker answers nothing to a recording, and then loses the connection. */
  mute(): void;
}

/** A device that publishes to `topic` ("": to none), a broker that pushes one offer, and a file server that answers as `files` does. */
function scene(
  options: Partial<VirtualDeviceOptions> & { readonly files?: Peer; readonly topic?: string } = {},
): Scene {
  const { files = fileServer(() => FILE, { requests: 0, promised: 0 }), topic: own = TOPIC, ...more } = options;
  const clock = new VirtualClock();
  const diagnostics: IPublishPacket[] = [];
  const recordings: Scene["recordings"] = [];
  const md5sum = createHash("md5").update(FILE).digest("hex");
  const offer = { type: "update_firmware", version: "0.2.0", file_size: SIZE, md5sum, url: URL_OF_FILE };
  let muted = false;
  let pushed = false;
  const broker = perConnection((connection) => {
    const packets = parser();
    const send = (packet: Packet): void => connection.send(generate(packet));
    packets.on("packet", (packet) => {
      if (packet.cmd === "connect") send({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (packet.cmd === "pingreq") send({ cmd: "pingresp" });
      if (packet.cmd === "subscribe") {
        send({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
        const { topic } = packet.subscriptions[0]!;
        const payload = JSON.stringify(offer);
        if (!pushed) send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
        pushed = true;
      }
      if (packet.cmd !== "publish") return;
      if (!packet.topic.startsWith("$ota/")) diagnostics.push(packet);
      if (packet.topic === TOPIC && muted) return connection.reset();
      if (packet.qos === 1) send({ cmd: "puback", messageId: packet.messageId! });
    });
    return { received: (bytes) => void packets.parse(Buffer.from(bytes)) };
  });
  const device = new VirtualDevice({
    board: factoryBoard(SIZE),
    clock,
    network: new VirtualNetwork({ clock, line: { latency: 20 }, peers: ({ port }) => (port === 80 ? files : broker) }),
    broker: { host: "broker", port: 1883, tls: false },
    platform: (crypto) => new TencentPlatform(CONFIG, crypto),
    policy: { allowHttp: true, ...more.policy },
    ...(own === "" ? {} : { diagnosticsTopic: own }),
    onDiagnostics: (bytes, reference) => recordings.push({ bytes, reference }),
    ...more,
  });
  device.powerOn();
  return {
    device,
    clock,
    diagnostics,
    recordings,
    fails() {
      while (recordings.length === 0) {
        assert.ok(clock.now() < 3_600_000 && clock.step(), device.log.slice(-5).join("\n"));
        device.restartIfWanted();
      }
      clock.advance(60_000);
    },
    mute: () => (muted = true),
  };
}

const told = ({ payload }: IPublishPacket): Uint8Array => Buffer.from(payload.toString(), "base64");

/** A file server that refuses. */
const refusing = (status: string): Peer =>
  perConnection((connection) => ({
    received: () => connection.send(Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`)),
  }));

test("a failure's recording is published once, at QoS 1 in base64, to the topic that the application names", () => {
  const { diagnostics, recordings, device, fails } = scene({ files: refusing("404 Not Found") });
  fails();
  assert.equal(diagnostics.length, 1);
  assert.equal(diagnostics[0]!.qos, 1);
  const [{ bytes, reference }] = recordings as [Scene["recordings"][0]];
  assert.deepEqual(Uint8Array.from(told(diagnostics[0]!)), bytes);
  const recording = readRecording(told(diagnostics[0]!));
  assert.equal(recording.reference, reference);
  assert.equal(recording.run.end?.cause, "not-found");
  assert.equal(replay(recording.run).doubt, undefined);
  assert.ok(device.log.includes(`recording ${reference}: ${diagnostics[0]!.payload.toString()}`));
  const failure = device.notices.find((notice) => notice.event === "state" && notice.state === "fail");
  assert.equal(Object(failure).reference, reference);
  assert.equal(device.state, "idle", "its PUBACK is no acknowledgement of the outcome");
});

test("a recording whose PUBACK does not come is published again on the next connection, the same bytes", () => {
  const { diagnostics, clock, fails, mute } = scene({ files: refusing("404 Not Found") });
  mute();
  fails();
  clock.advance(60_000);
  assert.ok(diagnostics.length > 1, `${diagnostics.length} times`);
  assert.equal(new Set(diagnostics.map(({ payload }) => payload.toString())).size, 1);
});

test("without a topic no recording is published", () => {
  const { diagnostics, recordings, fails } = scene({ files: refusing("404 Not Found"), topic: "" });
  fails();
  assert.equal(recordings.length, 1);
  assert.deepEqual(diagnostics, []);
});

const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const KEY = publicKey.export({ type: "spki", format: "pem" }).toString();
const KEY_BODY = KEY.split("\n")[1]!;

for (const [what, options] of [
  ["a file that is not there", { files: refusing("404 Not Found") }],
  ["a URL that has expired", { files: refusing("403 Forbidden") }],
  ["a redirect elsewhere", { files: refusing(`302 Found\r\nLocation: ${URL_OF_FILE}&again=1`) }],
  ["a file without a signature", { policy: { allowHttp: true, signingKeys: [KEY] } }],
  ["firmware that is not well", { onHealthCheck: (answer) => answer(false, "no pump") }],
] satisfies [string, Parameters<typeof scene>[0]][])
  test(`${what}: recording, broker and log hear nothing of the device's secret, the URL's path and query, or the keys`, () => {
    const { diagnostics, recordings, device, fails } = scene(options);
    fails();
    assert.ok(diagnostics.length > 0);
    checkSilence(
      [
        ...recordings.map(({ bytes }) => bytes),
        ...diagnostics.map(told),
        ...device.log,
        JSON.stringify(device.notices),
      ],
      [CONFIG.deviceSecret, KEY_BODY, ...URL_SECRETS],
    );
  });

test("the search finds a secret as it is, in a URL, in hex and at each place of a base64 text", () => {
  const secret = "p4ss/word+123";
  checkSilence(["nothing of it", Buffer.from("p4ss").toString("base64")], [secret]);
  const hidden = [0, 1, 2, 3].map((before) => `x: ${Buffer.from("-".repeat(before) + secret).toString("base64")} y`);
  for (const text of [
    `?key=${secret}`,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("hex"),
    Buffer.from(`a${secret}b`),
    ...hidden,
  ])
    assert.throws(() => checkSilence([text], [secret]), /is told/);
});
