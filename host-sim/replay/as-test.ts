/** A recording as a regression case of the suite. */
import { causeOf } from "./transcript";
import type { Recording } from "./read-recording";

const LINE = 100;

/** Source of a file in tests/replay. */
export const asTest = (recording: Recording, bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString("base64");
  const lines = Array.from({ length: Math.ceil(text.length / LINE) }, (_, index) =>
    JSON.stringify(text.slice(index * LINE, (index + 1) * LINE)),
  );
  const { reference } = recording;
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { causeOf } from "../../host-sim/replay/transcript";

const RECORDING = [
  ${lines.join(",\n  ")},
].join("");

test("recording ${reference} of a device replays to its failure", () => {
  const recording = readRecording(Buffer.from(RECORDING, "base64"));
  assert.equal(replay(recording.run).doubt, undefined);
  assert.equal(causeOf(recording), ${JSON.stringify(causeOf(recording))});
});
`;
};
