/** Parsers of what a broker or a file server sends: MQTT, HTTP and URLs. */
import { generate } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import { SECTOR, SECTOR_SURPLUS } from "../../src/constants";
import { Downloader } from "../../src/download/downloader";
import type { DownloadOutput } from "../../src/download/outputs";
import { HeadReader } from "../../src/http/head";
import { interpret } from "../../src/http/response";
import { resolveLocation, splitUrl } from "../../src/http/url";
import { MqttSession } from "../../src/mqtt/session";
import { OFFER } from "./offer-targets";
import { text, texts } from "./target";
import { failure, feed } from "../mqtt/feed";
import type { Target } from "./target";

/* ---- MQTT ---- */

const IDENTITY = { clientId: "c", username: "u", password: "p", keepAlive: 60 };
const packet = (value: object): Uint8Array => new Uint8Array(generate(value as Packet));
const CONNACK = packet({ cmd: "connack", returnCode: 0, sessionPresent: false });
const SUBACK = packet({ cmd: "suback", messageId: 1, granted: [1] });
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
const HTTP_TOKENS = texts(
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

/** Serves `input` on every connection that the downloader opens, for a bounded number of steps. */
function download(input: Uint8Array, size: number): void {
  const downloader = new Downloader({
    url: "http://h/f",
    offset: 0,
    size,
    hasDigest: size > 0,
    allowHttp: true,
    buffer: new Uint8Array(SECTOR + SECTOR_SURPLUS),
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

export const NETWORK_TARGETS: readonly Target[] = [
  {
    name: "mqtt before CONNACK",
    seeds: [CONNACK, packet({ cmd: "connack", returnCode: 5, sessionPresent: false })],
    tokens: [CONNACK, SUBACK],
    run: (input) => session(input, []),
  },
  {
    name: "mqtt before SUBACK",
    seeds: [SUBACK, packet({ cmd: "suback", messageId: 1, granted: [128] })],
    tokens: [SUBACK],
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
    tokens: [publish(1, "x"), packet({ cmd: "puback", messageId: 2 }), Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)],
    run: (input) => session(input, [CONNACK, SUBACK]),
  },
  {
    name: "http head",
    seeds: texts(
      HEAD,
      "HTTP/1.0 200 OK\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
    ),
    tokens: HTTP_TOKENS,
    run: head,
  },
  {
    name: "http download, size known",
    seeds: [
      text(HEAD + "x".repeat(8192)),
      text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + "y".repeat(4096) + "\r\n0\r\n\r\n"),
      text("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    ],
    tokens: HTTP_TOKENS,
    run: (input) => download(input, 20_000),
  },
  {
    name: "http download, size unknown",
    seeds: [text(HEAD + "x".repeat(8192)), text("HTTP/1.1 200 OK\r\n\r\n" + "z".repeat(5000))],
    tokens: HTTP_TOKENS,
    run: (input) => download(input, 0),
  },
  {
    name: "url",
    seeds: texts("http://h/f", "https://[::1]:8443/a?b#c", "http://h:80/../x", "//h/f", "?q"),
    tokens: texts("://", "[", "]", ":", "/", "?", "#", "@", "%2f", ".."),
    run: (input) => {
      const url = Buffer.from(input).toString("latin1");
      splitUrl(url);
      const base = splitUrl("http://h/a/b?c");
      if (typeof base !== "string") resolveLocation(base, url);
    },
  },
];
