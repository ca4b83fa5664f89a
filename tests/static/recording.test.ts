import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { firmwareImage } from "../kit/images";
import { checkSilence, WIFI_PASSWORD } from "../platforms/secrets";
import { wifiNetwork } from "../platforms/wifi";
import { scene, SIZE } from "./site";

test("static: an update that fails leaves a recording that replays to the same end, and neither it nor the log tells a secret", async () => {
  const recordings: Uint8Array[] = [];
  const { bringUp, given } = await wifiNetwork();
  const { site, device, until } = scene({
    bringUp,
    settings: { ssid: "Hall 7", wifiPassword: WIFI_PASSWORD },
    query: "?sign=query-s3cr3t",
    onHealthCheck: (answer) => answer(false, "bad firmware"),
    onDiagnostics: (recording) => recordings.push(recording),
  });
  site.publish("0.2.0", site.add("private-path/fw.bin", firmwareImage("0.2.0", SIZE)));
  device.powerOn();
  until("the failure is reported", () => site.reports.length > 0);
  const { run } = readRecording(recordings.at(-1)!);
  assert.equal(run.end?.cause, "rolled-back");
  assert.equal(replay(run).doubt, undefined);
  assert.ok(device.log.some((line) => line.startsWith("recording ")));
  assert.ok(given.length > 0 && given.every((password) => password === WIFI_PASSWORD));
  checkSilence(
    [...recordings, ...device.log, JSON.stringify(device.notices)],
    [WIFI_PASSWORD, "query-s3cr3t", "private-path"],
  );
});
