/** The cloud of a scenario: what it pushes when, and what it objects to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudSide, fits } from "./simulation/cloud-side";
import type { Heard } from "./simulation/cloud-side";
import { scenario } from "./simulation/scenarios";

const WAIT = 15 * 60_000;

const cloudOf = (name: string): CloudSide => new CloudSide(scenario(name, "small"));
const version = (of: string): Heard => ({ kind: "version", version: of });
const done = (of: string): Heard => ({ kind: "outcome", done: true, cause: undefined, message: "", version: of });
const failed = (of: string, cause: string, message: string): Heard => ({
  kind: "outcome",
  done: false,
  cause,
  message,
  version: of,
});

const offered = (answer: ReturnType<CloudSide["operate"]>): string | undefined =>
  typeof answer === "object" ? answer.version : undefined;

test("an image is pushed once to a device that connects, and again when it says that it runs another version", () => {
  const cloud = cloudOf("good");
  assert.equal(cloud.offer()?.version, "0.2.0");
  assert.equal(cloud.offer(), undefined);
  for (let each = 0; each < 5; each++) assert.equal(cloud.heard(version("0.1.0"))?.version, "0.2.0");
  assert.equal(cloud.heard(version("0.2.0")), undefined);
  cloud.heard(done("0.2.0"));
  assert.equal(cloud.heard(version("0.1.0")), undefined);
  assert.deepEqual([cloud.finished, cloud.operate(0), cloud.complaints], [true, undefined, []]);
});

test("ThingsPanel answers three version reports with a push, its second generation none", () => {
  const pushes = (name: string): number => {
    const cloud = cloudOf(name);
    cloud.offer();
    return Array.from({ length: 6 }, () => cloud.heard(version("0.1.0"))).filter((offer) => offer !== undefined).length;
  };
  assert.deepEqual([pushes("panel"), pushes("panel1")], [3, 0]);
});

test("two outcomes of one job are a complaint, the same one twice is none, and neither is one that nobody asked for unless it names an image", () => {
  const cloud = cloudOf("good");
  cloud.offer();
  cloud.heard(done("0.2.0"));
  cloud.heard(done("0.2.0"));
  assert.deepEqual(cloud.complaints, []);
  cloud.heard(failed("0.2.0", "flash", "worn"));
  assert.match(cloud.complaints[0]!, /two outcomes/);
  cloud.heard(done("7.7.7"));
  assert.match(cloud.complaints[1]!, /7\.7\.7, which nobody pushed/);
});

test("an outcome that the scenario does not foresee does not end it: the operator pushes again, but not for ever", () => {
  const cloud = cloudOf("good");
  cloud.offer();
  let now = 0;
  for (let tries = 1; tries < 4; tries++) {
    cloud.heard(failed("0.2.0", "rolled-back", "trial cut short by power loss 2 times"));
    assert.equal(cloud.finished, false);
    const later = cloud.operate(now);
    assert.equal(later, now + WAIT, "a device may ask for so long between two trials");
    now = later as number;
    assert.equal(offered(cloud.operate(now)), "0.2.0");
  }
  cloud.heard(failed("0.2.0", "rolled-back", "trial cut short by power loss 2 times"));
  assert.deepEqual([cloud.operate(now), cloud.finished], [undefined, false]);
});

test("an image whose trials are used up is not pushed again: the next one is", () => {
  const cloud = cloudOf("twice");
  cloud.offer();
  cloud.heard(
    failed("0.2.0", "rejected", "tried 3 times and never confirmed: the power was cut; it is not tried again"),
  );
  assert.equal(cloud.usedUp(cloud.scenario.pushes[0]!), true);
  assert.equal(offered(cloud.operate(0)), "0.3.0");
  cloud.heard(done("0.3.0"));
  assert.equal(cloud.finished, true);
});

test("an image takes another's place when so much of that was served", () => {
  const cloud = cloudOf("supersede");
  cloud.offer();
  const { supersededAt } = scenario("supersede", "small").pushes[0]!;
  assert.equal(cloud.served("0.2.0", supersededAt! - 1, "0.1.0"), undefined);
  assert.equal(cloud.served("0.2.0", supersededAt!, "0.1.0")?.version, "0.3.0");
  cloud.heard(done("0.3.0"));
  assert.equal(cloud.finished, true);
});

test("an image that came in another's trial takes its place only where a cut has undone the trial", () => {
  const inTrial = (): CloudSide => {
    const cloud = cloudOf("waits");
    cloud.offer();
    assert.equal(cloud.inTrial("0.2.0")?.version, "0.3.0");
    assert.equal(cloud.inTrial("0.2.0"), undefined);
    return cloud;
  };
  const undone = inTrial();
  undone.served("0.3.0", 4096, "0.1.0");
  undone.heard(done("0.3.0"));
  assert.equal(undone.finished, true);
  const skipped = inTrial();
  skipped.served("0.3.0", 4096, "0.2.0");
  skipped.heard(done("0.3.0"));
  assert.equal(skipped.finished, false, "firmware 0.2.0 ran and never said so");
});

test("a fork goes its own way", () => {
  const cloud = cloudOf("good");
  cloud.offer();
  const fork = cloud.fork();
  fork.heard(done("0.2.0"));
  assert.deepEqual([fork.finished, cloud.finished], [true, false]);
});

test("a failure fits by its cause, where the dialect names one, and by its words", () => {
  const ends = { cause: "rejected", message: /^verify/ } as const;
  assert.equal(fits(ends, { done: false, cause: "rejected", message: "verify ota_1: no" }), true);
  assert.equal(fits(ends, { done: false, cause: undefined, message: "verify ota_1: no" }), true);
  assert.equal(fits(ends, { done: false, cause: "flash", message: "verify ota_1: no" }), false);
  assert.equal(fits(ends, { done: false, cause: "rejected", message: "no" }), false);
  assert.equal(fits(ends, { done: true, cause: undefined, message: "" }), false);
  assert.equal(fits("done", { done: false, cause: "flash", message: "" }), false);
});
