/** A failed update leaves a recording in the board's folder, in both engines. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Board } from "../../host-sim/board/board";
import type { CreateEngine } from "../../host-sim/board/engine";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { RECORDINGS, keepRecording } from "../../host-sim/board/recordings";
import { buildImage } from "../../hal/model-chip/build-image";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { BOARD } from "../cloud/helpers";
import { temporaryFolder } from "../kit/folder";
import { EventLog } from "./puppet";

/** A board that is offered firmware of another product; it runs until it has reported the failure. */
async function refuses(
  t: TestContext,
  createEngine: CreateEngine,
  settings: object,
): Promise<{ folder: string; log: EventLog }> {
  const cloud = await createCloud();
  await cloud.start();
  t.after(() => cloud.stop());
  const device = cloud.addDevice("tencent", BOARD);
  const other = buildImage({ version: "0.2.0", product: "other", payload: new Uint8Array(100), size: 100_000 });
  cloud.push(device, await cloud.packages.add(other, { name: "fw.bin" }));
  const folder = temporaryFolder(t);
  const path = join(folder, "device.json");
  writeFileSync(path, JSON.stringify({ ...(cloud.deviceConfig(device) as object), ...settings }));
  chmodSync(path, 0o600);
  const { firmware, trust, warnings } = readDeviceConfig(path);
  assert.deepEqual(warnings, []);
  const log = new EventLog();
  const board = await Board.open({
    folder: join(folder, "board"),
    configuration: firmware,
    network: trust,
    factory: () => sampleImage("0.1.0"),
    createEngine,
    onEvent: log.note,
  });
  t.after(() => board.close());
  void board.powerOn();
  for (let n = 1; Object(await log.until("state", n)).state !== "fail"; n++);
  return { folder: join(folder, "board"), log };
}

for (const [name, engine] of [
  ["xs", createXsEngine],
  ["node", createNodeEngine],
] as const)
  test(`a failure on ${name} is recorded, and replays here`, async (t) => {
    const { folder, log } = await refuses(t, engine, {});
    const { file, reference } = Object(await log.until("recording"));
    const failure = Object(log.events.find((event) => Object(event).state === "fail"));
    assert.equal(failure.reference, reference);
    const recording = readRecording(readFileSync(join(folder, file)));
    assert.equal(recording.reference, reference);
    assert.equal(recording.run.end?.message, failure.message);
    assert.equal(replay(recording.run).doubt, undefined);
  });

test("recorder: false records nothing", async (t) => {
  const { folder, log } = await refuses(t, createNodeEngine, { recorder: false });
  assert.equal(Object(log.events.find((event) => Object(event).state === "fail")).reference, undefined);
  await log.until("state");
  assert.ok(!existsSync(join(folder, RECORDINGS)));
});

test("the last 8 are kept", (t) => {
  const folder = temporaryFolder(t);
  for (let number = 1; number <= 20; number++) keepRecording(folder, Uint8Array.of(number), "0a0a0a");
  const names = readdirSync(join(folder, RECORDINGS)).sort();
  assert.deepEqual(
    names.map((name) => Number(name.slice(0, 6))),
    [13, 14, 15, 16, 17, 18, 19, 20],
  );
});
