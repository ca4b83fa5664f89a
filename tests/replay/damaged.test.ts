import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "../../host-sim/replay/compare";
import { RecordingError, readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { transcriptOf } from "../../host-sim/replay/transcript";
import { Recorder } from "../../src/recorder/recorder";
import { crc32 } from "../../src/util/crc32";
import { JobFixture, image, offerOf } from "../job/job-fixture";
import { Random } from "../powercut/simulation/random";

/** A sample; `npm run test:long` takes 1,000,000. */
const DAMAGED = Number(process.env["XS_OTA_DAMAGED_RECORDINGS"] ?? 3_000);

/** Of a failure whose first entries were dropped: it begins at a snapshot. */
function cut(): Uint8Array {
  const next = image("0.2.0", 60_000);
  const fixture = new JobFixture({ recorder: () => new Recorder(0.5, 1_600) });
  fixture.connect();
  fixture.push(offerOf(next, "0.2.0"));
  for (let sectors = 1; sectors < 12; sectors++) {
    fixture.deliver(next, sectors * 4096);
    for (let times = 0; times < 10; times++) {
      fixture.now += 90_000;
      fixture.dispatch({ type: "network", missing: times % 2 === 0 ? "no address" : undefined });
    }
  }
  fixture.dispatch({ type: "download-failed", cause: "not-found", message: "HTTP 404" });
  return fixture.recordings[0]!;
}

/** Of a rollback, with the boots before, of a refusal, and of one that begins at a snapshot. */
function whole(): Uint8Array[] {
  const next = image("0.2.0", 60_000);
  const fixture = new JobFixture({ answers: { health: false }, recorder: () => new Recorder(0.5) });
  fixture.connect();
  fixture.push(offerOf(next, "0.2.0"));
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  fixture.ack("outcome");
  fixture.push(offerOf(next, "0.3.0", { size: 64 << 20 }));
  return [...fixture.recordings, cut()];
}

/** Bytes changed, left out, doubled; most with a checksum that is right again. */
function damage(recording: Uint8Array, random: Random): Uint8Array {
  let bytes = recording.slice();
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(bytes.length);
    const length = 1 + random.below(12);
    const kind = random.below(4);
    if (kind === 0) bytes[at] = random.bits();
    else if (kind === 1) bytes[at]! ^= 1 << random.below(8);
    else if (kind === 2) bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
    else bytes = Uint8Array.of(...bytes.subarray(0, at + length), ...bytes.subarray(at));
  }
  if (bytes.length > 8 && random.below(8) > 0)
    new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

test("a damaged recording is told as far as it can be read, or is one clear line", (context) => {
  const seeds = whole();
  const sound = seeds.map(readRecording);
  const { entries } = sound.at(-1)!.run;
  assert.deepEqual(
    [entries[0]?.kind, entries[1]?.kind, replay(sound.at(-1)!.run).doubt],
    ["gap", "snapshot", undefined],
  );
  const random = new Random(11);
  let refused = 0;
  for (let number = 0; number < DAMAGED; number++) {
    const bytes = damage(random.pick(seeds), random);
    try {
      const recording = readRecording(bytes);
      const lines = transcriptOf(recording, { explain: true });
      assert.match(lines.at(-1)!, /^cause: /);
      assert.doesNotMatch(lines.join(""), /\p{Cc}/u);
      if (number % 8 === 0) compare(recording, sound[0]!);
    } catch (error) {
      if (!(error instanceof RecordingError)) throw new Error(Buffer.from(bytes).toString("base64"), { cause: error });
      assert.match(error.message, /^[^\p{Cc}]+$/u);
      refused++;
    }
  }
  context.diagnostic(`${DAMAGED} damaged recordings, ${refused} of them refused`);
  assert.ok(refused > 0 && refused < DAMAGED);
});
