/**
 * Wrong offers on both platforms, from the bytes of the message to the report: each is taken, refused once, or ignored.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { JSON_DEPTH, MESSAGE_MAX } from "../../src/constants";
import { Progress } from "../../src/job/progress";
import type { BrokerPlatform } from "../../src/platforms/broker-platform";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { JobFixture, image } from "../job/job-fixture";

const FILE = image("0.2.0");
const MD5 = createHash("md5").update(FILE).digest("hex");
const SHA256 = createHash("sha256").update(FILE).digest("hex");
const FACTORY = image("0.1.0");
const crypto = new NodeCrypto();

interface Dialect {
  readonly platform: BrokerPlatform;
  /** The good offer with some of its fields changed; undefined takes one away. */
  message(change?: object): object;
  /** Names of version, size, digest and url. */
  readonly fields: { readonly version: string; readonly size: string; readonly digest: string; readonly url: string };
  readonly failure: RegExp;
}

const DIALECTS: { readonly [name: string]: Dialect } = {
  tencent: {
    platform: new TencentPlatform(
      { productId: "P", deviceName: "d", authMode: "KEY", deviceSecret: "c2VjcmV0" },
      crypto,
    ),
    message: (change) => ({
      type: "update_firmware",
      version: "0.2.0",
      file_size: FILE.length,
      md5sum: MD5,
      url: "http://files/fw.bin?sign=1",
      ...change,
    }),
    fields: { version: "version", size: "file_size", digest: "md5sum", url: "url" },
    failure: /"result_code":"-5"/,
  },
  thingspanel: {
    platform: new ThingsPanelPlatform(
      { profile: "v0", brokerHost: "broker.example", username: "token", clientId: "c", module: "MCU" },
      crypto,
    ),
    message: (change) => ({
      id: "1",
      code: 200,
      params: {
        version: "0.2.0",
        size: FILE.length,
        sign: SHA256,
        signMethod: "SHA256",
        url: "http://files/fw.bin",
        module: "MCU",
        extData: {},
        ...change,
      },
    }),
    fields: { version: "version", size: "size", digest: "sign", url: "url" },
    failure: /"step":"-1"/,
  },
};

/** A device that gets messages as its agent would hand them to the job. */
class Listener {
  readonly device: JobFixture;
  readonly #dialect: Dialect;

  constructor(dialect: Dialect, policy: { readonly allowNoDigest?: boolean } = {}) {
    this.#dialect = dialect;
    this.device = new JobFixture({
      factory: FACTORY,
      platform: dialect.platform.name,
      rules: dialect.platform.rules,
      policy,
    });
    this.device.connect();
  }

  /** "taken", "ignored", or the one report on the wire. */
  hear(message: object | string): string {
    const { platform } = this.#dialect;
    const before = this.device.outcomes.length;
    const downloads = this.device.downloads.length;
    const incoming = platform.parse(
      platform.subscriptions[0]!,
      Buffer.from(typeof message === "string" ? message : JSON.stringify(message)),
    );
    if (incoming.kind === "offer") this.device.dispatch({ type: "offer", offer: incoming.offer });
    else if (incoming.kind === "refused")
      this.device.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
    const said = this.device.outcomes.length - before;
    assert.ok(said <= 1, `${said} outcomes`);
    if (this.device.downloads.length > downloads) return "taken";
    if (said === 0) return "ignored";
    const { report } = this.device.reports.at(-1)!;
    const { payload } = platform.encode(report)!;
    assert.ok(
      report.kind === "outcome" &&
        (report.outcome.kind === "done" || Buffer.byteLength(report.outcome.message) <= MESSAGE_MAX),
    );
    this.device.ack("refused");
    return payload;
  }

  /** Completes the right offer. */
  complete(): void {
    assert.equal(this.hear(this.#dialect.message()), "taken");
    this.device.deliver(FILE);
    this.device.ack("burning");
    this.device.connect();
    this.device.ack("outcome");
    assert.deepEqual(
      [this.device.running.version, this.device.outcomes.at(-1), this.device.state],
      ["0.2.0", "done", "idle"],
    );
  }
}

/** Every form that a field may come in. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  "",
  " ",
  "x",
  0,
  -0,
  1,
  -1,
  1.5,
  1e300,
  2 ** 53,
  -(2 ** 53),
  Number.MAX_SAFE_INTEGER,
  5 * 2 ** 30,
  "0",
  "-1",
  "1.5",
  "1e3",
  "0x10",
  "007",
  String(5 * 2 ** 30),
  "9".repeat(400),
  true,
  false,
  [],
  [1],
  {},
  { toString: 1 },
  { __proto__: null, a: 1 },
  "\u0000",
  "\ud800",
  "错".repeat(500),
  "../../etc/passwd",
  "http://",
  "javascript:alert(1)",
  "http://files/\r\nX: y",
  "0.2.0",
  MD5,
  MD5.slice(1),
  `${MD5}0`,
  "zz".repeat(16),
];

for (const [name, dialect] of Object.entries(DIALECTS)) {
  const { fields, failure } = dialect;
  describe(name, () => {
    test("an offer with any field in any form is taken, refused once, or ignored; the right offer is taken after each", () => {
      const listener = new Listener(dialect);
      let rights = 0;
      for (const field of Object.values(fields)) {
        for (const value of VALUES) {
          const verdict = listener.hear(dialect.message({ [field]: value }));
          if (verdict !== "taken" && verdict !== "ignored") assert.match(verdict, failure);
          assert.ok(
            ["idle", "downloading"].includes(listener.device.state),
            `${field} ${JSON.stringify(value)}: ${listener.device.state}`,
          );
          // A wrong value of a legal form is found later; the next offer supersedes it.
          assert.equal(
            listener.hear(dialect.message({ [fields.version]: `0.2.${++rights}` })),
            "taken",
            `after ${field} ${JSON.stringify(value)}`,
          );
        }
      }
      assert.equal(listener.device.running.slot, "ota_0");
      listener.complete();
    });

    test("offers with one wrong or unusual field have the verdict of the table", () => {
      const rows: readonly (readonly [string, object, string | RegExp])[] = [
        ["digest in upper case", { [fields.digest]: (name === "tencent" ? MD5 : SHA256).toUpperCase() }, "taken"],
        ["size as text", { [fields.size]: String(FILE.length) }, "taken"],
        ["unknown fields", { surprise: { nested: [1, 2, 3] }, fw_type: "mcu" }, "taken"],
        ["larger than the slot", { [fields.size]: 64 << 20 }, /does not fit the slot/],
        ["beyond 4 GiB", { [fields.size]: 5 * 2 ** 30 }, /image of 5368709120 bytes does not fit/],
        ["beyond 4 GiB, as text", { [fields.size]: String(5 * 2 ** 30 + 7) }, /image of 5368709127 bytes does not fit/],
        ["digest of no known length", { [fields.digest]: "abc" }, failure],
        ["another scheme", { [fields.url]: "ftp://files/fw.bin" }, failure],
        ["URL of 3,000 bytes", { [fields.url]: `http://files/${"a".repeat(3000)}` }, failure],
        ["older than the running version", { [fields.version]: "0.0.9" }, /older than the running/],
        ["no digest", { [fields.digest]: undefined }, failure],
      ];
      for (const [what, change, expected] of rows) {
        const verdict = new Listener(dialect).hear(dialect.message(change));
        if (typeof expected === "string") assert.equal(verdict, expected, what);
        else {
          assert.match(verdict, expected, what);
          assert.match(verdict, failure, what);
        }
      }
    });

    test("deep nesting, text that is no JSON, and JSON that is no object are ignored", () => {
      const listener = new Listener(dialect);
      const deep = (levels: number): string =>
        JSON.stringify(dialect.message({ extra: "HERE" })).replace(
          '"HERE"',
          `${"[".repeat(levels)}${"]".repeat(levels)}`,
        );
      assert.equal(listener.hear(deep(JSON_DEPTH - 2)), "taken");
      for (const message of [
        deep(JSON_DEPTH),
        deep(100_000),
        "[".repeat(100_000),
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "\ufeff{}",
      ])
        assert.equal(listener.hear(message), "ignored", message.slice(0, 20));
      assert.equal(listener.hear(dialect.message({ [fields.version]: "0.2.1" })), "taken");
      listener.complete();
    });

    test("the same offer while busy starts no second job; a different one supersedes without a report of the old one", () => {
      const listener = new Listener(dialect);
      const { device } = listener;
      assert.equal(listener.hear(dialect.message()), "taken");
      device.deliver(FILE, 8_192);
      for (let push = 0; push < 20; push++)
        assert.equal(listener.hear(dialect.message({ [fields.url]: `http://files/fw.bin?sign=${push}` })), "ignored");
      assert.equal(device.downloads.length, 1);
      assert.equal(listener.hear(dialect.message({ [fields.version]: "0.2.1" })), "taken");
      assert.equal(device.downloads.at(-1)?.offset, 0);
      assert.deepEqual(device.outcomes, []);
      listener.complete();
    });

    test("an offer of the running version is done without a download if the image is the same, and refused at its first sector otherwise", () => {
      const own = createHash(name === "tencent" ? "md5" : "sha256")
        .update(FACTORY)
        .digest("hex");
      const same = new Listener(dialect);
      same.hear(dialect.message({ [fields.version]: "0.1.0", [fields.size]: FACTORY.length, [fields.digest]: own }));
      assert.deepEqual([same.device.outcomes, same.device.downloads.length], [["done"], 0]);
      const other = new Listener(dialect);
      other.hear(
        dialect.message({
          [fields.version]: "0.1.0",
          [fields.size]: FACTORY.length,
          [fields.digest]: own.replace(/./g, "0"),
        }),
      );
      // It could be a container of the image that runs.
      assert.deepEqual(other.device.outcomes, []);
      other.device.deliver(FILE, 4_096);
      assert.match(other.device.outcomes.join(), /^rejected: .*0\.1\.0/);
      for (const { device } of [same, other]) assert.equal(device.board.ports.boot.running().slot, "ota_0");
    });

    test("a digest that differs from the file's is reported, switches nothing, and the next offer is taken", () => {
      const listener = new Listener(dialect);
      const digest = name === "tencent" ? MD5 : SHA256;
      assert.equal(
        listener.hear(
          dialect.message({ [fields.digest]: `${digest.slice(0, -1)}${digest.endsWith("0") ? "1" : "0"}` }),
        ),
        "taken",
      );
      listener.device.deliverTwice(FILE);
      assert.match(listener.device.outcomes.join(), /^digest-mismatch/);
      listener.device.ack("outcome");
      assert.equal(listener.device.running.slot, "ota_0");
      listener.complete();
    });
  });
}

test("percentages are right for sizes beyond 32 bits", () => {
  for (const size of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 5 * 2 ** 30, 2 ** 40]) {
    for (let percent = 0; percent <= 100; percent++) {
      const stored = Math.ceil((size * percent) / 100);
      assert.equal(new Progress(0).due(Math.min(size, stored), size, 0), percent, `${stored} of ${size}`);
      if (stored > 0 && percent > 0) assert.equal(new Progress(0).due(stored - 1, size, 0), percent - 1);
    }
  }
});
