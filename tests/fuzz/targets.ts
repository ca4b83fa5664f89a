/** Every parser that reads what others send, each with good inputs to start from. `run` returns or throws: a throw is a finding. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { verifyImage } from "../../hal/model-chip/image-check";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { Nvs } from "../../hal/model-chip/nvs";
import { OtaData, activeEntry, lastInvalidEntry } from "../../hal/model-chip/otadata";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { buildImage } from "../../hal/model-chip/build-image";
import { SECTOR } from "../../src/constants";
import { Downloader } from "../../src/download/downloader";
import type { DownloadOutput } from "../../src/download/outputs";
import { HeadReader } from "../../src/http/head";
import { interpret } from "../../src/http/response";
import { resolveLocation, splitUrl } from "../../src/http/url";
import { readAppDescription, readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import {
  decodeHead,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodeState,
  encodeHead,
  encodeJob,
  encodeOutcome,
} from "../../src/job/record";
import { RefusedImages } from "../../src/job/refused";
import { compareVersions } from "../../src/job/versions";
import { MqttSession } from "../../src/mqtt/session";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { readPublicKey } from "../../src/signature/keys";
import { readTrailer } from "../../src/signature/trailer";
import { makeKey, signed } from "../signature/desk";
import { failure, feed } from "../mqtt/feed";

export interface Target {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Tokens of the format. */
  readonly words: readonly Uint8Array[];
  run(input: Uint8Array): void;
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const words = (...values: readonly string[]): Uint8Array[] => values.map(text);
const crypto = new NodeCrypto(() => 0.5);

const ENGINE_LIMIT = /call stack|Invalid (typed )?array length|Invalid string length|Invalid count value/;

/** Lets `parse` refuse in its own way: an Error with a message. Anything else passes through. */
function mayRefuse(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (
      !(error instanceof Error) ||
      error.message === "" ||
      error instanceof TypeError ||
      ENGINE_LIMIT.test(error.message)
    )
      throw error;
  }
}

/* ---- MQTT ---- */

const IDENTITY = { clientId: "c", username: "u", password: "p", keepAlive: 60 };
const packet = (value: object): Uint8Array => new Uint8Array(generate(value as Packet));
const CONNACK = packet({ cmd: "connack", returnCode: 0, sessionPresent: false });
const SUBACK = packet({ cmd: "suback", messageId: 1, granted: [1] });
const OFFER = JSON.stringify({
  file_size: 11821,
  md5sum: "1d40bfcfc9d7d21ca16b5515c0f6a340",
  type: "update_firmware",
  url: "https://h.example/f?sign=q%3D1",
  version: "0.0.2",
});
const publish = (qos: number, payload: string): Uint8Array =>
  packet({ cmd: "publish", topic: "$ota/update/P/D", payload, qos, messageId: 7, dup: false, retain: false });

function session(input: Uint8Array, prefix: readonly Uint8Array[]): void {
  const mqtt = new MqttSession({ identity: () => IDENTITY, subscriptions: ["$ota/update/P/D"], random: () => 0.5 });
  mqtt.start(0);
  mqtt.opened(1);
  for (const bytes of prefix) feed(mqtt, bytes, 2);
  mqtt.publish("version", { topic: "t", payload: "{}", qos: 1 }, 3);
  for (let at = 0; at < input.length; at += 512) {
    for (const effect of feed(mqtt, input.subarray(at, at + 512), 4))
      if (effect.type === "message" && effect.handle !== 0) mqtt.handled(effect.handle, 5);
  }
  mqtt.tick(100_000);
  mqtt.closed(failure("gone"), 100_001);
}

/* ---- HTTP ---- */

const HEAD =
  'HTTP/1.1 206 Partial Content\r\nContent-Length: 8192\r\nContent-Range: bytes 0-8191/20000\r\nETag: "a"\r\nConnection: keep-alive\r\n\r\n';
const HTTP_WORDS = words(
  "HTTP/1.1 ",
  "200",
  "206",
  "301",
  "403",
  "416",
  "503",
  "\r\n",
  "\r\n\r\n",
  "Content-Length: ",
  "Content-Range: bytes ",
  "Transfer-Encoding: chunked\r\n",
  "Location: ",
  "Retry-After: 5",
  "ETag: ",
  "1000\r\n",
  "0\r\n\r\n",
  "Content-Type: application/json\r\n",
  "Connection: close\r\n",
  "/",
  "*",
  "-",
  "18446744073709551616",
);

/** Serves `input` over and over, on as many connections as are asked for; a bounded number of steps. */
function download(input: Uint8Array, size: number): void {
  const downloader = new Downloader({
    url: "http://h/f",
    offset: 0,
    size,
    hasDigest: size > 0,
    allowHttp: true,
    buffer: new Uint8Array(SECTOR),
    random: () => 0.5,
  });
  let now = 0;
  let served = 0;
  let effects: readonly DownloadOutput[] = downloader.start(now);
  for (let step = 0; step < 60; step++) {
    const last = effects.at(-1);
    if (last?.type === "download-failed" || last?.type === "finished" || last?.type === "expired") return;
    if (effects.some((effect) => effect.type === "connect")) {
      served = 0;
      effects = downloader.opened(now);
      continue;
    }
    const target = downloader.readTarget();
    const count = Math.min(target.length, input.length - served);
    if (count > 0) {
      target.set(input.subarray(served, served + count));
      served += count;
      effects = downloader.received(count, now);
    } else if (step % 2 === 0) {
      effects = downloader.closed(undefined, now);
    } else {
      now = downloader.deadline() ?? now;
      effects = downloader.tick(now);
    }
  }
  downloader.stop();
}

function head(input: Uint8Array): void {
  const reader = new HeadReader();
  for (let at = 0; at < input.length && reader.state === "reading"; at += 300)
    reader.push(input, at, Math.min(at + 300, input.length));
  if (reader.state === "done") interpret(reader);
}

/* ---- images, records, tables ---- */

const IMAGE = buildImage({ version: "1.2.3", payload: text("payload"), size: 3000 });
const KEY = makeKey();
const SIGNED = signed(text("file"), KEY).subarray(-96);
const JOB = {
  platform: "tencent",
  slot: "ota_1",
  offer: {
    version: "1",
    size: 5000,
    url: "http://h/f",
    module: "MCU",
    digest: { algorithm: "MD5" as const, hex: "0".repeat(32) },
  },
  validator: '"e"',
};
const TABLE = PartitionTable.forFlashSize(4 << 20);
const CSV =
  "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nota_0,app,ota_0,0x10000,0x1F0000\nota_1,app,ota_1,0x200000,0x1F0000\n";

const read =
  (bytes: Uint8Array) =>
  (offset: number, into: Uint8Array): void =>
    into.set(bytes.subarray(offset, offset + into.length));
const digest = () => {
  const hash = createHash("sha256");
  return { write: (bytes: Uint8Array) => void hash.update(bytes), close: () => new Uint8Array(hash.digest()) };
};

function otadata(input: Uint8Array): void {
  const chip = FlashChip.inMemory(2 * SECTOR);
  chip.program(0, input.subarray(0, 32));
  chip.program(SECTOR, input.subarray(32, 64));
  const entries = new OtaData(chip, 0).read();
  activeEntry(entries);
  lastInvalidEntry(entries);
}

const NVS_PAGES = 4;
function nvsSeed(): Uint8Array {
  const chip = FlashChip.inMemory(NVS_PAGES * SECTOR);
  const store = new Nvs(chip, { ...TABLE.nvs, address: 0, size: NVS_PAGES * SECTOR }, "xs-ota");
  store.setNumber("off", 5);
  store.setBytes("job", encodeJob(JOB));
  const bytes = new Uint8Array(1024);
  chip.read(0, bytes);
  return bytes;
}
function nvs(input: Uint8Array): void {
  const chip = FlashChip.inMemory(NVS_PAGES * SECTOR);
  chip.program(0, input.subarray(0, NVS_PAGES * SECTOR));
  const store = new Nvs(chip, { ...TABLE.nvs, address: 0, size: NVS_PAGES * SECTOR }, "xs-ota");
  store.getNumber("off");
  store.getBytes("job");
  // In garbage an entry that is marked empty need not be erased, so what is set may not read back: as in ESP-IDF, no crash is all.
  mayRefuse(() => store.setNumber("off", 1));
}

const DEVICE = JSON.stringify({
  platform: "tencent",
  mqtt: { host: "h", port: 1883, tls: false },
  auth_mode: "KEY",
  productId: "A1",
  deviceName: "d",
  key_deviceinfo: { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
  trialSeconds: 60,
});
const PANEL = JSON.stringify({
  platform: "thingspanel",
  profile: "v1",
  mqtt: { host: "h", tls: false },
  username: "u",
  password: "",
  clientId: "c",
  deviceNumber: "n",
  module: "MCU",
});

/** All targets; `close` removes the temporary folder. */
export function createTargets(): { readonly targets: readonly Target[]; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-fuzz-"));
  const file = join(folder, "device.json");
  const tencent = new TencentPlatform({ productId: "P", deviceName: "D", authMode: "CERT" }, crypto);
  const panels = (["v0", "v1"] as const).map(
    (profile) => new ThingsPanelPlatform({ profile, username: "u", clientId: "c", brokerHost: "h.example" }, crypto),
  );
  const panelTopics = panels.map((panel) => panel.subscriptions[0] ?? "");
  const panelOffer =
    '{"code":"200","id":"123456789","params":{"extData":{},"module":null,"sign":"1d40bfcfc9d7d21ca16b5515c0f6a340","signMethod":"MD5","size":"1234","url":"http://h.example/f.bin","version":"v1.1"}}';
  const json = words(
    '{"',
    '":',
    ",",
    "null",
    "true",
    "[",
    "]",
    "{",
    "}",
    "-1",
    "1e308",
    "99999999999999999999",
    '"version"',
    '"url"',
    '"md5sum"',
    '"file_size"',
    '"type"',
    "\\u0000",
    "\\ud800",
  );
  const targets: Target[] = [
    {
      name: "mqtt before CONNACK",
      seeds: [CONNACK, packet({ cmd: "connack", returnCode: 5, sessionPresent: false })],
      words: [CONNACK, SUBACK],
      run: (input) => session(input, []),
    },
    {
      name: "mqtt before SUBACK",
      seeds: [SUBACK, packet({ cmd: "suback", messageId: 1, granted: [128] })],
      words: [SUBACK],
      run: (input) => session(input, [CONNACK]),
    },
    {
      name: "mqtt session",
      seeds: [
        publish(0, OFFER),
        publish(1, OFFER),
        publish(2, ""),
        packet({ cmd: "puback", messageId: 2 }),
        packet({ cmd: "pingresp" }),
        packet({ cmd: "pubrel", messageId: 7 }),
      ],
      words: [publish(1, "x"), packet({ cmd: "puback", messageId: 2 }), Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)],
      run: (input) => session(input, [CONNACK, SUBACK]),
    },
    {
      name: "http head",
      seeds: words(
        HEAD,
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
      ),
      words: HTTP_WORDS,
      run: head,
    },
    {
      name: "http download, size known",
      seeds: [
        text(HEAD + "x".repeat(8192)),
        text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + "y".repeat(4096) + "\r\n0\r\n\r\n"),
        text("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
      ],
      words: HTTP_WORDS,
      run: (input) => download(input, 20_000),
    },
    {
      name: "http download, size unknown",
      seeds: [text(HEAD + "x".repeat(8192)), text("HTTP/1.1 200 OK\r\n\r\n" + "z".repeat(5000))],
      words: HTTP_WORDS,
      run: (input) => download(input, 0),
    },
    {
      name: "url",
      seeds: words("http://h/f", "https://[::1]:8443/a?b#c", "http://h:80/../x", "//h/f", "?q"),
      words: words("://", "[", "]", ":", "/", "?", "#", "@", "%2f", ".."),
      run: (input) => {
        const url = Buffer.from(input).toString("latin1");
        splitUrl(url);
        const base = splitUrl("http://h/a/b?c");
        if (typeof base !== "string") resolveLocation(base, url);
      },
    },
    {
      name: "offer, Tencent",
      seeds: words(OFFER, '{"result_code":0,"result_msg":"success","type":"report_version_rsp","version":"1"}'),
      words: json,
      run: (input) => void tencent.parse("$ota/update/P/D", input),
    },
    {
      name: "offer, ThingsPanel v0",
      seeds: words(panelOffer),
      words: json,
      run: (input) => void panels[0]?.parse(panelTopics[0] ?? "", input),
    },
    {
      name: "offer, ThingsPanel v1",
      seeds: words(panelOffer),
      words: json,
      run: (input) => void panels[1]?.parse(panelTopics[1] ?? "", input),
    },
    {
      name: "ESP image",
      seeds: [IMAGE, IMAGE.subarray(0, 400)],
      words: [Uint8Array.of(0xe9), Uint8Array.of(0x32, 0x54, 0xcd, 0xab), text("XSOT")],
      run: (input) => {
        mayRefuse(() => readHeader(input));
        mayRefuse(() => readAppDescription(input));
        mayRefuse(() => readFirmware(input, false));
        mayRefuse(() => verifyImage(read(input), input.length, digest));
      },
    },
    {
      name: "signature trailer",
      seeds: [SIGNED],
      words: [Uint8Array.of(0x30, 0x06, 2, 1, 1, 2, 1, 1)],
      run: (input) => mayRefuse(() => readTrailer(input.subarray(0, 96))),
    },
    {
      name: "public key",
      seeds: [text(KEY.publicKey)],
      words: words("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----", "\n"),
      run: (input) => mayRefuse(() => readPublicKey(Buffer.from(input).toString("latin1"))),
    },
    {
      name: "records in the store",
      seeds: [
        encodeJob(JOB),
        encodeHead(1, IMAGE.subarray(0, 16)),
        encodeOutcome(1, { kind: "fail", cause: "download", message: "m" }),
        new RefusedImages(undefined).remember(JOB.offer.digest, "rejected") ?? text(""),
      ],
      words: [],
      run: (input) => {
        decodeJob(input);
        decodeHead(1, input);
        decodeOutcome(1, input);
        new RefusedImages(input).causeOf(JOB.offer.digest);
        const number =
          (input[0] ?? 0) * 0x1000000 + (input[1] ?? 0) * 0x10000 + (input[2] ?? 0) * 0x100 + (input[3] ?? 0);
        decodeState(1, number);
        decodeOffset(1, number);
      },
    },
    { name: "otadata", seeds: [new Uint8Array(64).fill(0xff), new Uint8Array(64)], words: [], run: otadata },
    { name: "NVS", seeds: [nvsSeed()], words: [], run: nvs },
    {
      name: "partition table, binary",
      seeds: [TABLE.toBinary().slice(0, 256)],
      words: [Uint8Array.of(0xaa, 0x50), Uint8Array.of(0xeb, 0xeb)],
      run: (input) => mayRefuse(() => PartitionTable.fromBinary(input, 4 << 20)),
    },
    {
      name: "partition table, CSV",
      seeds: [text(CSV)],
      words: words("0x", ",", "\n", "M", "K", "app", "data", "ota_0", "nvs", "#"),
      run: (input) => mayRefuse(() => PartitionTable.fromCsv(Buffer.from(input).toString("latin1"), 4 << 20)),
    },
    {
      name: "versions",
      seeds: words("1.2.3-rc.1", "v1.0"),
      words: words(".", "-", "+", "rc", "0"),
      run: (input) => {
        const version = Buffer.from(input).toString("latin1");
        compareVersions(version, "1.2.3");
        compareVersions("1.2.3-rc.1", version);
      },
    },
    {
      name: "device.json",
      seeds: words(DEVICE, PANEL),
      words: json,
      run: (input) => {
        writeFileSync(file, input, { mode: 0o600 });
        mayRefuse(() => readDeviceConfig(file));
      },
    },
  ];
  return { targets, close: () => rmSync(folder, { recursive: true, force: true }) };
}
