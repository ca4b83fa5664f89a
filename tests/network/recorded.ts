import assert from "node:assert/strict";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { causeOf } from "../../host-sim/replay/transcript";
import type { NetworkDevice } from "./device";

const LINE = /^recording [0-9a-f]{6}: ([A-Za-z0-9+/]+=*)$/;

/** The device has recorded the failure that it reported, and the recording replays to it. */
export const checkRecorded = ({ log }: NetworkDevice, cause: string, message: string): void => {
  const found = log.map((line) => LINE.exec(line)?.[1]).findLast((text) => text !== undefined);
  assert.ok(found !== undefined, "there is a recording");
  const recording = readRecording(Buffer.from(found, "base64"));
  assert.equal(replay(recording.run).doubt, undefined);
  assert.equal(causeOf(recording), `cause: ${cause}: ${message}`);
};
