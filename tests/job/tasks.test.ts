/** A cloud whose tasks have ids: which task an outcome is of, and what becomes of one that is cancelled. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJob, encodeJob } from "../../src/job/job-codecs";
import type { Report } from "../../src/platforms/platform";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

const file = image("0.2.0");
const offer = (id: string) => ({ ...offerOf(file, "0.2.0"), id, fetchOnly: false });

const device = (options: FixtureOptions = {}): JobFixture => {
  const fixture = new JobFixture({
    ...options,
    rules: { versionReport: false, proof: "burning", versionWhileBusy: false, renewable: true },
  });
  fixture.connect();
  return fixture;
};

/** "kind id", of withdrawals with what became of them; the token behind it. */
const textOf = (report: Report, token: string | undefined): string[] => {
  if (report.kind === "withdrawal")
    return [`${report.accepted ? "accepted" : "rejected"} ${report.task.id} as ${token}`];
  return report.kind === "outcome" ? [`${report.outcome.kind} ${report.task.id} as ${token}`] : [];
};
const told = (fixture: JobFixture): string[] => [
  ...new Set(fixture.reports.flatMap(({ report, token }) => textOf(report, token))),
];
const cancel = (fixture: JobFixture, id: string): void =>
  fixture.dispatch({ type: "withdrawn", task: { version: "", id } });

test("the id of the task stands in the job's record; a record without one is as it was", () => {
  const record = { platform: "p", slot: "ota_1", offer: offerOf(file, "0.2.0") };
  const withId = { ...record, offer: offer("9223372036854775807") };
  assert.deepEqual(decodeJob(encodeJob(withId)), withId);
  assert.deepEqual(decodeJob(encodeJob(record)), record);
});

test("the outcome names the task, also after power cuts", () => {
  const fixture = device();
  fixture.push(offer("8"));
  fixture.deliver(file, 8_192);
  fixture.powerOn();
  fixture.wait();
  fixture.deliver(file);
  fixture.ack("burning");
  fixture.connect();
  fixture.ack("burning");
  assert.deepEqual(told(fixture), ["done 8 as outcome"]);
  fixture.powerOn();
  fixture.connect();
  assert.deepEqual(told(fixture), ["done 8 as outcome"]);
});

test("another task for the image in hand takes the job over; one that comes when the outcome is known gets its own", () => {
  const fixture = device();
  fixture.push(offer("8"));
  fixture.deliver(file, 8_192);
  fixture.push(offer("9"));
  fixture.deliver(file);
  fixture.ack("burning");
  fixture.connect();
  fixture.ack("burning");
  fixture.push(offer("10"));
  assert.deepEqual(told(fixture), ["done 9 as outcome"]);
  fixture.ack("outcome");
  assert.deepEqual(told(fixture).slice(0, 1), ["done 9 as outcome"]);
  assert.match(told(fixture).at(-1)!, /^done 10 as /);
});

test("cancelled without a job, or before the switch: accepted, and there is no outcome", () => {
  const idle = device();
  cancel(idle, "7");
  assert.deepEqual(told(idle), ["accepted 7 as withdrawal"]);
  const busy = device();
  busy.push(offer("8"));
  busy.deliver(file, 8_192);
  cancel(busy, "8");
  assert.deepEqual([told(busy), busy.state], [["accepted 8 as withdrawal"], "idle"]);
  busy.push(offer("9"));
  assert.equal(busy.downloads.at(-1)!.offset, 8_192, "what is stored counts");
});

test("cancelled in the trial: rejected; another task is not in hand, and ends", () => {
  const fixture = device();
  fixture.push(offer("8"));
  fixture.deliver(file);
  fixture.ack("burning");
  assert.equal(fixture.state, "trial");
  cancel(fixture, "8");
  cancel(fixture, "9");
  assert.deepEqual(told(fixture), ["rejected 8 as withdrawal", "accepted 9 as withdrawal"]);
});

test("cancelled when the job has failed: a failure without a trial ends as cancelled, one with a trial as failed", () => {
  const refused = device();
  refused.push(offer("8"));
  refused.dispatch({ type: "download-failed", cause: "download", message: "no" });
  cancel(refused, "8");
  assert.deepEqual(told(refused), ["fail 8 as outcome", "accepted 8 as outcome"]);
  refused.ack("outcome");
  assert.equal(refused.state, "idle");
  const tried = device({ answers: { health: false } });
  tried.push(offer("8"));
  tried.deliver(file);
  tried.ack("burning");
  tried.connect();
  tried.ack("burning");
  assert.equal(tried.running.version, "0.1.0");
  cancel(tried, "8");
  assert.deepEqual(told(tried), ["fail 8 as outcome"]);
});

test("a task that is only to fetch ends when the file is proven; the next one installs it without a download", () => {
  const fixture = device();
  fixture.push({ ...offer("8"), fetchOnly: true });
  fixture.deliver(file, 8_192);
  fixture.powerOn();
  fixture.wait();
  fixture.deliver(file);
  assert.deepEqual([told(fixture), fixture.running.version], [["done 8 as outcome"], "0.1.0"]);
  fixture.powerOn();
  fixture.connect();
  fixture.ack("outcome");
  const before = fixture.downloads.length;
  fixture.push(offer("9"));
  fixture.wait();
  fixture.ack("burning");
  assert.deepEqual([fixture.downloads.length, fixture.running.version], [before, "0.2.0"]);
});
