/** What a job keeps in the store: what of it counts after a restart, and in which order it is changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import type { Checkpoint, JobEffect, Snapshot } from "../../src/job/effects";
import { JobMemory } from "../../src/job/memory";
import { encodeHead, encodeJob, encodeOffset, identityOf } from "../../src/job/record";
import type { JobRecord } from "../../src/job/record";

const HEAD = new Uint8Array(16).fill(0xe9);
const record: JobRecord = {
  platform: "tencent",
  slot: "ota_1",
  offer: { version: "1.0", size: 5 * SECTOR - 1, url: "http://a/1", digest: { algorithm: "MD5", hex: "0".repeat(32) } },
};
const IDENTITY = identityOf(record);
const ABSENT: Checkpoint = { offset: undefined, head: undefined };
const { digest: _digest, ...undigested } = record.offer;

const at = (sectors: number, of = record): Checkpoint => ({
  offset: encodeOffset(identityOf(of), sectors),
  head: encodeHead(identityOf(of), HEAD),
});
const snapshot = (job: JobRecord, checkpoint: Checkpoint, change: Partial<Snapshot> = {}): Snapshot => ({
  job: encodeJob(job),
  state: undefined,
  outcome: undefined,
  refused: undefined,
  ...checkpoint,
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
  const keys: Record<string, string> = { job: "job", off: "offset", head: "head", state: "state", out: "outcome" };
  const changed: Record<string, unknown> = { ...stored };
  for (const effect of effects) {
    if (effect.type === "put-number") changed[keys[effect.key]!] = effect.value;
    else if (effect.type === "put-bytes") changed[keys[effect.key]!] = effect.bytes;
    else if (effect.type === "delete") changed[keys[effect.key]!] = undefined;
  }
  return changed as unknown as Snapshot;
}

test("a checkpoint counts whole or not at all: an offset without its head, a head without its offset, and more than the file has are none", () => {
  const other = encodeHead(IDENTITY ^ 0x10000, HEAD);
  const cases: [Checkpoint, number][] = [
    [at(3), 3 * SECTOR],
    [at(5), 5 * SECTOR - 1],
    [at(6), 0],
    [at(0), 0],
    [{ ...at(3), head: undefined }, 0],
    [{ ...at(3), head: other }, 0],
    [{ ...at(3), offset: undefined }, 0],
    [{ ...at(3), offset: encodeOffset(IDENTITY ^ 1, 3) }, 0],
    [ABSENT, 0],
  ];
  for (const [index, [checkpoint, offset]] of cases.entries()) {
    for (const memory of [
      JobMemory.restore(snapshot(record, checkpoint))!,
      JobMemory.begin(record, checkpoint).memory,
    ]) {
      assert.equal(memory.offset, offset, `case ${index}`);
      assert.equal(memory.complete, offset === record.offer.size, `case ${index}`);
      assert.deepEqual(memory.head, offset > 0 ? HEAD : undefined, `case ${index}`);
      assert.deepEqual(memory.checkpoint, offset > 0 ? checkpoint : ABSENT, `case ${index}`);
    }
  }
});

test("of a file whose size is not known nothing is stored or complete", () => {
  const unknown: JobRecord = { ...record, offer: { ...record.offer, size: 0 } };
  const memory = JobMemory.restore(snapshot(unknown, at(3, unknown)))!;
  assert.deepEqual([memory.offset, memory.complete, memory.head], [0, false, undefined]);
});

test("a job begins with the end of what is left of another, and its own record comes last", () => {
  const left = ["delete job", "delete state", "delete out"];
  assert.deepEqual(words(JobMemory.begin(record, ABSENT).effects), [...left, "delete off", "delete head", "put job"]);
  assert.deepEqual(
    words(JobMemory.begin(record, at(2)).effects),
    [...left, "put job"],
    "a checkpoint of its own stays",
  );
  assert.deepEqual(
    words(JobMemory.begin({ ...record, offer: { ...record.offer, size: 0 } }, at(2)).effects),
    [...left, "put job"],
    "whose it is is not known yet",
  );
});

test("the size that the server tells decides whose checkpoint is left, and outlives a restart", () => {
  const unknown: JobRecord = { ...record, offer: { ...record.offer, size: 0 } };
  for (const [left, effects, offset] of [
    [at(2), ["put job"], 2 * SECTOR],
    [at(2, unknown), ["delete off", "delete head", "put job"], 0],
  ] as const) {
    const { memory, effects: begun } = JobMemory.begin(unknown, left);
    const learnt = memory.learn(record.offer.size, undefined, left);
    assert.deepEqual(words(learnt), effects);
    assert.deepEqual([memory.offset, memory.offer.size], [offset, record.offer.size]);
    const again = JobMemory.restore(after(after(snapshot(unknown, left), begun), learnt))!;
    assert.deepEqual([again.offset, again.offer.size], [offset, record.offer.size]);
    assert.deepEqual(memory.learn(record.offer.size, undefined, left), [], "told once more");
  }
});

test("a validator is kept where no digest guards a resume, costs the checkpoint nothing, and is written when it changes", () => {
  const bare: JobRecord = { ...record, offer: undigested };
  const left = at(2, bare);
  const { memory } = JobMemory.begin(bare, left);
  for (const effects of [memory.advance(2, undefined), memory.advance(3, undefined)]) assert.equal(effects.length, 1);
  const { size } = bare.offer;
  const told = memory.learn(size, '"one"', left);
  assert.deepEqual(words(told), ["put job"]);
  assert.deepEqual(memory.learn(size, '"one"', left), []);
  assert.deepEqual(words(memory.learn(size, '"two"', left)), ["put job"]);
  assert.deepEqual([memory.record.validator, memory.offset], ['"two"', 4 * SECTOR]);
  assert.deepEqual(words(memory.learn(size, undefined, left)), ["put job"]);
  assert.equal("validator" in memory.record, false);
  const fresh = JobMemory.begin(bare, ABSENT).memory;
  assert.deepEqual(
    words(fresh.learn(size, '"one"', at(1, bare))),
    ["put job"],
    "the size was known before: nothing is adopted or deleted",
  );
  assert.equal(fresh.offset, 0);
  const digested = JobMemory.begin(record, ABSENT).memory;
  assert.deepEqual(digested.learn(size, '"one"', ABSENT), []);
});

test("the head is stored before the first sector counts; a checkpoint that is dropped is gone in memory and in the store, the offset first", () => {
  const { memory } = JobMemory.begin(record, ABSENT);
  const bytes = new Uint8Array(SECTOR).fill(0xe9);
  assert.deepEqual(words(memory.advance(0, bytes)), ["put head", "put off 1"]);
  assert.deepEqual(words(memory.advance(1, undefined)), ["put off 2"]);
  assert.deepEqual(memory.checkpoint, at(2));
  bytes.fill(0);
  assert.deepEqual(memory.head, HEAD, "its own copy");
  assert.deepEqual(words(memory.dropCheckpoint()), ["delete off", "delete head"]);
  assert.deepEqual([memory.offset, memory.head, memory.checkpoint], [0, undefined, ABSENT]);
});

test("state and outcome of a job are found again, and not by the next job", () => {
  const { memory } = JobMemory.begin(record, at(5));
  let stored = snapshot(record, at(5));
  for (const effects of [
    memory.enter({ phase: "trial", activations: 2 }),
    memory.enter({ trials: 1 }),
    memory.conclude({ kind: "done" }),
  ])
    stored = after(stored, effects);
  const again = JobMemory.restore(stored)!;
  assert.deepEqual(again.state, { phase: "trial", activations: 2, trials: 1, refetched: false });
  assert.deepEqual(again.state, memory.state);
  assert.deepEqual([again.outcome, memory.outcome], [{ kind: "done" }, { kind: "done" }]);
  const next = JobMemory.restore({
    ...stored,
    job: encodeJob({ ...record, offer: { ...record.offer, version: "1.1" } }),
  })!;
  assert.deepEqual([next.state.phase, next.outcome, next.offset], ["downloading", undefined, 0]);
});

test("a job that is over goes record first, and keeps its checkpoint only where it is told to", () => {
  const { memory } = JobMemory.begin(record, at(2));
  assert.deepEqual(words(memory.forget(true)), ["delete job", "delete state", "delete out"]);
  assert.deepEqual(words(memory.forget(false)), [
    "delete job",
    "delete state",
    "delete out",
    "delete off",
    "delete head",
  ]);
});
