/** For tests of what comes after the switch. */
import assert from "node:assert/strict";
import { JobDesk, image, offerOf } from "./job-desk";
import type { DeskOptions } from "./job-desk";

export const next = image("0.2.0");
export const offer = offerOf(next, "0.2.0");

/** A desk whose board has just restarted into the new firmware. */
export function onTrial(options: DeskOptions = {}): JobDesk {
  const desk = new JobDesk(options);
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.ack("burning");
  assert.deepEqual(desk.running, { version: "0.2.0", slot: "ota_1", state: "pending" });
  assert.equal(desk.state, "trial");
  return desk;
}
