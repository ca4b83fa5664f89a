import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { restore } from "../../host-sim/replay/restore";
import { FIELDS } from "../../src/recorder/fields";
import { Tag } from "../../src/recorder/format";
import { Recorder } from "../../src/recorder/recorder";
import { RecordingWriter } from "../../src/recorder/recording-writer";
import { RedactedUrls } from "../../src/recorder/redacted-urls";
import { SnapshotWriter } from "../../src/recorder/snapshot";
import { assemble } from "../../src/recorder/assemble";
import { UpdateJob } from "../../src/job/machine";
import type { BootFacts, JobOptions } from "../../src/job/effects";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { containerOf } from "../kit/containers";
import { JobFixture, RULES, image, offerOf } from "../job/job-fixture";

/**
 * Fields that no snapshot holds: what the boot facts say, what never changes, what follows from others, and bytes of a
 * file.
 */
const LEFT_OUT = [
  ["options", "facts", "platform", "pushesOnce", "key", "encode"],
  ["ofOffer", "tail", "first", "last", "container", "bytes", "repeats"],
].flat();

/** Names of the fields of a job and of all that it refers to. */
const namesIn = (value: unknown, found: Set<string>): Set<string> => {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return found;
  for (const [name, each] of Object.entries(value)) {
    if (!Array.isArray(value)) found.add(name);
    if (!LEFT_OUT.includes(name) && name !== "digests") namesIn(each, found);
  }
  return found;
};

const next = image("0.2.0", 60_000);
const offer = offerOf(next, "0.2.0");

/** Calls back with the job after each event of updates that succeed, fail and are made of a container. */
function followed(after: (job: UpdateJob) => void): void {
  const container = containerOf(next, [image("0.1.0")]).bytes;
  const deltaDigest = { algorithm: "SHA256", hex: "ab".repeat(32) } as const;
  const delta = { url: "https://files.example/a.xsu", size: container.length, digest: deltaDigest };
  const lives: ((fixture: JobFixture) => void)[] = [
    (fixture) => fixture.update(next, offer),
    (fixture) => {
      fixture.connect();
      fixture.push({ ...offer, id: "7", delta });
      fixture.dispatch({ type: "total", size: container.length, validator: undefined });
      fixture.deliver(next, 8192);
      fixture.push(offerOf(next, "0.0.1", { digest: deltaDigest }));
      fixture.dispatch({ type: "download-failed", cause: "not-found", message: "HTTP 404" });
    },
    (fixture) => {
      fixture.connect();
      fixture.push(offerOf(container, "0.2.0"));
      fixture.deliver(container, 8192);
      fixture.powerOn();
      fixture.connect();
      fixture.wait();
      fixture.deliver(container);
    },
  ];
  for (const live of lives) {
    const fixture = new JobFixture({ answers: { restart: false } });
    fixture.onHandled = () => after(fixture.job);
    live(fixture);
  }
}

/** The snapshot of a job, written and read again. */
function roundTrip(job: UpdateJob): unknown {
  const writer = new RecordingWriter(4_000);
  writer.value(["0.1.0", "000000", 0]);
  writer.byte(Tag.snapshot);
  writer.number(0);
  writer.number(0);
  new SnapshotWriter(writer, new RedactedUrls()).value(job.inside);
  const { run } = readRecording(assemble(writer.written, new Uint8Array(0), []));
  const [entry] = run.entries;
  assert.ok(entry?.kind === "snapshot");
  return entry.job;
}

test("each field of the job has its place in a snapshot, or is left out with a reason", () => {
  const names = new Set<string>();
  followed((job) => namesIn(job.inside, names));
  assert.deepEqual(
    [...names].filter((name) => !FIELDS.includes(name) && !LEFT_OUT.includes(name)),
    [],
  );
  assert.ok(names.size > 60, `${names.size} names`);
});

test("a job that is restored from its snapshot has the same snapshot", () => {
  let compared = 0;
  followed((job) => {
    if (job.inside === undefined) return;
    const { options, facts } = job["context"] as { readonly options: JobOptions; readonly facts: BootFacts };
    const other = new UpdateJob(options, facts);
    const snapshot = roundTrip(job);
    restore(other, roundTrip(job));
    assert.deepEqual(roundTrip(other), snapshot);
    assert.equal(other.name, job.name);
    compared++;
  });
  assert.ok(compared > 50, `${compared} snapshots`);
});

test("a snapshot names no URL and no part of one", () => {
  followed((job) => {
    if (job.inside === undefined) return;
    const text = JSON.stringify(roundTrip(job));
    for (const part of ["files", "fw.bin", "sign=1", "a.xsu"]) assert.ok(!text.includes(part), text);
  });
});

test("a snapshot that is none is one clear line", () => {
  const job = new UpdateJob(
    { platform: { name: "tencent", rules: RULES }, policy: DEFAULT_POLICY, digest: () => assert.fail() },
    { stored: {}, running: { version: "0.1.0" } } as unknown as BootFacts,
  );
  for (const wrong of [undefined, 7, {}, { state: {} }])
    assert.throws(() => restore(job, wrong), /^Error: the snapshot of the job is none$/);
  assert.equal(new Recorder(0).reference, "000000");
});
