/**
 * A cell at the edge of its range, in virtual time: 700 KB at 16 KiB a second, and the connection is lost every 20 s.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { generate, parser } from "mqtt-packet";
import type { Parser } from "mqtt-packet";
import { generator } from "../../host-sim/faults/weak-link";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { factoryBoard, firmwareImage } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import type { Connection, Peer } from "../kit/virtual-network";

const SIZE = 700 * 1024;
const RATE = 16_384;
const RESET_EVERY = 20_000;
/** Bytes that take their turn on the link at once. */
const PIECE = 512;
const IMAGE = firmwareImage("0.2.0", SIZE);

/** A broker that acknowledges everything and pushes the update after each report of the old version. */
class Broker implements Peer {
  readonly reports: string[] = [];
  readonly #parsers = new Map<Connection, Parser>();

  opened(connection: Connection): void {
    const packets = parser();
    this.#parsers.set(connection, packets);
    packets.on("packet", (packet) => {
      if (packet.cmd === "connect") connection.send(generate({ cmd: "connack", returnCode: 0, sessionPresent: false }));
      if (packet.cmd === "subscribe")
        connection.send(generate({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] }));
      if (packet.cmd === "pingreq") connection.send(generate({ cmd: "pingresp" }));
      if (packet.cmd !== "publish") return;
      const text = packet.payload.toString();
      this.reports.push(text);
      if (packet.qos === 1) connection.send(generate({ cmd: "puback", messageId: packet.messageId ?? 0 }));
      if (!text.includes('"version":"0.1.0"')) return;
      const offer = {
        type: "update_firmware",
        version: "0.2.0",
        file_size: SIZE,
        md5sum: createHash("md5").update(IMAGE).digest("hex"),
        url: "http://files/fw.bin",
      };
      connection.send(
        generate({
          cmd: "publish",
          topic: "$ota/update/P/d",
          payload: JSON.stringify(offer),
          qos: 0,
          dup: false,
          retain: false,
        }),
      );
    });
  }

  received(bytes: Uint8Array, connection: Connection): void {
    this.#parsers.get(connection)?.parse(Buffer.from(bytes));
  }
}

/** A file server behind the link. What was asked for leaves it at the link's rate; a reset drops what has not left. */
class Files implements Peer {
  /** Bytes of bodies, and of heads, that went into the link. */
  bodies = 0;
  heads = 0;
  /** Bytes of bodies that were asked for: what a server hands to its system, which takes a whole answer at once. */
  asked = 0;
  resets = 0;
  readonly #clock: VirtualClock;
  #open: Connection | undefined;
  #freeAt = 0;
  readonly #text = new Map<Connection, string>();

  /** `phase`: when the first reset comes, ms. */
  constructor(clock: VirtualClock, phase: number) {
    this.#clock = clock;
    this.#resetAfter(phase);
  }

  #resetAfter(milliseconds: number): void {
    this.#clock.after(milliseconds, () => {
      if (this.#open !== undefined && !this.#open.closed) this.resets++;
      this.#open?.reset();
      this.#resetAfter(RESET_EVERY);
    });
  }

  opened(connection: Connection): void {
    this.#text.set(connection, "");
    this.#open = connection;
  }

  received(bytes: Uint8Array, connection: Connection): void {
    let text = this.#text.get(connection) + Buffer.from(bytes).toString("latin1");
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const [, first, last] = /Range: bytes=(\d+)-(\d+)/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 4);
      const body = IMAGE.subarray(Number(first), Number(last) + 1);
      const head = Buffer.from(
        `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length}\r\nContent-Range: bytes ${first}-${Number(first) + body.length - 1}/${SIZE}\r\nETag: "${"0".repeat(32)}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      );
      this.asked += body.length;
      this.#carry(connection, head, (count) => (this.heads += count));
      for (let at = 0; at < body.length; at += PIECE)
        this.#carry(connection, body.subarray(at, at + PIECE), (count) => (this.bodies += count));
    }
    this.#text.set(connection, text);
  }

  #carry(connection: Connection, bytes: Uint8Array, count: (bytes: number) => void): void {
    const now = this.#clock.now();
    const wait = Math.max(0, this.#freeAt - now);
    this.#freeAt = now + wait + (bytes.length / RATE) * 1000;
    this.#clock.after(wait, () => {
      if (connection.closed) return;
      count(bytes.length);
      connection.send(bytes);
    });
  }
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`700 KB at 16 KiB/s with a reset every 20 s completes for at most 1.05 of its bytes, seed ${seed}`, (t) => {
    const clock = new VirtualClock();
    const broker = new Broker();
    const files = new Files(clock, RESET_EVERY * generator(seed)());
    const device = new VirtualDevice({
      board: factoryBoard(),
      clock,
      network: new VirtualNetwork({
        clock,
        line: { latency: 10 },
        peers: ({ host }) => (host === "files" ? files : broker),
      }),
      random: generator(seed + 100),
      platform: (crypto) =>
        new TencentPlatform({ productId: "P", deviceName: "d", authMode: "KEY", deviceSecret: "c2VjcmV0" }, crypto),
      broker: { host: "broker", port: 1883, tls: false },
      policy: { allowHttp: true },
    });
    device.powerOn();
    for (let steps = 0; !broker.reports.at(-1)?.includes('"done"'); steps++) {
      assert.ok(steps < 200_000 && clock.step(), `after ${Math.round(clock.now() / 1000)} s: ${device.state}`);
      device.restartIfWanted();
    }
    assert.equal(device.version, "0.2.0");
    assert.ok(!broker.reports.some((text) => text.includes('"fail"')));
    assert.ok(files.resets >= 2, `${files.resets} resets`);
    const share = files.bodies / SIZE;
    t.diagnostic(
      `${Math.round(clock.now() / 1000)} s, ${files.resets} resets; bodies: ${share.toFixed(3)} of the image sent, ${(files.asked / SIZE).toFixed(3)} asked for; ${files.heads} bytes of heads`,
    );
    assert.ok(files.asked <= 1.05 * SIZE, `${files.asked} bytes asked for`);
  });
}
