import assert from "node:assert/strict";
import { explain, NOTHING, troublesOf } from "../../host-sim/replay/explain";
import type { Explanation } from "../../host-sim/replay/explanations/explanations";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { causeOf } from "../../host-sim/replay/transcript";
import type { NetworkDevice } from "./device";

const LINE = /^recording [0-9a-f]{6}: ([A-Za-z0-9+/]+=*)$/;

/** The device has recorded the failure that it reported, and the recording replays to it. */
export const checkRecorded = ({ log }: NetworkDevice, cause: string, message: string): Explanation => {
  const found = log.map((line) => LINE.exec(line)?.[1]).findLast((text) => text !== undefined);
  assert.ok(found !== undefined, "there is a recording");
  const recording = readRecording(Buffer.from(found, "base64"));
  assert.equal(replay(recording.run).doubt, undefined);
  assert.equal(causeOf(recording), `cause: ${cause}: ${message}`);
  return explain(recording.run);
};

/** An update that went through, or goes on: what was recorded of it at each start replays, and says what it met. */
export const explained = ({ recorders }: NetworkDevice): Explanation => {
  const runs = recorders.map((recorder) => readRecording(recorder.bytes()).run);
  for (const run of runs) assert.equal(replay(run).doubt, undefined);
  return troublesOf(runs.flatMap(({ entries }) => entries))[0] ?? NOTHING;
};
