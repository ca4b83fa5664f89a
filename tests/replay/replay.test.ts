import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { asTest } from "../../host-sim/replay/as-test";
import { explanationOf } from "../../host-sim/replay/explanations/explanations";
import { compare } from "../../host-sim/replay/compare";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { causeOf, transcriptOf } from "../../host-sim/replay/transcript";
import { AGENT } from "../../src/recorder/format";
import { assemble } from "../../src/recorder/assemble";
import { Recorder } from "../../src/recorder/recorder";
import { crc32 } from "../../src/util/crc32";
import { JobFixture, image, offerOf } from "../job/job-fixture";
import { temporaryFolder } from "../kit/folder";
import { xsOta } from "../kit/xs-ota";
import packageJson from "../../package.json" with { type: "json" };

const next = image("0.2.0", 60_000);
const offer = offerOf(next, "0.2.0");

/** The recording of what `happen` does to a device. */
function recordingOf(happen: (fixture: JobFixture) => void): Uint8Array {
  const fixture = new JobFixture({ recorder: () => new Recorder(0.5) });
  happen(fixture);
  return fixture.recordings.at(-1)!;
}

const NOT_FOUND = recordingOf((fixture) => {
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 30_000);
  fixture.now += 60_000;
  fixture.dispatch({
    type: "download-failed",
    cause: "not-found",
    message: "HTTP 404: the file does not exist on the server",
  });
});

test("the version in a recording is that of the package", () => assert.equal(AGENT, packageJson.version));

test("the transcript tells each input, the states and the effects, and ends with the cause", () => {
  const transcript = transcriptOf(readRecording(NOT_FOUND));
  assert.match(transcript[0]!, /^recording 800000, made by xs-ota /);
  assert.match(transcript[1]!, /^boot of 0\.1\.0 in ota_0 \(valid\) after power-on, platform tencent/);
  assert.ok(transcript.some((line) => /offer offer=\{"version":"0\.2\.0".* \[idle -> consent\]/.test(line)));
  assert.ok(transcript.some((line) => / \d+ sectors are stored \[downloading\]$/.test(line)));
  assert.ok(transcript.some((line) => /download-failed .*\[downloading -> reporting\] .*report outcome/.test(line)));
  assert.equal(transcript.at(-2), "effects: the job did the same here as on the device");
  assert.equal(transcript.at(-1), "cause: not-found: HTTP 404: the file does not exist on the server");
});

test("--until tells the first inputs only, --explain what helps", () => {
  const recording = readRecording(NOT_FOUND);
  const all = transcriptOf(recording);
  assert.equal(transcriptOf(recording, { until: 2 }).length, 2 + 4);
  const explained = transcriptOf(recording, { explain: true });
  assert.deepEqual(
    explained.filter((line) => !all.includes(line)),
    [`meaning: ${explanationOf("HTTP 404: the file does not exist on the server")!.sentence}`],
  );
});

test("two recordings: the first step where they part", () => {
  const other = recordingOf((fixture) => {
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, 30_000);
    fixture.dispatch({ type: "download-failed", cause: "download", message: "the body is encoded" });
  });
  const [a, b] = [readRecording(NOT_FOUND), readRecording(other)];
  assert.match(compare(a, a).at(-1)!, /^they are the same in all \d+ steps$/);
  const lines = compare(a, b);
  assert.match(lines.at(-1)!, /^they part at step \d+ of \d+ and \d+$/);
  assert.match(lines.at(-2)!, /"cause":"download"/);
});

/** With its checksum corrected. */
function changed(bytes: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy);
  new DataView(copy.buffer).setUint32(copy.length - 4, crc32(copy.subarray(0, -4)), true);
  return copy;
}

test("a recording of another version tells its inputs and claims no effects", () => {
  const at = Buffer.from(NOT_FOUND).indexOf(AGENT);
  const recording = readRecording(changed(NOT_FOUND, (bytes) => bytes.set(Buffer.from("9"), at)));
  const transcript = transcriptOf(recording);
  assert.match(
    transcript.at(-2)!,
    /^effects: not claimed, the recording was made by xs-ota 9\.1\.0 and this is 0\.1\.0/,
  );
  assert.ok(transcript.some((line) => line.includes("download-failed")));
  assert.ok(!transcript.some((line) => line.includes("report outcome")));
});

test("effects that differ are not claimed", () => {
  const { run } = readRecording(NOT_FOUND);
  const end = { ...run.end!, check: run.end!.check + 1 };
  assert.equal(replay({ ...run, end }).doubt, "the job does something else here: its effects differ");
});

test("parts of later formats are skipped, and control characters are not printed", () => {
  const body = NOT_FOUND.subarray(4, -4);
  const later = Uint8Array.of(...NOT_FOUND.subarray(0, 4), 9, 2, 0, 0, ...body, 0, 0, 0, 0);
  assert.equal(readRecording(changed(later, () => undefined)).run.end?.cause, "not-found");
  const bell = recordingOf((fixture) => {
    fixture.connect();
    fixture.push(offer);
    fixture.dispatch({ type: "download-failed", cause: "download", message: "\u001B[2J\u0007" });
  });
  assert.equal(transcriptOf(readRecording(bell)).at(-1), "cause: download: ?[2J?");
});

test("one clear line for what is no recording", () => {
  const no = (bytes: Uint8Array, why: RegExp): void => assert.throws(() => readRecording(bytes), why);
  no(new Uint8Array(0), /^Error: this is no recording/);
  no(Buffer.from("XSR\u0002...."), /has format 2, this version reads format 1/);
  no(NOT_FOUND.subarray(0, 300), /is damaged: its checksum is wrong/);
  no(assemble(new Uint8Array(0), new Uint8Array(0), []), /ends in the middle/);
});

test("xs-ota replay: a file, a log, a regression case, and one line on bad input", async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("fail.xsr"), NOT_FOUND);
  writeFileSync(path("device.log"), `boot\nrecording 800000: ${Buffer.from(NOT_FOUND).toString("base64")}\nidle\n`);
  writeFileSync(path("other.txt"), "nothing");
  const [file, log, source, other] = await Promise.all([
    xsOta("replay", path("fail.xsr"), "--explain"),
    xsOta("replay", path("device.log")),
    xsOta("replay", path("fail.xsr"), "--as-test"),
    xsOta("replay", path("other.txt")),
  ]);
  assert.equal(file.code, 0);
  assert.equal(file.stdout.trimEnd().split("\n").at(-1), causeOf(readRecording(NOT_FOUND)));
  assert.equal(log.stdout.trimEnd().split("\n").at(-1), causeOf(readRecording(NOT_FOUND)));
  assert.equal(source.stdout, asTest(readRecording(NOT_FOUND), NOT_FOUND));
  assert.notEqual(other.code, 0);
  assert.match(other.stderr, /^error: .*other\.txt: this is no recording: it does not begin with XSR\n$/);
});

test("a job without a digest, which is bound to its URL, replays after a power cut", () => {
  const fixture = new JobFixture({ policy: { allowNoDigest: true }, recorder: () => new Recorder(0.5) });
  const { digest: _, ...plain } = offerOf(next, "0.2.0");
  fixture.connect();
  fixture.push(plain);
  fixture.deliver(next, 30_000);
  fixture.powerOn();
  fixture.connect();
  fixture.push(plain);
  fixture.dispatch({
    type: "download-failed",
    cause: "not-found",
    message: "HTTP 404: the file does not exist on the server",
  });
  const { run } = readRecording(fixture.recordings.at(-1)!);
  const { steps, doubt } = replay(run);
  assert.equal(doubt, undefined);
  const resumed = steps.flatMap(({ effects }) => effects).find(({ type }) => type === "download");
  assert.ok(resumed?.type === "download" && resumed.offset > 0, "goes on at the checkpoint");
});
