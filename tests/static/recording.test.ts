import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { firmwareImage } from "../kit/images";
import { scene, SIZE } from "./site";

test("static: an update that fails leaves a recording that replays to the same end", () => {
  const recordings: Uint8Array[] = [];
  const { site, device, until } = scene({
    onHealthCheck: (answer) => answer(false, "bad firmware"),
    onDiagnostics: (recording) => recordings.push(recording),
  });
  site.publish("0.2.0", site.add("fw.bin", firmwareImage("0.2.0", SIZE)));
  device.powerOn();
  until("the failure is reported", () => site.reports.length > 0);
  const { run } = readRecording(recordings.at(-1)!);
  assert.equal(run.end?.cause, "rolled-back");
  assert.equal(replay(run).doubt, undefined);
});
