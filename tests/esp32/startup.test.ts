/**
 * hal/esp32/startup.c against hal/model-chip/start-up.ts: from the same boot entries both find, mark and give up the
 * same.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryCells } from "../../hal/model-chip/flash-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { OtaData, State, seqCrc } from "../../hal/model-chip/otadata";
import type { OtaEntry } from "../../hal/model-chip/otadata";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { Slots, VerifyCache } from "../../hal/model-chip/slots";
import { startFirmware } from "../../hal/model-chip/start-up";
import type { ResetReason } from "../../src/ports";
import { firmware } from "../board/firmware";
import { Random } from "../powercut/simulation/random";
import { Workshop, compiler } from "./native-chip";

const TABLE = PartitionTable.fromCsv(
  `nvs, data, nvs, 0x9000, 0x4000
   otadata, data, ota, 0xd000, 0x2000
   ota_0, app, ota_0, 0x10000, 0x10000
   ota_1, app, ota_1, 0x20000, 0x10000`,
  0x30000,
);
/** esp_reset_reason_t of each. */
const REASONS: readonly (readonly [ResetReason, number])[] = [
  ["power-on", 1],
  ["software", 3],
  ["panic", 4],
  ["watchdog", 6],
  ["deep-sleep", 8],
  ["brown-out", 9],
];
const CASES = Number(process.env["XS_OTA_CASES"] ?? 500);

interface Case {
  readonly running: 0 | 1;
  readonly reason: number;
  readonly entries: readonly [OtaEntry, OtaEntry];
}

/** Bytes of a board with an image in both slots. */
function flash(): MemoryCells {
  const cells = new MemoryCells(TABLE.end);
  const chip = new FlashChip(cells);
  flashFactory(chip, TABLE, firmware("1.0.0"));
  chip.program(TABLE.slots[1].address, firmware("2.0.0"));
  return cells;
}

function generated(seed: number): Case {
  const random = new Random(seed);
  const pick = <T>(values: readonly T[]): T => random.pick(values);
  const entry = (): OtaEntry => {
    const seq = pick([1, 2, 3, 4, 0xffffffff]);
    const byte = (): number => pick([0xff, 0xff, 0, 0xf0]);
    if (random.below(5) === 0) return { seq: 0xffffffff, state: 0xffffffff, crc: 0xffffffff };
    const label = Array.from({ length: 20 }, (_, index) => (index < 7 ? byte() : 0xff));
    const state = pick([...Object.values(State), State.new, State.pending, 77]);
    return { seq, label, state, crc: random.below(10) === 0 ? 7 : seqCrc(seq) };
  };
  return { running: pick([0, 1]), reason: random.below(REASONS.length), entries: [entry(), entry()] };
}

function bytesOf(chip: FlashChip): Buffer {
  const bytes = Buffer.alloc(64);
  chip.read(TABLE.otadata.address, bytes.subarray(0, 32));
  chip.read(TABLE.otadata.address + 0x1000, bytes.subarray(32));
  return bytes;
}

/** What the model makes of a case, as startup_host.c prints it. */
function lineOf(chip: FlashChip, { running, reason }: Case, slots: Slots): string {
  const parts = { chip, table: TABLE, slots, rtc: {}, rtcTime: () => 0 };
  const { startUp, givenUp } = startFirmware(parts, running, REASONS[reason]![0]);
  const { bootloaderRollsBack: rollsBack, guarded, starts, wakes } = startUp;
  return [
    rollsBack === undefined ? 0 : rollsBack ? 2 : 1,
    Number(guarded),
    Number(starts + wakes > 0),
    starts,
    wakes,
    Number(givenUp),
    bytesOf(chip).toString("hex"),
  ].join(" ");
}

const cc = compiler();

if (cc === undefined) test("start-up", { skip: "no C compiler on this machine" }, () => {});
else
  test(`the start-up in C and the model's do the same with ${CASES} pairs of boot entries`, (t) => {
    const workshop = new Workshop(cc);
    const folder = mkdtempSync(join(tmpdir(), "xs-ota-startup-"));
    t.after(() => {
      workshop.close();
      rmSync(folder, { recursive: true });
    });
    const board = flash();
    const image = join(folder, "flash.bin");
    const whole = new Uint8Array(TABLE.end);
    board.read(0, whole);
    writeFileSync(image, whole);
    const cases = Array.from({ length: CASES }, (_, seed) => generated(seed));
    const cache = new VerifyCache();
    const lines: string[] = [];
    const input = cases.map((which) => {
      const chip = new FlashChip(board.fork());
      const otadata = new OtaData(chip, TABLE.otadata.address);
      which.entries.forEach((entry, index) => otadata.rewrite(index as 0 | 1, entry));
      const given = Buffer.concat([Buffer.of(which.running, REASONS[which.reason]![1]), bytesOf(chip)]);
      lines.push(lineOf(chip, which, new Slots(chip, TABLE, 0, { cache })));
      return given;
    });
    const output = execFileSync(workshop.startUpHost(), [image, join(folder, "nvs")], { input: Buffer.concat(input) });
    assert.deepEqual(output.toString().trim().split("\n"), lines);
    const count = (place: number, value: string): number =>
      lines.filter((line) => line.split(" ")[place] === value).length;
    for (const [what, found] of [
      ["on trial", count(2, "1")],
      ["given up", count(5, "1")],
      ["known to roll back", count(0, "2")],
      ["known not to", count(0, "1")],
    ] as const)
      assert.ok(found > CASES / 100, `${found} are ${what}`);
  });
