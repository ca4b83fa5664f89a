/** A simulated board with the bootloader that the SDK builds, which rolls nothing back: the start-up does. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { STOCK_BOOTLOADER } from "../../hal/model-chip/bootloader";
import { Board } from "../../host-sim/board/board";
import type { BoardEvent } from "../../host-sim/board/board";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import type { FirmwareConfiguration } from "../../host-sim/board/firmware/configuration";
import { STARTS_MAX } from "../../hal/model-chip/start-up";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Task } from "../../host-sim/cloud/core/devices/tasks";
import { BOARD } from "../cloud/helpers";
import { temporaryFolder } from "../kit/folder";
import { EventLog } from "./puppet";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

/** The board's time is ten times as fast. */
const SPEED = 10;
/** Bytes per second: the image needs more than one time awake. */
const THROTTLE = 50_000;
const SLEEP = { awake: 20, asleep: 5 };

interface Updated {
  readonly task: Task;
  readonly eventLog: EventLog;
  /** Slot, version and reset reason of each start, and whether it was on trial. */
  readonly boots: readonly string[];
}

/** The update to 0.2.0, up to its end in the cloud and the event `last`. */
async function updated(
  t: TestContext,
  last: string,
  { throttle, fault, sleep }: { throttle?: number; fault?: Fault; sleep?: FirmwareConfiguration["sleep"] },
): Promise<Updated> {
  const cloud = await createCloud(throttle === undefined ? {} : { throttle });
  await cloud.start();
  t.after(() => cloud.stop());
  const imageOf = async (version: string, made?: Fault): Promise<Uint8Array> => await sampleImage(version, made);
  const image = await imageOf("0.2.0", fault);
  const device = cloud.addDevice("tencent", BOARD);
  const id = cloud.push(device, await cloud.packages.add(image, { name: "fw.bin" })).id;
  const { productId, deviceName, deviceSecret } = BOARD;
  const eventLog = new EventLog();
  const board = await Board.open({
    folder: temporaryFolder(t),
    configuration: {
      platform: { kind: "tencent", productId, deviceName, deviceSecret, authMode: "KEY" },
      broker: { host: "127.0.0.1", port: cloud.mqttPort, tls: false },
      policy: { allowHttp: true },
      ...(sleep === undefined ? {} : { sleep }),
    },
    bootloader: STOCK_BOOTLOADER,
    factory: () => imageOf("0.1.0"),
    createEngine: createNodeEngine,
    clockSpeed: SPEED,
    onEvent: eventLog.note,
  });
  t.after(() => board.close());
  void board.powerOn();
  const task = await cloud.settled(id);
  await eventLog.until(last);
  assert.deepEqual(cloud.violations(), []);
  const boots = eventLog.events.flatMap((event) => (event.event === "boot" ? [bootOf(event as Boot)] : []));
  return { task, eventLog, boots };
}

type Boot = Extract<BoardEvent, { event: "boot" }>;
const bootOf = ({ slot, version, trial, reason }: Boot): string =>
  `${slot} ${version} ${reason}${trial ? ", trial" : ""}`;

describe("without a bootloader that rolls back", { concurrency: true }, () => {
  test("firmware that throws at its start is given up after its starts, and the old one reports the cause", async (t) => {
    const { task, boots } = await updated(t, "rollback", { fault: "throw" });
    assert.deepEqual(
      [task.status, task.code, task.message],
      ["failure", -5, "trial: the new firmware did not come to powerOn (software reset)"],
    );
    const trials = Array.from({ length: STARTS_MAX }, () => "ota_1 0.2.0 software, trial");
    assert.deepEqual(boots, ["ota_0 0.1.0 power-on", ...trials, "ota_0 0.1.0 software"]);
  });

  test("an update over the wakes of a battery device is confirmed", async (t) => {
    const { task, eventLog, boots } = await updated(t, "confirmed", { throttle: THROTTLE, sleep: SLEEP });
    assert.equal(task.status, "success");
    assert.deepEqual(await eventLog.until("bootloader"), { event: "bootloader", rollsBack: false });
    assert.ok(boots.includes("ota_0 0.1.0 deep-sleep"), "the download went on after a sleep");
    assert.deepEqual(Object(eventLog.events.findLast(({ event }) => event === "confirmed")).version, "0.2.0");
    assert.ok(!eventLog.names().includes("reset"), "no run ended by a fault");
  });
});
