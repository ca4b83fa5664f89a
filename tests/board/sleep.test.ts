/** A simulated board that sleeps: its firmware uses the agent as the application of a battery device does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildImage } from "../../hal/model-chip/build-image";
import { Board } from "../../host-sim/board/board";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { WINDOW } from "../../src/constants";
import { BOARD } from "../cloud/helpers";
import { temporaryFolder } from "../kit/folder";
import { EventLog } from "./puppet";

const SIZE = 300_001;
/** Bytes per second of a server that needs four wakes. */
const THROTTLE = 50_000;
const SLEEP = { awake: 20, asleep: 10 };
/** The board's time is ten times as fast. */
const SPEED = 10;

const imageOf = async (version: string, size?: number): Promise<Uint8Array> =>
  buildImage({
    version,
    payload: await firmwarePayload(version),
    ...(size === undefined ? {} : { size }),
  });

test("an update over the wakes of a board: power lost in its sleep included, and the cloud knows when it sleeps", async (t) => {
  const cloud = await createCloud({ throttle: THROTTLE });
  await cloud.start();
  t.after(() => cloud.stop());
  const device = cloud.addDevice("tencent", BOARD);
  const task = cloud.push(device, await cloud.packages.add(await imageOf("0.2.0", SIZE), { name: "fw.bin" })).id;
  const announced = new Set<number>();
  cloud.on("device", ({ sleep }) => sleep?.basis === "announced" && announced.add(sleep.until - sleep.since));
  const { productId, deviceName, deviceSecret } = BOARD;
  const eventLog = new EventLog();
  const board = await Board.open({
    folder: temporaryFolder(t),
    configuration: {
      platform: { kind: "tencent", productId, deviceName, deviceSecret, authMode: "KEY" },
      broker: { host: "127.0.0.1", port: cloud.mqttPort, tls: false },
      policy: { allowHttp: true },
      sleep: SLEEP,
    },
    factory: () => imageOf("0.1.0"),
    createEngine: createNodeEngine,
    clockSpeed: SPEED,
    onEvent: eventLog.note,
  });
  t.after(() => board.close());
  void board.powerOn();

  assert.deepEqual(await eventLog.until("sleep"), { event: "sleep", seconds: SLEEP.asleep });
  await board.powerOff();
  void board.powerOn();
  assert.equal((await cloud.settled(task)).status, "success");
  const sleeps = (): number => eventLog.events.filter((event) => Object(event).event === "sleep").length;
  const before = sleeps();
  await eventLog.until("sleep", before + 1);

  const reasons = eventLog.events.flatMap((event) => (Object(event).event === "boot" ? [Object(event).reason] : []));
  assert.deepEqual(reasons.slice(0, 2), ["power-on", "power-on"], "the power was lost in the first sleep");
  assert.ok(reasons.includes("deep-sleep"));
  assert.ok(!reasons.includes("panic") && !reasons.includes("watchdog"));
  assert.deepEqual([...announced], [SLEEP.asleep * 1000]);
  const again = cloud.traffic.total().bytes - SIZE;
  assert.ok(again <= before * WINDOW, `${again} bytes again in ${before} sleeps`);
  assert.deepEqual(cloud.violations(), []);
});
