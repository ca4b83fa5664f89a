/** For tests of what comes after the switch. */
import assert from "node:assert/strict";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

export const next = image("0.2.0");
export const offer = offerOf(next, "0.2.0");

/** A fixture whose board has just restarted into the new firmware. */
export function onTrial(options: FixtureOptions = {}): JobFixture {
  const fixture = new JobFixture(options);
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.deepEqual(fixture.running, { version: "0.2.0", slot: "ota_1", state: "pending" });
  assert.equal(fixture.state, "trial");
  return fixture;
}
