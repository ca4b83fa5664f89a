/**
 * A further cloud is one folder: the job, device.json, the settings of a chip, the firmware and the document take it as
 * it is.
 */
import { Aedes } from "aedes";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Board } from "../../host-sim/board/board";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { stamp } from "../../host-sim/board/firmware/bundle";
import { xsScript } from "../../host-sim/board/firmware/xs-script";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { buildImage } from "../../hal/model-chip/build-image";
import { settingsTable } from "../../scripts/docs/platform-settings";
import { PLATFORMS } from "../../src/platforms/index";
import { EventLog } from "../board/puppet";
import { temporaryFolder } from "../kit/folder";
import { firmwareSettings } from "../config/firmware-settings";
import { JobFixture, image } from "../job/job-fixture";
import { ThirdPlatform, third } from "./third/dialect";

const LIST = [...PLATFORMS, third];
const DIALECT = fileURLToPath(new URL("third/dialect.ts", import.meta.url));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const next = image("0.2.0");
const job = { version: "0.2.0", url: "http://files/fw.bin", sha256: sha256(next) };

function device(): { fixture: JobFixture; push(message: object): void; reported(): unknown[] } {
  const platform = new ThirdPlatform({ device: "dev-1" });
  const fixture = new JobFixture({ platform: platform.name, rules: platform.rules });
  fixture.connect();
  return {
    fixture,
    push(message) {
      const incoming = platform.parse(platform.subscriptions[0]!, Buffer.from(JSON.stringify(message)));
      if (incoming.kind === "offer") fixture.push(incoming.offer);
      else if (incoming.kind === "refused")
        fixture.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
    },
    reported: () =>
      fixture.reports
        .flatMap(({ report }) => platform.encode(report)?.payload ?? [])
        .map((text) => (JSON.parse(text) as { state: unknown }).state),
  };
}

test("a third cloud: an update over a power cut, from the job to DONE", () => {
  const { fixture, push, reported } = device();
  push(job);
  fixture.deliver(next, 8_192);
  fixture.powerOn();
  fixture.wait();
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  fixture.ack("outcome");
  assert.equal(fixture.running.version, "0.2.0");
  assert.deepEqual([...new Set(reported())], ["LOADING", "INSTALLING", "DONE"]);
});

test("a third cloud: a job that can not be carried out is answered, and a message that is no job is not", () => {
  const { push, reported } = device();
  push({ ...job, sha256: "?" });
  push({ hello: 1 });
  assert.deepEqual(reported(), ["FAILED"]);
});

function configure(folder: string, value: object): ReturnType<typeof readDeviceConfig> {
  const path = join(folder, "device.json");
  writeFileSync(path, JSON.stringify({ platform: "third", ...value }), { mode: 0o600 });
  return readDeviceConfig(path, LIST);
}

test("a third cloud is configured from a device.json, and mistakes name the key", (t) => {
  const folder = temporaryFolder(t);
  const mqtt = { host: "cloud.example" };
  const good = { mqtt, identity: { device: "dev-1", key: "secret" }, states: "words" };
  const { firmware, warnings } = configure(folder, good);
  assert.deepEqual(firmware.platform, { kind: "third", device: "dev-1", key: "secret", states: "words" });
  assert.deepEqual(firmware.broker, { host: "cloud.example", port: 8883, tls: true });
  assert.deepEqual(warnings, []);
  for (const [change, message] of [
    [{ identity: {} }, /device\.json: identity\.device: is missing$/],
    [{ identity: { device: 5 } }, /identity\.device: a string is expected$/],
    [{ identity: { device: "a/b" } }, /device: has a character that no topic can carry$/],
    [{ states: "colours" }, /states: "words" or "numbers" is expected$/],
    [{ states: undefined }, /states: is missing$/],
    [{ mqtt: {} }, /mqtt\.host: is missing$/],
    [
      { platform: "fourth" },
      /platform: "tencent" or "thingspanel" or "static" or "hawkbit" or "thingsboard" or "third" is expected$/,
    ],
  ] as const)
    assert.throws(() => configure(folder, { ...good, ...change }), { message });
});

test("a third cloud reads the settings of a chip", async (t) => {
  const readSettings = await firmwareSettings(t);
  const stored: Record<string, string> = { platform: "third", device: "dev-1", thirdKey: "one", mqttHost: "192.0.2.1" };
  const read = (change: object = {}) =>
    readSettings((key) => ({ ...stored, ...change } as Record<string, string>)[key], new NodeCrypto(), LIST);
  const { name, broker } = read();
  assert.deepEqual([name, broker], ["dev-1", { host: "192.0.2.1", port: 8883, tls: true }]);
  const { platform } = read();
  assert.equal((platform as ThirdPlatform).identity().password, "one");
  assert.throws(() => read({ device: "" }), { message: "device: is missing" });
  assert.throws(() => read({ states: "colours" }), { message: 'states: "words" or "numbers"' });
  assert.throws(() => read({ mqttHost: "" }), { message: "mqttHost: is missing" });
  assert.throws(() => read({ platform: "fourth" }), {
    message: 'platform: "tencent" or "thingspanel" or "static" or "hawkbit" or "thingsboard" or "third"',
  });
});

test("the settings of a third cloud make their table", () => {
  assert.deepEqual(settingsTable(third, readFileSync(DIALECT, "utf8")).split("\n").slice(2), [
    "| `identity.device` | `device` | yes | Name of the device in topics. |",
    "| `identity.key` | `thirdKey` | no | Password of the connection. |",
    "| `states` | `states` | yes; on a chip default `words` | `words`, `numbers`. How states are reported. |",
  ]);
});

test("no setting has a name that NVS can not hold", () => {
  for (const { settings } of LIST)
    for (const { name, nvs = name } of settings()) assert.ok(nvs.length > 0 && nvs.length <= 15, nvs);
});

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("a board of a third cloud, on a plain broker and a plain file server: a whole update of the running code", async (t) => {
  const bundle = await xsScript(new URL("third/firmware.ts", import.meta.url));
  const make = (version: string): Uint8Array => buildImage({ version, payload: Buffer.from(stamp(bundle, version)) });
  const file = make("0.2.0");
  const files = await listen(
    t,
    createHttpServer((request, response) => {
      const [from = 0, to = file.length - 1] =
        /\d+-\d+/
          .exec(request.headers.range ?? "")?.[0]
          .split("-")
          .map(Number) ?? [];
      const range = { "Content-Range": `bytes ${from}-${to}/${file.length}`, "Content-Length": to + 1 - from };
      response.writeHead(206, range).end(file.subarray(from, to + 1));
    }),
  );
  const states: string[] = [];
  const broker = await Aedes.createBroker();
  const over = new Promise<void>((resolve) => {
    broker.on("publish", ({ topic, payload }) => {
      if (topic !== "fota/dev-1/state") return;
      const { state } = JSON.parse(payload.toString()) as { state: string };
      if (state !== states.at(-1)) states.push(state);
      if (state === "DONE" || state === "FAILED") resolve();
    });
  });
  broker.on("subscribe", () => {
    const offer = {
      version: "0.2.0",
      url: `http://127.0.0.1:${files}/fw.bin`,
      size: file.length,
      sha256: sha256(file),
    };
    const message = { cmd: "publish", topic: "fota/dev-1/job", payload: JSON.stringify(offer), qos: 0 } as const;
    if (states.length === 0) broker.publish({ ...message, dup: false, retain: false }, () => {});
  });
  const port = await listen(
    t,
    createServer((socket) => void broker.handle(socket)),
  );
  t.after(() => new Promise<void>((resolve) => broker.close(resolve)));
  const folder = temporaryFolder(t);
  const mqtt = { host: "127.0.0.1", port, tls: false };
  const { firmware } = configure(folder, { mqtt, identity: { device: "dev-1" }, states: "words" });
  const eventLog = new EventLog();
  const board = await Board.open({
    folder: join(folder, "board"),
    configuration: firmware,
    factory: () => Promise.resolve(make("0.1.0")),
    createEngine: createXsEngine,
    onEvent: eventLog.note,
  });
  t.after(() => board.close());
  void board.powerOn();
  await over;
  assert.deepEqual(states, ["LOADING", "INSTALLING", "DONE"]);
  const confirmed = eventLog.events.find(({ event }) => event === "confirmed");
  assert.deepEqual(confirmed, { event: "confirmed", version: "0.2.0" });
});
