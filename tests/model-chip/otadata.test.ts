import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import type { OtaEntries, OtaEntry } from "../../hal/model-chip/otadata";
import {
  OtaData,
  State,
  activeEntry,
  lastInvalidEntry,
  names,
  seqCrc,
  slotOf,
  stateName,
} from "../../hal/model-chip/otadata";

const entry = (seq: number, state: number, crc = seqCrc(seq)): OtaEntry => ({
  seq,
  label: Array.from({ length: 20 }, () => 0xff),
  state,
  crc,
});
const BLANK = entry(0xffffffff, 0xffffffff, 0xffffffff);

test("the CRC of a number is the one in every ESP32's flash", () => {
  // otadata of ota_0 and ota_1 as esptool and otatool.py write and show it: 0x4743989a, 0x55f63774.
  assert.equal(seqCrc(1), 0x4743989a);
  assert.equal(seqCrc(2), 0x55f63774);
});

test("an entry in flash: number, label, state, CRC; one sector each, erased before it is written", () => {
  const chip = FlashChip.inMemory(0x10000);
  const otadata = new OtaData(chip, 0x2000);
  assert.deepEqual(otadata.read(), [BLANK, BLANK]);
  otadata.write(1, 2, State.new);
  const bytes = Buffer.alloc(32);
  chip.read(0x3000, bytes);
  assert.equal(bytes.toString("hex"), `02000000${"ff".repeat(20)}000000007437f655`);
  assert.deepEqual(otadata.read(), [BLANK, entry(2, State.new)]);
  otadata.write(1, 4, State.valid);
  assert.deepEqual(otadata.read()[1], entry(4, State.valid));
  assert.deepEqual([chip.counts(0x2000, 0x1000).erases, chip.counts(0x3000, 0x1000).erases], [0, 2]);
  otadata.erase(1);
  assert.deepEqual(otadata.read()[1], BLANK);
});

test("numbers name slots in turn", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 0x7fffffff].map((seq) => slotOf(entry(seq, State.valid))),
    [0, 1, 0, 1, 0],
  );
});

test("states have ESP-IDF's names", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 0xffffffff, 77].map(stateName), [
    "new",
    "pending",
    "valid",
    "invalid",
    "aborted",
    "undefined",
    "undefined",
  ]);
});

test("the highest number decides, unless it is blank, broken, invalid or aborted", () => {
  const { valid, invalid, aborted, pending } = State;
  const rows: [OtaEntry, OtaEntry, 0 | 1 | undefined][] = [
    [BLANK, BLANK, undefined],
    [entry(1, valid), BLANK, 0],
    [entry(1, valid), entry(2, valid), 1],
    [entry(3, valid), entry(2, valid), 0],
    [entry(2, valid), entry(2, valid), 0],
    [entry(1, valid), entry(2, State.new), 1],
    [entry(1, valid), entry(2, pending), 1],
    [entry(1, valid), entry(2, State.undefined), 1],
    [entry(1, valid), entry(2, aborted), 0],
    [entry(1, valid), entry(2, invalid), 0],
    [entry(1, valid), entry(2, valid, 0x12345678), 0],
    [entry(1, aborted), entry(2, invalid), undefined],
  ];
  for (const [first, second, wanted] of rows)
    assert.equal(activeEntry([first, second]), wanted, JSON.stringify([first, second]));
});

test("of two rejected images the one with the lower number is the last invalid", () => {
  const { valid, invalid, aborted } = State;
  assert.equal(lastInvalidEntry([entry(1, valid), entry(2, valid)]), undefined);
  assert.equal(lastInvalidEntry([entry(1, valid), entry(2, aborted)]), 1);
  assert.equal(lastInvalidEntry([entry(3, invalid), entry(2, valid)]), 0);
  assert.equal(lastInvalidEntry([entry(3, invalid), entry(2, aborted)]), 1);
  assert.equal(lastInvalidEntry([entry(1, valid), entry(2, aborted, 5)]), undefined);
});

test("with any bytes in the entries, the chosen entry is whole", () => {
  const word = fc.oneof(fc.nat(5), fc.constant(0xffffffff), fc.nat(0xffffffff));
  const any = fc.record({ seq: word, state: word, crc: word });
  const whole = fc.record({ seq: word, state: word }).map(({ seq, state }) => entry(seq, state));
  fc.assert(
    fc.property(fc.tuple(fc.oneof(any, whole), fc.oneof(any, whole)), (entries: OtaEntries) => {
      const active = activeEntry(entries);
      if (active !== undefined) assert.ok(names(entries[active]) && entries[active].state !== State.aborted);
      const invalid = lastInvalidEntry(entries);
      assert.ok(invalid === undefined || invalid !== active);
    }),
  );
});
