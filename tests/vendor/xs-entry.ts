/**
 * What the bundles and the code that uses them do, as one text. It must be the same in XS with everything frozen and in
 * Node.
 */
import type { Crypto } from "../../src/ports";
import { MqttSession } from "../../src/mqtt/session";
import { passwordOf, secretKey } from "../../src/platforms/tencent/auth";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { crc32 } from "../../src/util/crc32";
import { toHex } from "../../src/util/hex";
import { hmac } from "../../src/util/hmac";
import { parseJson } from "../../src/util/json";
import { decodeUtf8, encodeUtf8, truncateUtf8 } from "../../src/util/utf8";
import { md5 } from "../../src/vendor/js-md5";
import type { Md5Function } from "../../src/vendor/js-md5";
import * as mqtt from "../../src/vendor/mqtt-packet";
import { exercise } from "./packets";
import { feed } from "../mqtt/feed";

const crypto: Crypto = {
  digest() {
    const hash = md5.create();
    return { write: (bytes) => void hash.update(bytes), close: () => new Uint8Array(hash.arrayBuffer()) };
  },
  random: () => 0.5,
  verifyP256: () => false,
};

function conversation(): string[] {
  const config = {
    productId: "A1B2C3D4E5",
    deviceName: "ota-bench-01",
    authMode: "KEY",
    deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
  } as const;
  const platform = new TencentPlatform(config, crypto);
  const session = new MqttSession({
    identity: () => platform.identity(),
    subscriptions: platform.subscriptions,
    random: () => 0.5,
  });
  const encode = mqtt.generate;
  const offer = {
    file_size: 708482,
    md5sum: "36eb5951179db14a631463a37a9322a2",
    type: "update_firmware",
    url: "https://host/fw?x=%3B",
    version: "版本😀",
  };
  const [topic] = platform.subscriptions;
  const steps = [
    () => session.start(0),
    () => session.opened(1),
    () => feed(session, Uint8Array.of(0x20, 2, 0, 0), 2),
    () => feed(session, Uint8Array.of(0x90, 3, 0, 1, 1), 3),
    () => session.publish("version", platform.encode({ kind: "version", version: "版本" }), 4),
    () => feed(session, encode({ cmd: "puback", messageId: 2 }), 5),
    () =>
      feed(session, encode({ cmd: "publish", topic, payload: JSON.stringify(offer), qos: 1, messageId: 65_535 }), 6),
    () => feed(session, encode({ cmd: "publish", topic, payload: "", qos: 0 }), 7),
    () => feed(session, encode({ cmd: "publish", topic, payload: "x".repeat(20_000), qos: 1, messageId: 3 }), 8),
    () => session.handled(131_072 + 65_535, 9),
    () => session.tick(70_000),
    () => feed(session, Uint8Array.of(0x40, 2, 0, 0), 70_001),
    () => session.tick(80_000),
  ];
  return steps.map((step) =>
    JSON.stringify(
      step().map((effect) => {
        if (effect.type === "send") return toHex(effect.bytes);
        return effect.type === "message"
          ? [effect.topic, effect.handle, platform.parse(effect.topic, effect.payload)]
          : effect;
      }),
    ),
  );
}

/** `library` and `hash`: the bundles, or the packages as published. */
export function everything(library: { generate: unknown; parser: unknown } = mqtt, hash: Md5Function = md5): string {
  const packets = [100_000, 100].map((size) => exercise(library, size));
  const broken = Uint8Array.of(0x41, 0xc3, 0xe2, 0x82, 0xf0, 0x9f, 0x98, 0x80, 0xff, 0xed, 0xa0, 0x80);
  return JSON.stringify({
    packets,
    md5: [
      hash("错误"),
      hash.hex("a".repeat(1000)),
      String(hash.create().update([1, 2, 3])),
      hash.create().update(new Uint8Array(130)).digest(),
    ],
    password: passwordOf(crypto, "SHA1", secretKey("3ZxkQmVyVGVzdFZlY3Rvcg=="), "name"),
    hmac: toHex(hmac(crypto, "MD5", new Uint8Array(100).fill(7), encodeUtf8("message"))),
    crc: crc32(encodeUtf8("123456789")),
    utf8: [
      decodeUtf8(broken),
      toHex(encodeUtf8("a\u00e9中😀\ud83d")),
      truncateUtf8("a😀b", 4),
      decodeUtf8(encodeUtf8("😀x".repeat(50))),
    ],
    json: [parseJson('{"toString":1,"a":[{"b":"\\ud83d\\ude00"}]}', 3), thrown(() => parseJson("[[[[1]]]]", 3))],
    conversation: conversation(),
  });
}

function thrown(work: () => unknown): string {
  try {
    work();
    return "nothing";
  } catch (error) {
    return String(error);
  }
}
