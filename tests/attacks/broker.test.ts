/** An attacker who controls broker and file server can offer any file with any description, but can not sign. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { TRAILER, encodeTrailer } from "../../src/signature/trailer";
import { signed } from "../signature/test-keys";
import { Bench, firmware, good, stranger, vendor } from "./bench";
import type { BenchOptions } from "./bench";

const MIB = 1 << 20;
/** Milliseconds after which a test fails: a device that accepts a forged offer may never answer as expected. */
const TOO_LONG = 600_000;

/** A file that an attacker offers, and its description in the offer. */
interface Attack {
  readonly name: string;
  readonly file: () => Promise<Uint8Array>;
  /** Version in the offer; default 0.2.0. */
  readonly version?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Expected code; default -5. */
  readonly code?: number;
  readonly message: RegExp;
  readonly bench?: BenchOptions;
}

const flipped = (file: Uint8Array, at: number, bit = 0): Uint8Array =>
  file.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** `file` with these two numbers in place of its signature's. */
function withNumbers(file: Uint8Array, r: string, s: string): Uint8Array {
  const integer = (hex: string): Buffer => {
    const bytes = Buffer.from(hex, "hex");
    const value = bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(2, value.length), value]);
  };
  const numbers = Buffer.concat([integer(r), integer(s)]);
  const fingerprint = createHash("sha256").update(vendor.point).digest();
  return joined(
    file.subarray(0, -TRAILER),
    encodeTrailer(Buffer.concat([Buffer.of(0x30, numbers.length), numbers]), fingerprint),
  );
}

/** Order of P-256's base point. */
const N = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const ALL_ONES = "ff".repeat(32);

const ATTACKS: readonly Attack[] = [
  { name: "a forged image, unsigned", file: () => firmware("0.2.0"), message: /^the file is not signed$/ },
  {
    name: "a forged image, unsigned, on XS",
    file: () => firmware("0.2.0"),
    message: /^the file is not signed$/,
    bench: { engine: createXsEngine },
  },
  {
    name: "signed by another key",
    file: async () => signed(await firmware("0.2.0"), stranger),
    message: /^signed by a key that is not trusted here$/,
  },
  {
    name: "signed by another key that is not named",
    file: async () => signed(await firmware("0.2.0"), stranger, false),
    message: /^signature does not match the file$/,
  },
  {
    name: "signed by another key under the trusted one's name",
    file: async () => {
      const body = await firmware("0.2.0");
      const trailer = signed(body, stranger).slice(-TRAILER);
      trailer.set(createHash("sha256").update(vendor.point).digest().subarray(0, 4), 12);
      return joined(body, trailer);
    },
    message: /^signature does not match the file$/,
  },
  {
    name: "the signature of another image",
    file: async () => joined(await firmware("0.2.0"), (await good("0.3.0")).subarray(-TRAILER)),
    message: /^signature does not match the file$/,
  },
  {
    name: "the signature of the image that runs",
    file: async () => joined(await firmware("0.2.0"), (await good("0.1.0")).subarray(-TRAILER)),
    message: /^signature does not match the file$/,
  },
  {
    name: "r = 0",
    file: async () => withNumbers(await good("0.2.0"), "00", "01"),
    message: /^signature number is out of range$/,
  },
  {
    name: "s = 0",
    file: async () => withNumbers(await good("0.2.0"), "01", "00"),
    message: /^signature number is out of range$/,
  },
  {
    name: "r = s = 0, on XS",
    file: async () => withNumbers(await good("0.2.0"), "00", "00"),
    message: /^signature number is out of range$/,
    bench: { engine: createXsEngine },
  },
  {
    name: "r = n",
    file: async () => withNumbers(await good("0.2.0"), N, "01"),
    message: /^signature number is out of range$/,
  },
  {
    name: "s = n",
    file: async () => withNumbers(await good("0.2.0"), "01", N),
    message: /^signature number is out of range$/,
  },
  {
    name: "r and s of 256 ones",
    file: async () => withNumbers(await good("0.2.0"), ALL_ONES, ALL_ONES),
    message: /^signature number is out of range$/,
  },
  {
    name: "r and s in range, made up",
    file: async () => withNumbers(await good("0.2.0"), "01", "01"),
    message: /^signature does not match the file$/,
  },
  {
    name: "a byte more behind the trailer",
    file: async () => joined(await good("0.2.0"), Uint8Array.of(0)),
    message: /^the file is not signed$/,
  },
  {
    name: "bytes between image and trailer",
    file: async () => joined(await firmware("0.2.0"), new Uint8Array(64), (await good("0.2.0")).subarray(-TRAILER)),
    message: /^signature does not match the file$/,
  },
  {
    name: "two trailers, the stranger's outside",
    file: async () => signed(await good("0.2.0"), stranger),
    message: /^signed by a key that is not trusted here$/,
  },
  {
    name: "the last byte cut off",
    file: async () => (await good("0.2.0")).subarray(0, -1),
    message: /^the file is not signed$/,
  },
  {
    name: "the trailer cut off",
    file: async () => (await good("0.2.0")).subarray(0, -TRAILER),
    message: /^the file is not signed$/,
  },
  {
    name: "half of the file",
    file: async () => (await good("0.2.0")).subarray(0, 70_000),
    message: /^the file is not signed$/,
  },
  {
    name: "an older version, as it was released",
    file: () => good("0.0.9"),
    version: "0.0.9",
    message: /^version 0\.0\.9 is older than the running 0\.1\.0 \(allowDowngrade permits it\)$/,
  },
  {
    name: "an older version, announced as a newer one",
    file: () => good("0.0.9"),
    message: /^version in the image is 0\.0\.9, offered was 0\.2\.0$/,
  },
  {
    name: "an older version below the security floor, on a device that allows downgrades",
    file: () => good("0.0.9", { securityFloor: 1 }),
    version: "0.0.9",
    message: /^security floor of the image is 1, this device has seen 2$/,
    bench: { json: () => ({ allowDowngrade: true }), factory: { securityFloor: 2 } },
  },
  {
    name: "the vendor's firmware for another chip",
    file: () => good("0.2.0", { chip: 5 }),
    message: /^image is for chip 5, this is chip 0$/,
  },
  {
    name: "the vendor's firmware for another product",
    file: () => good("0.2.0", { product: "doorbell" }),
    message: /^image is of product "doorbell", this is "xs-ota-board"$/,
  },
  {
    name: "signed firmware that does not say what it is",
    file: () => good("0.2.0", { custom: new Uint8Array(0) }),
    message: /^image has no firmware block, so its product is unknown/,
  },
  {
    name: "signed bytes that are no image",
    file: () => Promise.resolve(signed(new Uint8Array(5_000).fill(7), vendor)),
    message: /^not an ESP image/,
  },
  {
    name: "more than the slot holds",
    file: () => firmware("0.2.0", { size: 2 * MIB }),
    message: /does not fit the slot/,
  },
  {
    name: "the version that runs, another image",
    file: () => good("0.1.0", { size: 200_000 }),
    version: "0.1.0",
    message: /^version 0\.1\.0 runs already, with another digest; offer a new version$/,
  },
  {
    name: "a digest that is not the file's",
    file: () => good("0.2.0"),
    fields: { md5sum: "0".repeat(32) },
    code: -4,
    message: /^MD5 of what is in flash is [0-9a-f]{32}$/,
  },
  {
    name: "a size below the file's",
    file: () => good("0.2.0"),
    fields: { file_size: 70_000 },
    message: /^HTTP 206: the file has \d+ bytes on the server, not 70000$/,
  },
  {
    name: "a size above the file's",
    file: () => good("0.2.0"),
    fields: { file_size: 700_000 },
    message: /^HTTP 206: the file has \d+ bytes on the server, not 700000$/,
  },
  {
    name: "no digest",
    file: () => firmware("0.2.0"),
    fields: { md5sum: undefined },
    message: /^bad offer, md5sum: not 32 hex digits$/,
  },
  {
    name: "a URL that smuggles a request",
    file: () => firmware("0.2.0"),
    fields: { url: "http://127.0.0.1/ HTTP/1.1\r\nHost: elsewhere" },
    message: /^bad offer, url: has a space or a control character in it$/,
  },
];

for (const { name, file, version = "0.2.0", fields, code = -5, message, bench: options } of ATTACKS) {
  test(name, { timeout: TOO_LONG }, async (t) => {
    const bench = await Bench.start(t, options);
    const bytes = await file();
    await bench.repelled(() => bench.offer(bytes, version, fields === undefined ? undefined : { fields }), {
      code,
      message,
    });
    assert.deepEqual(bench.cloud.violations(), []);
  });
}

test("a bit flipped anywhere: in header, description, firmware block, code, padding, and in every field of the trailer", async (t) => {
  const bench = await Bench.start(t);
  const file = await good("0.2.0");
  const body = file.length - TRAILER;
  // Unit tests try every bit; here one bit of each part of the file is flipped.
  const places = [
    0,
    1,
    12,
    23,
    40,
    80,
    290,
    300,
    340,
    363,
    5_000,
    body >> 1,
    body - 40,
    body - 1,
    ...[0, 7, 8, 9, 10, 11, 12, 15, 16, 18, 30, 60, 85, 87, 88, 95].map((at) => body + at),
  ];
  await bench.repelled(async () => {
    const texts: string[] = [];
    for (const [index, at] of places.entries()) {
      const { code, message = "" } = await bench.offer(flipped(file, at, index % 8), "0.2.0");
      assert.equal(code, -5, `byte ${at}: ${message}`);
      texts.push(message);
    }
    assert.ok(texts.filter((text) => /sign/.test(text)).length >= 20, texts.join("\n"));
    // The reports are counted here, so that `repelled` starts without them.
    assert.equal(bench.ends().length, places.length);
    bench.forget();
  });
});

test("a wrong signature is reported to ThingsPanel as step -3, check failed", async (t) => {
  const bench = await Bench.start(t, {
    thingspanel: { profile: "v0", username: "token-123", deviceNumber: "dev-1", module: "MCU" },
  });
  await bench.repelled(async () => bench.offer(signed(await firmware("0.2.0"), stranger), "0.2.0"), {
    code: -3,
    message: /^signed by a key that is not trusted here$/,
  });
});
