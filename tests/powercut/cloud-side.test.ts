/** The cloud of a scenario: when it pushes what, and which reports it rejects. */
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

test("an image is pushed once to a device that connects, and again when it reports another version", () => {
  const cloud = cloudOf("good");
  assert.equal(cloud.offer()?.version, "0.2.0");
  assert.equal(cloud.offer(), undefined);
  for (let each = 0; each < 5; each++) assert.equal(cloud.heard(version("0.1.0"))?.version, "0.2.0");
  assert.equal(cloud.heard(version("0.2.0")), undefined);
  cloud.heard(done("0.2.0"));
  assert.equal(cloud.heard(version("0.1.0")), undefined);
  assert.deepEqual([cloud.finished, cloud.operate(0), cloud.complaints], [true, undefined, []]);
});

test("the file of a push ends early until it has its outcome; then the device restarts once, and the next push follows", () => {
  const cloud = cloudOf("turns");
  assert.equal(cloud.offer()?.version, "0.2.0");
  assert.equal(cloud.goneAt("0.2.0"), 4096);
  assert.equal(cloud.restarts(), false);
  cloud.heard(failed("0.2.0", "not-found", "HTTP 404"));
  assert.deepEqual([cloud.restarts(), cloud.restarts()], [true, false]);
  assert.equal(offered(cloud.operate(WAIT)) ?? offered(cloud.operate(2 * WAIT)), "0.2.0");
  assert.equal(cloud.goneAt("0.2.0"), 8192);
  assert.equal(cloudOf("good").goneAt("0.2.0"), Infinity);
});

test("a manifest wants an image again whose job failed by what may pass: its next outcome is that of another job", () => {
  const ended = (outcome: Heard): CloudSide => {
    const cloud = cloudOf("files");
    cloud.offer();
    cloud.heard(outcome);
    cloud.polled();
    return cloud;
  };
  const again = ended(failed("0.2.0", "digest-mismatch", "MD5 of what is in flash is another"));
  assert.equal(again.offer()?.version, "0.2.0");
  again.polled();
  again.heard(done("0.2.0"));
  assert.deepEqual([again.complaints, again.tasks.length], [[], 2]);
  for (const outcome of [done("0.2.0"), failed("0.2.0", "rolled-back", "the power was cut")])
    assert.equal(ended(outcome).offer(), undefined);
});

test("ThingsPanel v0 answers three version reports with a push, v1 none", () => {
  const pushes = (name: string): number => {
    const cloud = cloudOf(name);
    cloud.offer();
    return Array.from({ length: 6 }, () => cloud.heard(version("0.1.0"))).filter((offer) => offer !== undefined).length;
  };
  assert.deepEqual([pushes("panel"), pushes("panel1")], [3, 0]);
});

test("two different outcomes of one job are a complaint, a repeated one is not; an outcome without a push is one where it names an image", () => {
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

test("an outcome that the scenario does not expect does not end it: the operator pushes again, a bounded number of times", () => {
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

test("an image that has no trials left is not pushed again; the next one is", () => {
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

test("an image supersedes another when so many bytes of that were served", () => {
  const cloud = cloudOf("supersede");
  cloud.offer();
  const { supersededAt } = scenario("supersede", "small").pushes[0]!;
  assert.equal(cloud.served("0.2.0", supersededAt! - 1, "0.1.0"), undefined);
  assert.equal(cloud.served("0.2.0", supersededAt!, "0.1.0")?.version, "0.3.0");
  cloud.heard(done("0.3.0"));
  assert.equal(cloud.finished, true);
});

test("an image pushed during the trial of another supersedes it only where a power cut has ended the trial", () => {
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

test("a fork is independent", () => {
  const cloud = cloudOf("good");
  cloud.offer();
  const fork = cloud.fork();
  fork.heard(done("0.2.0"));
  assert.deepEqual([fork.finished, cloud.finished], [true, false]);
});

test("a failure is matched by its cause, where the dialect names one, and by its message", () => {
  const ends = { cause: "rejected", message: /^verify/ } as const;
  assert.equal(fits(ends, { done: false, cause: "rejected", message: "verify ota_1: no" }), true);
  assert.equal(fits(ends, { done: false, cause: undefined, message: "verify ota_1: no" }), true);
  assert.equal(fits(ends, { done: false, cause: "flash", message: "verify ota_1: no" }), false);
  assert.equal(fits(ends, { done: false, cause: "rejected", message: "no" }), false);
  assert.equal(fits(ends, { done: true, cause: undefined, message: "" }), false);
  assert.equal(fits("done", { done: false, cause: "flash", message: "" }), false);
});
