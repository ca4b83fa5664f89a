import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Clock } from "../../src/ports";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { TURN_TIME } from "../../host-sim/board/engine";
import type { CreateEngine } from "../../host-sim/board/engine";
import { puppetBoard, puppetImage } from "./puppet";

/**
 * Version 0.1.0 in the tests of trials: starts the other slot once. After that it reports that it runs, and the reset
 * reason.
 */
const SWITCH_ONCE = `
  if (board.store.getNumber("tried") === undefined) { board.store.setNumber("tried", 1); board.boot.activate(); board.boot.restart(); }
  else say({ event: "state", back: board.boot.resetReason(), invalid: board.boot.lastInvalid() });`;

/**
 * Hangs are found sooner than in earnest: XS by a lower limit of bytecodes, Node by a short turn. The short turn is
 * only for the firmware that ends with `hanging`, so that a loaded host resets no other.
 */
const impatient =
  (create: CreateEngine, hanging: string): CreateEngine =>
  (options) => {
    const limits = { ...options, turnBytecodes: 5_000_000, turnTime: TURN_TIME };
    const engine = create(limits);
    return {
      ended: engine.ended,
      stop: () => engine.stop(),
      turn: (message) => engine.turn(message),
      run(source) {
        if (create === createNodeEngine && hanging.includes("for (;;)") && source.endsWith(hanging))
          limits.turnTime = 100;
        return engine.run(source);
      },
    };
  };

test("a board runs what is in its flash, and its version is the one that the code carries", async (t) => {
  const { board, eventLog } = await puppetBoard(
    t,
    'const { slot, version, project, state } = board.boot.running(); say({ event: "state", slot, version, project, state });',
    { createEngine: createXsEngine },
  );
  void board.powerOn();
  await eventLog.until("state");
  assert.deepEqual(eventLog.events, [
    { event: "boot", slot: "ota_0", version: "0.1.0", trial: false, reason: "power-on" },
    { event: "state", slot: "ota_0", version: "0.1.0", project: "xs-ota-board", state: "valid" },
  ]);
  assert.equal(board.folder.isNew, true);
});

for (const [name, create] of [
  ["XS", createXsEngine],
  ["Node", createNodeEngine],
] as const) {
  test(`${name}: firmware on trial that confirms itself stays`, async (t) => {
    const { board, eventLog, fill } = await puppetBoard(t, SWITCH_ONCE, { createEngine: create });
    fill(
      1,
      await puppetImage(
        "0.2.0",
        'board.boot.confirm(); say({ event: "confirmed", state: board.boot.running().state });',
      ),
    );
    void board.powerOn();
    assert.deepEqual(await eventLog.until("confirmed"), { event: "confirmed", state: "valid" });
    await board.powerOff();
    void board.powerOn();
    const again = await eventLog.until("boot", 3);
    assert.deepEqual(again, { event: "boot", slot: "ota_1", version: "0.2.0", trial: false, reason: "power-on" });
  });

  for (const [kind, code, reason] of [
    ["throws at its start", 'throw new Error("broken");', "software"],
    ["throws later", "board.clock.set(() => { null.x; }, 1);", "software"],
    ["hangs at its start", "for (;;);", "watchdog"],
    ["hangs later", "board.clock.set(() => { for (;;); }, 1);", "watchdog"],
    ["does not even parse", "}{", "software"],
  ] as const) {
    test(`${name}: firmware on trial that ${kind} is rolled back, and the old one hears of a ${reason} reset`, async (t) => {
      const { board, eventLog, fill } = await puppetBoard(t, SWITCH_ONCE, { createEngine: impatient(create, code) });
      fill(1, await puppetImage("0.2.0", code));
      void board.powerOn();
      assert.deepEqual(await eventLog.until("state"), { event: "state", back: reason, invalid: "ota_1" });
      assert.deepEqual(eventLog.names(), ["boot", "boot", "reset", "boot", "state"]);
      assert.deepEqual(eventLog.events[1], {
        event: "boot",
        slot: "ota_1",
        version: "0.2.0",
        trial: true,
        reason: "software",
      });
    });
  }
}

test("firmware that gives itself up is replaced by the old one", async (t) => {
  const { board, eventLog, fill } = await puppetBoard(t, SWITCH_ONCE);
  fill(1, await puppetImage("0.2.0", "board.boot.rollback();"));
  void board.powerOn();
  assert.deepEqual(await eventLog.until("state"), { event: "state", back: "software", invalid: "ota_1" });
});

test("power cut in the trial: the old firmware hears of a power-on", async (t) => {
  const { board, eventLog, fill } = await puppetBoard(t, SWITCH_ONCE);
  fill(1, await puppetImage("0.2.0", 'say({ event: "warning" });'));
  void board.powerOn();
  await eventLog.until("warning");
  await board.powerOff();
  void board.powerOn();
  assert.deepEqual(await eventLog.until("state"), { event: "state", back: "power-on", invalid: "ota_1" });
});

test("a power cut stops the firmware in the middle of a turn; what it wrote before stays", async (t) => {
  const { board, eventLog } = await puppetBoard(
    t,
    'board.store.setNumber("n", (board.store.getNumber("n") ?? 0) + 1); say({ event: "state", n: board.store.getNumber("n") }); for (;;) board.clock.now();',
    {
      createEngine: createXsEngine,
    },
  );
  for (const n of [1, 2]) {
    void board.powerOn();
    assert.deepEqual(await eventLog.until("state", n), { event: "state", n });
    await board.powerOff();
  }
  assert.deepEqual(eventLog.names(), ["boot", "state", "boot", "state"]);
});

/** Makes the appended SHA-256 right again; the checksum before it as it is. */
function rehash(image: Uint8Array): Uint8Array {
  const end = image.length - 32;
  return Buffer.concat([image.subarray(0, end), createHash("sha256").update(image.subarray(0, end)).digest()]);
}

test("a damaged script does not run, not even with its SHA-256 made right again", async (t) => {
  const good = await puppetImage("0.2.0", 'say({ event: "state", ran: "AAAA" });');
  const at = Buffer.from(good).indexOf("AAAA");
  assert.ok(at > 0);
  const once = good.slice();
  once[at]! ^= 1;
  // Two changes that cancel out in the checksum: the bootloader accepts this one.
  const twice = good.slice();
  twice[at]! ^= 1;
  twice[at + 1]! ^= 1;
  for (const [image, told] of [
    [once, undefined],
    [rehash(once), undefined],
    [rehash(twice), /the script in ota_0 is not the one that its image describes/],
  ] as const) {
    const { board, eventLog, fill } = await puppetBoard(t, 'say({ event: "state", ran: "old" });');
    fill(0, image);
    const running = board.powerOn();
    if (told === undefined) {
      await running;
      assert.deepEqual(eventLog.names(), ["bricked"], "the bootloader starts nothing");
    } else {
      const reset = await eventLog.until("reset");
      assert.match(String(Object(reset).message), told);
      assert.ok(!eventLog.names().includes("state"));
    }
  }
});

test("factory firmware that fails at once makes no fast loop, and the power can be cut in a pause", async (t) => {
  // A clock that stands still: each pause ends when the test says so.
  const pauses: (() => void)[] = [];
  const cleared: number[] = [];
  const clock: Clock = {
    now: () => 0,
    set: (callback) => pauses.push(callback),
    clear: (handle) => void cleared.push(handle),
  };
  const { board, eventLog } = await puppetBoard(t, 'throw new Error("bad factory");', { clock });
  const running = board.powerOn();
  await eventLog.until("reset", 3);
  pauses[0]!();
  await eventLog.until("reset", 4);
  const waits = eventLog.events.filter(({ event }) => event === "reset").map((event) => Object(event).wait);
  assert.deepEqual(waits, [undefined, undefined, 500, 1000]);
  await board.powerOff();
  await running;
  assert.deepEqual([pauses.length, cleared], [2, [2]]);
  assert.equal(eventLog.names().filter((name) => name === "boot").length, 4);
});

test("the running slot can not be written: the flash port ends at the other slot's borders", async (t) => {
  const { board, eventLog } = await puppetBoard(
    t,
    'try { board.flash.erase(board.flash.size / 4096); } catch (error) { say({ event: "state", message: error.message }); }',
  );
  void board.powerOn();
  assert.match(String(Object(await eventLog.until("state")).message), /outside ota_1/);
});

test("what was erased and programmed is counted over restarts", async (t) => {
  const { board, eventLog } = await puppetBoard(
    t,
    'board.flash.erase(0); board.flash.write(0, new Uint8Array(4)); say({ event: "state" });',
  );
  for (const n of [1, 2]) {
    void board.powerOn();
    await eventLog.until("state", n);
    await board.powerOff();
  }
  const { address, size } = board.folder.table.slots[1];
  assert.deepEqual(board.folder.wear(address, size), { erases: 2, mostErases: 2, programs: 2 });
});
