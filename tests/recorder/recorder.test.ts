import assert from "node:assert/strict";
import { test } from "node:test";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { readRecording } from "../../host-sim/replay/read-recording";
import type { Entry } from "../../host-sim/replay/read-recording";
import { factsOf, replay } from "../../host-sim/replay/replay";
import { KEPT_MAX } from "../../src/constants";
import { EVENTS, KEPT_KEYS, RECORDING_MAX } from "../../src/recorder/format";
import { Recorder } from "../../src/recorder/recorder";
import { DEFAULTS, TABLE } from "../../src/job/machine";
import { containerOf } from "../kit/containers";
import { JobFixture, image, offerOf } from "../job/job-fixture";

const next = image("0.2.0", 200_000);
const offer = offerOf(next, "0.2.0");

/** A device whose starts are recorded; the latest recorder last. */
function recorded(options: ConstructorParameters<typeof JobFixture>[0] = {}): {
  fixture: JobFixture;
  recorders: Recorder[];
} {
  const recorders: Recorder[] = [];
  const recorder = (): Recorder => {
    recorders.push(new Recorder(0.5 + recorders.length / 100));
    return recorders.at(-1)!;
  };
  return { fixture: new JobFixture({ ...options, recorder }), recorders };
}

const typesOf = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => (entry.kind === "event" ? entry.type : entry.kind));

/** Those that came, alone or counted. */
const sectorsIn = (entries: readonly Entry[]): number =>
  typesOf(entries).filter((type) => type === "sector").length +
  entries.reduce((sum, entry) => sum + (entry.kind === "sectors" ? entry.count : 0), 0);

/** Recordings of boots before, in the store. */
const keptKeys = ({ board }: JobFixture): readonly string[] =>
  KEPT_KEYS.filter((key) => board.ports.store.getBytes(key) !== undefined);

/** Whether the power went meanwhile. */
const cutIn = (action: () => void): boolean => {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    throw error;
  }
};

/** Entries of each value that is programmed into NVS from now on. */
const nvsEntries = ({ board: { chip, table } }: JobFixture): number[] => {
  const entries: number[] = [];
  const { address: begin, size } = table.nvs;
  chip.onOperation = ({ kind, address, length }) => {
    if (kind === "program" && address >= begin && address < begin + size) entries.push(Math.ceil(length / 32));
    return undefined;
  };
  return entries;
};

test("every event of the job has its place in a recording", () => {
  const handled = new Set<string>([DEFAULTS, ...Object.values(TABLE)].flatMap((row) => Object.keys(row)));
  handled.delete("timeout");
  const known = new Set<string>(EVENTS.map(([type]) => type));
  assert.deepEqual(
    [...handled].filter((type) => !known.has(type)),
    [],
  );
});

test("a good update is told event by event, and replays", () => {
  const { fixture, recorders } = recorded();
  fixture.update(next, offer);
  assert.deepEqual(fixture.outcomes, ["done"]);
  assert.equal(recorders.length, 2);
  for (const recorder of recorders) assert.equal(replay(readRecording(recorder.bytes()).run).doubt, undefined);
  const types = typesOf(readRecording(recorders[0]!.bytes()).run.entries);
  assert.deepEqual(types.slice(0, 4), ["boot", "link", "acked", "offer"]);
  assert.equal(sectorsIn(readRecording(recorders[0]!.bytes()).run.entries), Math.ceil(200_000 / 4096));
});

test("a sector costs three bytes at most", () => {
  const { fixture, recorders } = recorded();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 10 * 4096);
  const before = recorders[0]!.bytes().length;
  for (let sector = 10; sector < 40; sector++) {
    fixture.now += 50 + 10 * sector;
    const offset = sector * 4096;
    fixture.dispatch({ type: "sector", offset, bytes: next.slice(offset, offset + 4096) });
  }
  const bytes = (recorders[0]!.bytes().length - before) / 30;
  assert.ok(bytes <= 3, `${bytes} bytes`);
});

test("a clean update of 1 MiB is recorded in 400 bytes, one with 200 breaks in less than 4 KiB", (context) => {
  const [clean, broken] = [0, 200].map((breaks) => {
    const { fixture, recorders } = recorded();
    const file = image("0.2.0", 1 << 20);
    fixture.connect();
    fixture.push(offerOf(file, "0.2.0"));
    for (let sector = 0; sector < 256; sector++) {
      fixture.now += 62;
      if (Math.floor((sector * breaks) / 256) !== Math.floor(((sector + 1) * breaks) / 256)) {
        const wait = 1_000 + ((sector * 7_919) % 4_000);
        recorders[0]!.note(["connection closed by the server", "connection reset"][sector % 2]!, wait, fixture.now);
        fixture.now += wait;
      }
      const offset = sector * 4096;
      fixture.dispatch({ type: "sector", offset, bytes: file.slice(offset, offset + 4096) });
    }
    fixture.dispatch({ type: "finished" });
    const bytes = recorders[0]!.bytes();
    assert.equal(replay(readRecording(bytes).run).doubt, undefined);
    return bytes.length;
  });
  context.diagnostic(`${clean} bytes, with 200 breaks ${broken} bytes`);
  assert.ok(clean! <= 400 && broken! > clean! && broken! < RECORDING_MAX);
});

test("a sector whose readback differs is told as such", () => {
  const { fixture, recorders } = recorded();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * 4096);
  const { slots } = fixture.board.table;
  let hit = 0;
  fixture.board.chip.onOperation = (operation) =>
    operation.kind === "program" && operation.address === slots[1].address + 2 * 4096 && hit++ === 0
      ? "done"
      : undefined;
  fixture.deliver(next, 4 * 4096);
  fixture.board.chip.onOperation = undefined;
  const { run } = readRecording(recorders[0]!.bytes());
  assert.equal(hit > 1, true);
  assert.ok(
    run.entries.some((entry) => entry.kind === "event" && entry.type === "compared" && entry.fields[0] === false),
  );
  assert.equal(replay(run).doubt, undefined);
});

test("what does not fit drops the oldest entries, the recording says so, and replays from a snapshot on", () => {
  const { fixture, recorders } = recorded();
  for (let times = 0; times < 3_000; times++) {
    fixture.now += 100_000 + times;
    fixture.dispatch({ type: "network", missing: "no address" });
  }
  const bytes = recorders[0]!.bytes();
  assert.ok(bytes.length <= RECORDING_MAX, `${bytes.length} bytes`);
  const { run } = readRecording(bytes);
  const gap = run.entries[0];
  assert.ok(gap?.kind === "gap");
  const events = run.entries.filter(({ kind }) => kind === "event").length;
  assert.equal(gap.dropped + events, 3_001);
  assert.equal(run.truncated, false);
  assert.equal(run.entries[1]?.kind, "snapshot");
  const { doubt, steps } = replay(run);
  assert.equal(doubt, undefined);
  assert.equal(steps.length, events);
});

test("no URL, only which one it was and whether it is plain", () => {
  const secret = "https://user:hunter2@files.example/very/secret.bin?token=s3cr3t";
  const { fixture, recorders } = recorded();
  fixture.connect();
  fixture.push({ ...offer, url: secret });
  fixture.deliver(next, 8192);
  fixture.powerOn();
  fixture.connect();
  fixture.push({ ...offer, url: `${secret}&fresh=1` });
  const [first, second] = recorders.map((recorder) => recorder.bytes());
  for (const bytes of [first!, second!]) {
    const text = Buffer.from(bytes).toString("latin1");
    for (const part of ["hunter2", "secret", "s3cr3t", "fresh", "files.example"]) assert.ok(!text.includes(part), part);
    assert.equal(replay(readRecording(bytes).run).doubt, undefined);
  }
  assert.ok(Buffer.from(second!).toString("latin1").includes("https://file-0/"), "of the job in the store");
  const { entries } = readRecording(second!).run;
  const offered = entries.find((entry) => entry.kind === "event" && entry.type === "offer");
  assert.ok(offered?.kind === "event");
  assert.equal((offered.fields[0] as { url: string }).url, "https://file-1/");
});

test("an offer with a container beside the image: no URL of either, and the image in its place replays", () => {
  const container = containerOf(next, [image("0.0.9", 100_000)], { whole: false }).bytes;
  const digest = { algorithm: "SHA256", hex: "ab".repeat(32) } as const;
  const delta = { url: "https://files.example/secret.xsu?token=s3cr3t", size: container.length, digest };
  const { fixture, recorders } = recorded();
  fixture.connect();
  fixture.push({ ...offer, delta });
  fixture.dispatch({ type: "total", size: container.length, validator: undefined });
  fixture.dispatch({ type: "sector", offset: 0, bytes: container.slice(0, 4096) });
  fixture.deliver(next);
  const bytes = recorders[0]!.bytes();
  for (const part of ["secret", "s3cr3t", "files.example"])
    assert.ok(!Buffer.from(bytes).toString("latin1").includes(part), part);
  const { run } = readRecording(bytes);
  assert.equal(replay(run).doubt, undefined);
  assert.equal(sectorsIn(run.entries), 1 + Math.ceil(200_000 / 4096));
});

test("what a trial leaves to the firmware that follows fits its room, and can be read", () => {
  const { fixture, recorders } = recorded();
  for (let times = 0; times < 400; times++) {
    fixture.now += 100_000;
    fixture.dispatch({ type: "network", missing: `no address ${times % 20}` });
  }
  const kept = recorders[0]!.kept();
  assert.ok(kept.length <= KEPT_MAX, `${kept.length} bytes`);
  const { earlier } = readRecording(recorders[0]!.bytes(undefined, [kept]));
  assert.equal(earlier?.truncated, false);
  const [gap, ...latest] = earlier.entries;
  assert.ok(gap?.kind === "gap");
  assert.ok(latest.length > 10);
  assert.equal(gap.dropped + latest.length, 401);
  assert.deepEqual(
    latest.map((entry) => (entry.kind === "event" ? entry.fields[0] : "")),
    latest.map((_, index) => `no address ${(400 - latest.length + index) % 20}`),
  );
});

test("the recordings of the download and of the trial come with the failure that the old firmware reports", () => {
  const { fixture, recorders } = recorded({ answers: { health: false } });
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.running.version, "0.1.0");
  assert.equal(recorders.length, 3);
  const [recording] = fixture.recordings;
  const { older, earlier, run } = readRecording(recording!);
  assert.equal(run.end?.cause, "rolled-back");
  assert.deepEqual(
    [...older, earlier!].map(({ facts }) => facts?.[1]),
    recorders.slice(0, 2).map(({ reference }) => reference),
  );
  assert.equal(sectorsIn(older[0]!.entries), Math.ceil(200_000 / 4096));
  assert.ok(typesOf(earlier!.entries).includes("health"));
  assert.equal(replay(run).doubt, undefined);
  assert.deepEqual(keptKeys(fixture), [], "nothing of it stays in the store");
});

test("a restart into new firmware writes its recording once, in at most 17 entries of NVS, and it goes when that is confirmed", () => {
  const { fixture } = recorded();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  const entries = nvsEntries(fixture);
  fixture.ack("burning");
  assert.deepEqual(keptKeys(fixture), ["rec-download"]);
  // A string is one entry and its bytes; others are written in the same turn.
  assert.equal(entries.filter((count) => count > 4).length, 1);
  assert.ok(Math.max(...entries) < 17, `${Math.max(...entries)} entries`);
  fixture.connect();
  fixture.ack("outcome");
  assert.deepEqual(fixture.outcomes, ["done"]);
  assert.deepEqual(keptKeys(fixture), []);
});

test("a power cut at any write of a restart into new firmware: the update goes on, and is done", () => {
  const small = image("0.2.0", 24_000);
  let points = 0;
  for (let cut = 0; ; cut++) {
    const { fixture } = recorded();
    fixture.connect();
    fixture.push(offerOf(small, "0.2.0"));
    fixture.deliver(small);
    const { chip } = fixture.board;
    let left = cut;
    chip.onOperation = () => {
      if (left-- === 0) throw new PowerCut();
      return undefined;
    };
    assert.equal(fixture.state, "burning");
    const power = cutIn(() => fixture.ack("burning"));
    chip.onOperation = undefined;
    if (!power) break;
    points++;
    fixture.powerOn();
    for (let tries = 0; fixture.outcomes.length === 0 && tries < 3; tries++) {
      fixture.connect();
      fixture.wait();
    }
    fixture.ack("outcome");
    assert.deepEqual(fixture.outcomes, ["done"], `cut ${cut}`);
    assert.deepEqual(keptKeys(fixture), [], `cut ${cut}`);
  }
  assert.ok(points > 15, `${points} points`);
});

test("after a crash or a watchdog the recording of the boot before comes with the next failure, after a power loss it is gone", () => {
  for (const [reason, told] of [
    ["panic", true],
    ["watchdog", true],
    ["software", true],
    ["power-on", false],
    ["brown-out", false],
  ] as const) {
    const { fixture, recorders } = recorded();
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, 80_000);
    recorders[0]!.note("connection reset", 1_000, fixture.now);
    fixture.powerOn(reason);
    fixture.connect();
    fixture.push(offer);
    fixture.dispatch({ type: "download-failed", cause: "not-found", message: "HTTP 404" });
    const { earlier, older, run } = readRecording(fixture.recordings[0]!);
    assert.deepEqual(older, []);
    assert.equal(factsOf(run.facts!).facts.resetReason, reason);
    assert.equal(earlier?.facts?.[1], told ? recorders[0]!.reference : undefined);
    assert.equal(earlier !== undefined, told, reason);
    if (earlier === undefined) continue;
    assert.equal(factsOf(earlier.facts!).facts.running.version, "0.1.0");
    const last = earlier.entries.at(-1);
    assert.ok(last?.kind === "note" && last.text === "connection reset");
    assert.equal(sectorsIn(earlier.entries), 20);
  }
});

test("a crash of firmware on trial is told with its download: from the store and from retained memory", () => {
  const { fixture, recorders } = recorded({ answers: { health: "silent" } });
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.equal(fixture.state, "trial");
  fixture.connect();
  fixture.powerOn("panic");
  fixture.connect();
  assert.equal(fixture.running.version, "0.1.0");
  const { older, earlier } = readRecording(fixture.recordings[0]!);
  assert.deepEqual(
    [...older, earlier!].map(({ facts }) => facts?.[1]),
    recorders.slice(0, 2).map(({ reference }) => reference),
  );
  assert.deepEqual(typesOf(earlier!.entries).slice(0, 2), ["boot", "link"]);
});

test("a recording that was left is dropped at the next boot without a job", () => {
  const { fixture } = recorded();
  fixture.board.ports.store.setBytes(KEPT_KEYS[0], Uint8Array.of(0));
  fixture.powerOn();
  assert.deepEqual(keptKeys(fixture), []);
});
