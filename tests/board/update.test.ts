/** The agent's own bundle on simulated boards, in both engines, against the local cloud. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Board } from "../../host-sim/board/board";
import type { BoardOptions } from "../../host-sim/board/board";
import type { CreateEngine, TurnMeter } from "../../host-sim/board/engine";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { FAULTS, firmwareBundle, stamp } from "../../host-sim/board/firmware/bundle";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { buildImage } from "../../hal/model-chip/build-image";
import { SDK_APP_ID } from "../../src/platforms/tencent/auth";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { BOARD, heard } from "../cloud/helpers";
import { EventLog } from "./puppet";
import { temporaryFolder } from "../kit/folder";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

const SIZE = 300_001;

interface Scenario {
  readonly cloud: Cloud;
  readonly device: string;
  /** The update to 0.2.0. */
  readonly task: string;
  readonly folder: string;
  readonly eventLog: EventLog;
  readonly meters: TurnMeter[];
  start(createEngine: CreateEngine, options?: Partial<BoardOptions>): Promise<Board>;
}

/** A cloud that has version 0.2.0 for a board that will be made with 0.1.0. */
async function scene(
  t: TestContext,
  options: { image?: Uint8Array; tls?: Authority; mqttPort?: number } = {},
): Promise<Scenario> {
  const cloud = await createCloud(options.tls === undefined ? {} : { tls: { authority: options.tls } });
  await cloud.start();
  t.after(() => cloud.stop());
  const image = options.image ?? (await sampleImage("0.2.0", undefined, SIZE));
  const file = await cloud.packages.add(image, { name: "fw.bin" });
  const device = cloud.addDevice("tencent", BOARD);
  const task = cloud.push(device, file).id;
  const folder = temporaryFolder(t);
  const root = join(folder, "root.pem");
  if (cloud.root !== undefined) writeFileSync(root, cloud.root);
  const json = cloud.deviceConfig(device, cloud.root === undefined ? undefined : "root.pem");
  const path = join(folder, "device.json");
  writeFileSync(path, JSON.stringify(json));
  chmodSync(path, 0o600);
  const eventLog = new EventLog();
  const meters: TurnMeter[] = [];
  const start: Scenario["start"] = async (createEngine, options) => {
    const config = readDeviceConfig(path);
    assert.deepEqual(config.warnings, []);
    const board = await Board.open({
      folder: join(folder, "board"),
      configuration: config.firmware,
      network: config.trust,
      factory: async () => await sampleImage("0.1.0"),
      createEngine,
      onEvent: eventLog.note,
      onTurn: (meter) => meters.push(meter),
      ...options,
    });
    t.after(() => board.close());
    void board.powerOn();
    return board;
  };
  return { cloud, device, task, folder, eventLog, meters, start };
}

async function stateReached(eventLog: EventLog, state: string): Promise<void> {
  for (let n = 1; ; n++) if (Object(await eventLog.until("state", n)).state === state) return;
}

/** Everything but the percents in between and how long a trial has left, which are a matter of time. */
function sequenceOf(eventLog: EventLog): string[] {
  const lines = eventLog.events.map((event) => {
    const { event: name, state, percent, secondsLeft: _, ...rest } = Object(event) as Record<string, unknown>;
    return [
      name,
      state,
      percent === 0 || percent === 100 ? percent : undefined,
      percent === undefined || percent === 0 || percent === 100 ? JSON.stringify(rest) : "between",
    ]
      .filter((part) => part !== undefined)
      .join(" ");
  });
  return lines.filter((line) => !line.endsWith("between"));
}

test("one bundle in XS and in Node: the same update, the same events, each byte and each erase once", async (t) => {
  const sequences: string[][] = [];
  for (const [name, engine] of [
    ["XS", createXsEngine],
    ["Node", createNodeEngine],
  ] as const) {
    const { cloud, device, task, eventLog, meters, start } = await scene(t);
    const board = await start(engine);
    // The board's last event and the cloud's last message may come in either order.
    await stateReached(eventLog, "done");
    assert.equal((await cloud.settled(task)).status, "success");
    sequences.push(sequenceOf(eventLog));
    assert.equal(cloud.devices.get(device)?.version, "0.2.0");
    assert.deepEqual(cloud.violations(), []);
    assert.equal(cloud.traffic.total().bytes, SIZE, "bytes served");
    const wear = board.folder.table.slots.map(({ address, size }) => board.folder.wear(address, size));
    assert.deepEqual(
      wear.map(({ erases, mostErases }) => [erases, mostErases]),
      [
        [0, 0],
        // Its last block is erased whole.
        [16 * Math.ceil(SIZE / 65_536), 1],
      ],
    );
    assert.equal(
      meters.some(({ compute }) => compute > 0),
      name === "XS",
    );
    await board.close();
  }
  assert.deepEqual(sequences[0], sequences[1]);
  assert.deepEqual(sequences[0], [
    'boot {"slot":"ota_0","version":"0.1.0","trial":false,"reason":"power-on"}',
    `offer {"version":"0.2.0","size":${SIZE}}`,
    "state downloading 0 {}",
    "state downloading 100 {}",
    "state verifying {}",
    "state burning {}",
    'reboot {"slot":"ota_1"}',
    'boot {"slot":"ota_1","version":"0.2.0","trial":true,"reason":"software"}',
    'bootloader {"rollsBack":true}',
    "state trial {}",
    'trial {"stage":"no address"}',
    'trial {"stage":"cloud not reached"}',
    'trial {"stage":"no PUBACK of the version report"}',
    'confirmed {"version":"0.2.0"}',
    "state done {}",
  ]);
});

test("XS over TLS, with the cloud's own root: MQTT and download both", async (t) => {
  const { cloud, task, start } = await scene(t, { tls: await Authority.create("ec") });
  await start(createXsEngine);
  assert.equal((await cloud.settled(task)).status, "success");
  assert.equal(cloud.traffic.total().bytes, SIZE);
  assert.deepEqual(cloud.violations(), []);
});

/** Passes everything on to `port` and keeps what clients say; `until` waits for words of theirs. */
async function wiretap(
  t: TestContext,
  port: number,
): Promise<{ server: Server; port: number; until(words: string): Promise<string> }> {
  let heard = "";
  const more = new EventEmitter();
  const server = createServer((client) => {
    const broker = connect(port, "127.0.0.1");
    client.on("data", (bytes: Buffer) => {
      heard += bytes.toString("latin1");
      more.emit("more");
    });
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const until = async (words: string): Promise<string> => {
    while (!heard.includes(words)) await once(more, "more");
    return heard;
  };
  return { server, port: (server.address() as AddressInfo).port, until };
}

test("an update replaces the running code: a constant that differs in the new bundle shows on the wire after it, not before", async (t) => {
  // As long as the old one, and known to the platform as another SDK of the vendor's.
  const marked = "12010126";
  const bundle = (await firmwareBundle()).replaceAll(SDK_APP_ID, marked);
  const image = buildImage({ version: "0.2.0", payload: Buffer.from(stamp(bundle, "0.2.0")) });
  const { cloud, folder, eventLog, start } = await scene(t, { image });
  const tap = await wiretap(t, cloud.mqttPort);
  const path = join(folder, "device.json");
  const device = cloud.deviceConfig(cloud.devices.list()[0]!.id);
  writeFileSync(path, JSON.stringify({ ...device, mqtt: { host: "127.0.0.1", port: tap.port, tls: false } }));
  await start(createXsEngine);
  await stateReached(eventLog, "done");
  // The board says so when it sends the report, which then has its way to go.
  const heard = await tap.until('"state":"done"');
  const order = [
    '"report":{"version":"0.1.0"}',
    '"state":"burning"',
    `;${marked};`,
    '"report":{"version":"0.2.0"}',
    '"state":"done"',
  ].map((text) => heard.indexOf(text));
  assert.ok(
    order.every((at, index) => at > (order[index - 1] ?? 0)),
    `in this order: ${order.join(", ")}`,
  );
  assert.ok(
    heard.includes(`;${SDK_APP_ID};`) && heard.lastIndexOf(`;${SDK_APP_ID};`) < order[2]!,
    "the new code does not use the old constant",
  );
});

/** Not the firmware's fault for sure: an explicit push may try it once more. */
const UNREACHED: readonly Fault[] = ["offline", "no-network", "no-clock"];

for (const fault of FAULTS) {
  test(`firmware made to fail (${fault}) is rolled back, told as fail -5 by the old one, and refused at once when pushed again`, async (t) => {
    const image = await sampleImage("0.2.0", fault);
    const { cloud, device, task, eventLog, start } = await scene(t, { image });
    // A trial takes 120 s of the firmware's time, a hang 1,000 million bytecodes.
    await start((options) => createXsEngine({ ...options, turnBytecodes: 50_000_000 }), { clockSpeed: 60 });
    await stateReached(eventLog, "fail");
    const { state, code, version } = Object(eventLog.events.find((event) => Object(event).state === "fail")) as Record<
      string,
      unknown
    >;
    assert.deepEqual({ state, code, version }, { state: "fail", code: -5, version: "0.2.0" });
    assert.deepEqual(
      eventLog.events.findLast(({ event }) => event === "boot"),
      {
        event: "boot",
        slot: "ota_0",
        version: "0.1.0",
        trial: false,
        reason: fault === "hang" ? "watchdog" : "software",
      },
    );
    const first = await cloud.settled(task);
    assert.deepEqual([first.status, first.code], ["failure", -5]);

    if (UNREACHED.includes(fault)) return;
    const served = cloud.traffic.total().bytes;
    // The version report follows the PUBACK of the first answer. From then on that answer is not repeated, and can not
    // be taken for the second.
    await heard(cloud, device, '"state":"fail"', '"type":"report_version"');
    const again = await cloud.settled(cloud.push(device, cloud.packages.list()[0]!).id);
    assert.deepEqual(
      [again.status, again.code, again.message],
      ["failure", -5, "this image was rolled back before; it is not tried again"],
    );
    assert.equal(cloud.traffic.total().bytes, served, "nothing was downloaded");
    assert.equal(eventLog.events.filter(({ event }) => event === "boot").length, 3, "nothing was started");
    assert.deepEqual(cloud.violations(), []);
  });
}
