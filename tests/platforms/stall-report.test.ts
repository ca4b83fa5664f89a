/** A stalled download is told to each cloud as progress with its reason, never as an outcome. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { MESSAGE_MAX } from "../../src/constants";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { JobFixture, image, offerOf } from "../job/job-fixture";

const REASON = "HTTP 503: the server is busy or broken";
const tencent = new TencentPlatform(
  {
    productId: "A1B2C3D4E5",
    deviceName: "d",
    authMode: "KEY",
    deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
  },
  new NodeCrypto(() => 0.5),
);
const thingspanel = new ThingsPanelPlatform(
  { profile: "v0", username: "token", clientId: "c", brokerHost: "127.0.0.1" },
  new NodeCrypto(() => 0.5),
);

test("the job reports the percentage with the reason, and goes on", () => {
  const file = image("0.2.0");
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offerOf(file, "0.2.0"));
  fixture.deliver(file, 8_192);
  fixture.dispatch({ type: "stalled", message: REASON });
  const { report } = fixture.reports.at(-1)!;
  assert.ok(report.kind === "progress");
  assert.deepEqual([report.percent, report.note], [34, REASON]);
  assert.equal(fixture.state, "downloading");
  assert.deepEqual(fixture.outcomes, []);
});

for (const [platform, expected] of [
  [tencent, { state: "downloading", percent: "34", result_code: "0", result_msg: REASON }],
  [thingspanel, { step: "34", desc: REASON }],
] as const)
  test(`${platform.name}: in its place for words`, () => {
    const message = platform.encode({ kind: "progress", task: { version: "0.2.0" }, percent: 34, note: REASON });
    assert.equal(message?.qos, 0);
    const content = JSON.parse(message.payload) as { report?: { progress: unknown } };
    assert.deepEqual(content.report?.progress ?? content, expected);
    const long = platform.encode({ kind: "progress", task: { version: "1" }, percent: 1, note: "x".repeat(999) });
    assert.ok(long!.payload.length < MESSAGE_MAX + 200);
  });
