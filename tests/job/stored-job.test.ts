/** What a job keeps in the store: what of it counts after a restart, and in which order it is changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import type { JobEffect } from "../../src/job/effects";
import { RECORDS } from "../../src/job/records";
import type { Checkpoint, Snapshot } from "../../src/job/records";
import { encodeStaged } from "../../src/job/staged-codec";
import { StoredJob } from "../../src/job/stored-job";
import { FIRMWARE } from "../../src/job/target";
import { encodeHeader, encodeJob, encodeOffset, encodePhase, identityOf } from "../../src/job/job-codecs";
import type { JobRecord } from "../../src/job/job-codecs";

const HEAD = new Uint8Array(16).fill(0xe9);
const SECTOR_BYTES = new Uint8Array(SECTOR);
const record: JobRecord = {
  platform: "tencent",
  slot: "ota_1",
  offer: { version: "1.0", size: 5 * SECTOR - 1, url: "http://a/1", digest: { algorithm: "MD5", hex: "0".repeat(32) } },
};
const IDENTITY = identityOf(record);
const ABSENT: Checkpoint = { offset: undefined, header: undefined };
const { digest: _digest, ...undigested } = record.offer;

const at = (sectors: number, of = record): Checkpoint => ({
  offset: encodeOffset(identityOf(of), sectors),
  header: encodeHeader(identityOf(of), HEAD),
  erased: encodeOffset(identityOf(of), sectors),
  staged: undefined,
});
const snapshot = (job: JobRecord, checkpoint: Checkpoint, change: Partial<Snapshot> = {}): Snapshot => ({
  job: encodeJob(job),
  firmwareOffset: checkpoint.offset,
  firmwareHeader: checkpoint.header,
  firmwareErased: checkpoint.erased,
  ...change,
});

/** "delete off", "put off 2" (sectors), "put job". */
const words = (effects: readonly JobEffect[]): string[] =>
  effects.map((effect) => {
    if (effect.type === "put-number") return `put ${effect.key} ${effect.value & 0xffff}`;
    if (effect.type === "put-bytes" || effect.type === "delete")
      return `${effect.type === "delete" ? "delete" : "put"} ${effect.key}`;
    return effect.type;
  });

/** A store with the effects carried out. */
function after(stored: Snapshot, effects: readonly JobEffect[]): Snapshot {
  const names = new Map<string, string>(Object.entries(RECORDS).map(([name, { key }]) => [key, name]));
  const changed: Record<string, unknown> = { ...stored };
  for (const effect of effects) {
    if (effect.type === "put-number") changed[names.get(effect.key)!] = effect.value;
    else if (effect.type === "put-bytes") changed[names.get(effect.key)!] = effect.bytes;
    else if (effect.type === "delete") changed[names.get(effect.key)!] = undefined;
  }
  return changed as unknown as Snapshot;
}

test("a checkpoint counts whole or not at all: an offset without its head, a head without its offset, and more than the file has are none", () => {
  const other = encodeHeader(IDENTITY ^ 0x10000, HEAD);
  const cases: [Checkpoint, number][] = [
    [at(3), 3 * SECTOR],
    [at(5), 5 * SECTOR - 1],
    [at(6), 0],
    [at(0), 0],
    [{ ...at(3), header: undefined }, 0],
    [{ ...at(3), header: other }, 0],
    [{ ...at(3), offset: undefined }, 0],
    [{ ...at(3), offset: encodeOffset(IDENTITY ^ 1, 3) }, 0],
    [ABSENT, 0],
  ];
  for (const [index, [checkpoint, offset]] of cases.entries()) {
    for (const memory of [StoredJob.restore(snapshot(record, checkpoint))!, StoredJob.begin(record, checkpoint).job]) {
      assert.equal(memory.offset, offset, `case ${index}`);
      assert.equal(memory.complete, offset === record.offer.size, `case ${index}`);
      assert.deepEqual(memory.header, offset > 0 ? HEAD : undefined, `case ${index}`);
      assert.deepEqual(memory.checkpoint, offset > 0 ? checkpoint : ABSENT, `case ${index}`);
    }
  }
});

test("of a file whose size is not known nothing is stored or complete", () => {
  const unknown: JobRecord = { ...record, offer: { ...record.offer, size: 0 } };
  const memory = StoredJob.restore(snapshot(unknown, at(3, unknown)))!;
  assert.deepEqual([memory.offset, memory.complete, memory.header], [0, false, undefined]);
});

test("a job begins with the end of what is left of another, and its own record comes last", () => {
  const left = ["delete job", "delete state", "delete out"];
  assert.deepEqual(words(StoredJob.begin(record, ABSENT).effects), [
    ...left,
    "delete erased",
    "delete off",
    "delete head",
    "put job",
  ]);
  assert.deepEqual(
    words(StoredJob.begin(record, at(2)).effects),
    [...left, "put job"],
    "a checkpoint of its own stays",
  );
  assert.deepEqual(
    words(StoredJob.begin({ ...record, offer: { ...record.offer, size: 0 } }, at(2)).effects),
    [...left, "put job"],
    "whose it is is not known yet",
  );
});

test("staged sectors that an image was made over count in no job after it, wherever the power is cut", () => {
  const staged = encodeStaged(IDENTITY, {
    from: 0,
    length: 2 * SECTOR,
    at: 8 * SECTOR,
    part: { offset: 400, length: 7_000, sha256: new Uint8Array(32) },
    base: { id: new Uint8Array(32), length: 0 },
    file: { length: 5 * SECTOR, sha256: new Uint8Array(32), md5: new Uint8Array(16) },
    image: new Uint8Array(32),
  });
  const counted = (expanding: boolean, keep: boolean): number[] => {
    const phase = encodePhase(IDENTITY, {
      phase: "downloading",
      activations: 0,
      trials: 0,
      refetched: false,
      expanding,
    });
    const stored = snapshot(record, ABSENT, { staged, stagedOffset: encodeOffset(IDENTITY, 1), phase });
    const effects = StoredJob.restore(stored)!.forget(keep);
    return effects.flatMap((_, index) => {
      const left = after(stored, effects.slice(0, index + 1));
      return left.job === undefined ? [StoredJob.begin(record, FIRMWARE.checkpointIn(left)).job.offset] : [];
    });
  };
  assert.ok([...counted(true, false), ...counted(true, true)].every((offset) => offset === 0));
  assert.ok(
    counted(false, true).every((offset) => offset === SECTOR),
    "before that they do",
  );
});

test("the size that the server tells decides whose checkpoint is left, and outlives a restart", () => {
  const unknown: JobRecord = { ...record, offer: { ...record.offer, size: 0 } };
  for (const [left, effects, offset] of [
    [at(2), ["put job"], 2 * SECTOR],
    [at(2, unknown), ["delete erased", "delete off", "delete head", "put job"], 0],
  ] as const) {
    const { job: memory, effects: begun } = StoredJob.begin(unknown, left);
    const learnt = memory.learn(record.offer.size, undefined, left);
    assert.deepEqual(words(learnt), effects);
    assert.deepEqual([memory.offset, memory.offer.size], [offset, record.offer.size]);
    const again = StoredJob.restore(after(after(snapshot(unknown, left), begun), learnt))!;
    assert.deepEqual([again.offset, again.offer.size], [offset, record.offer.size]);
    assert.deepEqual(memory.learn(record.offer.size, undefined, left), [], "told once more");
  }
});

test("a validator is kept where no digest guards a resume, costs the checkpoint nothing, and is written when it changes", () => {
  const bare: JobRecord = { ...record, offer: undigested };
  const left = at(2, bare);
  const { job: memory } = StoredJob.begin(bare, left);
  for (const effects of [memory.advance(SECTOR_BYTES), memory.advance(SECTOR_BYTES)]) assert.equal(effects.length, 1);
  const { size } = bare.offer;
  const told = memory.learn(size, '"one"', left);
  assert.deepEqual(words(told), ["put job"]);
  assert.deepEqual(memory.learn(size, '"one"', left), []);
  assert.deepEqual(words(memory.learn(size, '"two"', left)), ["put job"]);
  assert.deepEqual([memory.record.validator, memory.offset], ['"two"', 4 * SECTOR]);
  assert.deepEqual(words(memory.learn(size, undefined, left)), ["put job"]);
  assert.equal("validator" in memory.record, false);
  const fresh = StoredJob.begin(bare, ABSENT).job;
  assert.deepEqual(
    words(fresh.learn(size, '"one"', at(1, bare))),
    ["put job"],
    "the size was known before: nothing is adopted or deleted",
  );
  assert.equal(fresh.offset, 0);
  const digested = StoredJob.begin(record, ABSENT).job;
  assert.deepEqual(digested.learn(size, '"one"', ABSENT), []);
});

test("the head is stored before the first sector counts; a checkpoint that is dropped is gone in memory and in the store, its head last", () => {
  const { job: memory } = StoredJob.begin(record, ABSENT);
  const bytes = new Uint8Array(SECTOR).fill(0xe9);
  assert.deepEqual(words(memory.advance(bytes)), ["put head", "put off 1"]);
  assert.deepEqual(words(memory.advance(bytes)), ["put off 2"]);
  assert.deepEqual(memory.checkpoint, { ...at(2), erased: encodeOffset(IDENTITY, 0) });
  bytes.fill(0);
  assert.deepEqual(memory.header, HEAD, "its own copy");
  assert.deepEqual(words(memory.dropCheckpoint()), ["delete erased", "delete off", "delete head"]);
  assert.deepEqual([memory.offset, memory.header, memory.checkpoint], [0, undefined, ABSENT]);
});

test("what is erased beyond the checkpoint is found again, but for the sector whose program a cut may have stopped", () => {
  const { job: memory } = StoredJob.begin(record, at(2));
  assert.deepEqual([memory.erasedTo, memory.torn], [2, 2]);
  const stored = after(snapshot(record, at(2)), memory.erased(4));
  const again = StoredJob.restore(stored)!;
  assert.deepEqual([again.erasedTo, again.torn], [4, 2]);
  assert.deepEqual(words(again.rewind(SECTOR)), ["put erased 0", "put off 1"], "what was written is erased no more");
  assert.equal(again.erasedTo, 0);
  const none = StoredJob.restore({ ...stored, firmwareErased: encodeOffset(IDENTITY ^ 1, 4) })!;
  assert.equal(none.erasedTo, 2, "of another file");
});

test("state and outcome of a job are found again, and not by the next job", () => {
  const { job: memory } = StoredJob.begin(record, at(5));
  let stored = snapshot(record, at(5));
  for (const effect of [
    memory.enter({ phase: "trial", activations: 2 }),
    memory.enter({ trials: 1 }),
    memory.conclude({ kind: "done" }),
  ])
    stored = after(stored, [effect]);
  const again = StoredJob.restore(stored)!;
  assert.deepEqual(again.phase, { phase: "trial", activations: 2, trials: 1, refetched: false });
  assert.deepEqual(again.phase, memory.phase);
  assert.deepEqual([again.outcome, memory.outcome], [{ kind: "done" }, { kind: "done" }]);
  const next = StoredJob.restore({
    ...stored,
    job: encodeJob({ ...record, offer: { ...record.offer, version: "1.1" } }),
  })!;
  assert.deepEqual([next.phase.phase, next.outcome, next.offset], ["downloading", undefined, 0]);
});

test("a job that is over goes record first, and keeps its checkpoint only where it is told to", () => {
  const { job: memory } = StoredJob.begin(record, at(2));
  assert.deepEqual(words(memory.forget(true)), ["delete job", "delete state", "delete out"]);
  assert.deepEqual(words(memory.forget(false)), [
    "delete job",
    "delete state",
    "delete out",
    "delete erased",
    "delete off",
    "delete head",
  ]);
});
