/** The settings that a board keeps for its firmware in NVS. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FirmwareConfiguration } from "../../host-sim/board/firmware/configuration";
import { SETTINGS, SETTINGS_KEY, readSettings } from "../../host-sim/board/firmware/settings";
import { inspect } from "../../host-sim/cli/inspect";
import { report } from "../../host-sim/cli/inspect-words";
import { Board } from "../../host-sim/board/board";
import type { BoardOptions } from "../../host-sim/board/board";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { temporaryFolder } from "../kit/folder";
import { EventLog, puppetBoard, puppetImage } from "./puppet";

const SECRET = "c2VjcmV0";
const configured = (deviceSecret: string): FirmwareConfiguration => ({
  platform: { kind: "tencent", deviceSecret },
  broker: { host: "127.0.0.1", port: 1, tls: false },
  policy: {},
});
/** Says what the firmware is configured with: in NVS, and for firmware of earlier versions. */
const TELLS = `
  const bytes = board.space(${JSON.stringify(SETTINGS)}).getBytes(${JSON.stringify(SETTINGS_KEY)});
  say({ event: "told", stored: String.fromCharCode(...bytes), given: board.configuration() });`;

test("firmware finds the configuration in NVS, an earlier version is given it; only a changed one costs a write", async (t) => {
  const folder = temporaryFolder(t);
  const run = async (secret: string): Promise<number> => {
    const eventLog = new EventLog();
    const options: BoardOptions = {
      folder,
      configuration: configured(secret),
      factory: () => puppetImage("0.1.0", TELLS),
      createEngine: createNodeEngine,
      onEvent: eventLog.note,
    };
    const board = await Board.open(options);
    t.after(() => board.close());
    void board.powerOn();
    const { stored, given } = Object(await eventLog.until("told"));
    assert.deepEqual([JSON.parse(stored), JSON.parse(given)], [configured(secret), configured(secret)]);
    await board.close();
    const { partitions } = inspect(folder);
    return partitions.find(({ label }) => label === "nvs")!.wear.programs;
  };
  const first = await run(SECRET);
  assert.ok(first > 0);
  assert.equal(await run(SECRET), first);
  assert.ok((await run("b3RoZXI=")) > first);
});

test("inspect tells the name and the length of the settings, and nothing of what they hold", async (t) => {
  const folder = temporaryFolder(t);
  const { board, eventLog } = await puppetBoard(t, TELLS, { folder, configuration: configured(SECRET) });
  void board.powerOn();
  await eventLog.until("told");
  await board.close();
  const found = inspect(folder);
  assert.deepEqual(found.settings, [{ key: SETTINGS_KEY, bytes: JSON.stringify(configured(SECRET)).length }]);
  assert.match(report(found), /\nsettings \(secret\)\n {2}device\.json {2}[0-9]+ bytes\n/);
  for (const shown of [report(found), JSON.stringify(found)]) assert.ok(!shown.includes(SECRET));
});

test("a configuration that NVS can not hold is refused at power-on, with its size", async (t) => {
  const large = configured("A".repeat(4_000));
  const { board, eventLog } = await puppetBoard(t, TELLS, { configuration: large });
  const size = JSON.stringify(large).length;
  assert.throws(
    () => board.powerOn(),
    ({ message }: Error) =>
      message.startsWith(`the settings take ${size} bytes, which this board can not store: NVS device.json: `),
  );
  assert.deepEqual(eventLog.names(), [], "nothing was started");
});

test("settings that are missing or spoiled are told by name, never by their content", () => {
  const read = (bytes: Uint8Array | undefined) => () => readSettings({ getBytes: () => bytes });
  assert.throws(read(undefined), { message: "setting device.json: is missing in NVS" });
  for (const spoiled of [`{"deviceSecret":"${SECRET}`, `${SECRET}\n`, ""])
    assert.throws(read(Buffer.from(spoiled)), { message: "setting device.json: unreadable, not JSON" });
});
