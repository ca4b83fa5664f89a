/** A push comes at QoS 0, once: one that was lost on a good connection comes again after the next version report. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { REREPORT } from "../../src/constants";
import { JobFixture, image, offerOf } from "./job-fixture";

const versions = (fixture: JobFixture): number =>
  fixture.reports.filter(({ report }) => report.kind === "version").length;

test("an idle device with a connection reports its version again, slowly", () => {
  const fixture = new JobFixture();
  fixture.connect();
  assert.equal(fixture.job.deadline(), REREPORT);
  fixture.wait();
  fixture.wait();
  assert.equal(versions(fixture), 3);
  assert.equal(fixture.now, 2 * REREPORT);
  fixture.disconnect();
  assert.equal(fixture.job.deadline(), undefined, "nobody would hear it");
  assert.equal(versions(fixture), 3);
});

test("with a job in hand, or where a version report brings no push again, there is no such report", () => {
  const busy = new JobFixture();
  busy.connect();
  busy.push(offerOf(image("0.2.0"), "0.2.0"));
  assert.equal(busy.job.deadline(), undefined, "and the device is not woken for it");
  busy.now = REREPORT + 1;
  busy.dispatch({ type: "tick" });
  assert.equal(versions(busy), 1);

  const elsewhere = new JobFixture({ rules: { renewable: false } });
  elsewhere.connect();
  assert.equal(elsewhere.job.deadline(), undefined);
});
