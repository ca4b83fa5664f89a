/**
 * The rows of the comparison that are about the job: dialect and job together, as the server sees them on its topics.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import type { Report } from "../../src/platforms/platform";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import type { ThingsPanelConfig } from "../../src/platforms/thingspanel/dialect";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { JobFixture, image } from "../job/job-fixture";
import type { FixtureOptions } from "../job/job-fixture";

const CONFIG: ThingsPanelConfig = {
  profile: "v0",
  brokerHost: "broker.example",
  username: "token-123",
  clientId: "dev-1",
  module: "MCU",
};
const next = image("0.2.0");
const sign = createHash("sha256").update(next).digest("hex");
const PARAMS = {
  version: "0.2.0",
  size: next.length,
  url: "http://files.example/0.bin",
  signMethod: "SHA256",
  sign,
  module: "MCU",
  extData: {},
};

class Device {
  readonly fixture: JobFixture;
  readonly #dialect: ThingsPanelPlatform;
  #id = 100_000_000;

  constructor(profile: "v0" | "v1", options: FixtureOptions = {}) {
    this.#dialect = new ThingsPanelPlatform({ ...CONFIG, profile }, new NodeCrypto());
    this.fixture = new JobFixture({ platform: this.#dialect.name, rules: this.#dialect.rules, ...options });
  }

  /** One task message; every push has an id of its own. */
  push(params: object = {}): void {
    const message = { code: "200", id: String(this.#id++), params: { ...PARAMS, ...params } };
    const incoming = this.#dialect.parse(this.#dialect.subscriptions[0]!, Buffer.from(JSON.stringify(message)));
    if (incoming.kind === "offer") this.fixture.push(incoming.offer);
    else if (incoming.kind === "refused")
      this.fixture.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
  }

  /** What the server got so far: "v 0.1.0" or the step. */
  get wire(): string[] {
    return this.fixture.reports.flatMap(({ report }) => this.#told(report) ?? []);
  }

  #told(report: Report): string | undefined {
    const message = this.#dialect.encode(report);
    if (message === undefined) return undefined;
    const body = JSON.parse(message.payload) as { step?: string; params?: { version: string } };
    return body.params === undefined ? body.step : `v ${body.params.version}`;
  }

  install(): void {
    this.push();
    this.fixture.deliver(next);
    this.fixture.ack("burning");
  }
}

test("row 4, duplicates: the same task with new ids is one job, and starts nothing anew", () => {
  for (const profile of ["v0", "v1"] as const) {
    const device = new Device(profile);
    const { fixture } = device;
    fixture.connect();
    device.push();
    device.push();
    fixture.deliver(next, 2 * SECTOR);
    device.push();
    device.push({ signMethod: "MD5", sign: sign.toUpperCase() });
    fixture.deliver(next);
    device.push();
    fixture.ack("burning");
    fixture.connect();
    device.push();
    assert.deepEqual(fixture.outcomes, ["done"]);
    assert.equal(fixture.downloads.length, 1);
  }
});

test("row 7, size: one that the server's file does not have is found out before the first erase", () => {
  const device = new Device("v1", { policy: { allowNoDigest: true } });
  device.fixture.connect();
  device.push({ size: "0", sign: "", module: null });
  const erased: number[] = [];
  device.fixture.board.chip.onOperation = ({ kind, address }) =>
    void (kind === "erase" && address >= device.fixture.board.table.slots[1].address && erased.push(address));
  device.fixture.dispatch({ type: "total", size: 1 << 24, validator: undefined });
  assert.deepEqual(erased, []);
  assert.deepEqual(device.wire, ["1", "-1"]);
});

test("row 8, sign: a task without one is refused with -1 unless policy allows it", () => {
  const strict = new Device("v1");
  strict.fixture.connect();
  strict.push({ size: "0", sign: "", module: null });
  assert.deepEqual(strict.wire, ["-1"]);
  assert.deepEqual(strict.fixture.outcomes, ["rejected: the offer has no digest (allowNoDigest permits that)"]);
  const lenient = new Device("v1", { policy: { allowNoDigest: true } });
  lenient.fixture.connect();
  lenient.push({ size: "0", sign: "", module: null });
  lenient.fixture.deliver(next);
  lenient.fixture.ack("burning");
  lenient.fixture.connect();
  assert.deepEqual(lenient.wire, ["1", "99", "99", "100"]);
});

test("row 10, step: 1 first, never 0, 99 while it restarts, 100 from the confirmed new firmware alone", () => {
  const device = new Device("v0");
  device.fixture.connect();
  device.install();
  assert.deepEqual(device.wire, ["v 0.1.0", "1", "99", "99"]);
  assert.equal(device.fixture.state, "trial");
  device.fixture.connect();
  // The trial's proof is the last step once more; a version before step 100 could make the server push another task.
  assert.deepEqual(device.wire.slice(4), ["99", "100"]);
  device.fixture.wait();
  assert.deepEqual(device.wire.slice(6), [], "nothing before the PUBACK of step 100");
  device.fixture.ack("outcome");
  assert.deepEqual(device.wire.slice(6), [], "nor at once after it");
  assert.equal(device.fixture.job.deadline(), device.fixture.now + 1_000);
  device.fixture.wait();
  assert.deepEqual(device.wire.slice(6), ["v 0.2.0"]);
});

test("row 11, order: a negative step, a second, and then the version, whatever the negative step is an answer to", () => {
  const device = new Device("v0");
  const { fixture } = device;
  fixture.connect();
  device.push();
  fixture.dispatch({ type: "download-failed", cause: "download", message: "gone" });
  fixture.disconnect();
  fixture.connect();
  assert.deepEqual(device.wire.slice(2), ["-2", "-2"], "over the new connection too, and no version beside it");
  fixture.ack("outcome");
  fixture.now += 999;
  fixture.dispatch({ type: "tick" });
  assert.equal(device.wire.length, 4);
  fixture.wait();
  assert.deepEqual(device.wire.slice(4), ["v 0.1.0"]);
  // An offer that never became a job, whose answer a power cut has delayed.
  device.push({ version: "" });
  fixture.wait();
  fixture.powerOn();
  fixture.connect();
  assert.deepEqual(device.wire.slice(5), ["-1", "-1"]);
  fixture.ack("refused");
  assert.deepEqual(device.wire.slice(7), []);
  fixture.wait();
  assert.deepEqual(device.wire.slice(7), ["v 0.1.0"]);
});

test("row 11, re-pushes: a version is reported at connect only while no job is in hand", () => {
  const device = new Device("v0");
  device.fixture.connect();
  device.push();
  device.fixture.deliver(next, 2 * SECTOR);
  for (let i = 0; i < 3; i++) {
    device.fixture.disconnect();
    device.fixture.connect();
    device.fixture.powerOn();
    device.fixture.connect();
    device.fixture.wait();
  }
  assert.deepEqual(
    device.wire.filter((each) => each.startsWith("v")),
    ["v 0.1.0"],
  );
});

test("row 11, re-pushes: after a rollback the negative step goes before the version, and the image is not tried again", () => {
  for (const profile of ["v0", "v1"] as const) {
    const device = new Device(profile, { answers: { health: false } });
    device.fixture.connect();
    device.install();
    device.fixture.connect();
    assert.equal(device.fixture.running.version, "0.1.0");
    const from = device.wire.length;
    device.fixture.connect();
    assert.deepEqual(device.wire.slice(from), ["-1"]);
    device.fixture.ack("outcome");
    assert.deepEqual(device.wire.slice(from), ["-1"]);
    device.fixture.wait();
    assert.deepEqual(device.wire.slice(from), profile === "v0" ? ["-1", "v 0.1.0"] : ["-1"]);
    for (let i = 0; i < 3; i++) device.push();
    assert.deepEqual(
      device.wire.slice(from).filter((each) => !each.startsWith("v")),
      ["-1", "-1", "-1", "-1"],
    );
    assert.equal(device.fixture.downloads.length, 1);
  }
});

test("row 13, no pull: a job in hand goes on by itself after power-on, at once and without a connection to the broker", () => {
  for (const profile of ["v0", "v1"] as const) {
    const device = new Device(profile);
    device.fixture.connect();
    device.push();
    device.fixture.deliver(next, 2 * SECTOR);
    device.fixture.powerOn();
    assert.equal(device.fixture.job.deadline(), device.fixture.now);
    device.fixture.wait();
    assert.deepEqual(
      device.fixture.downloads.map(({ url, offset }) => [url, offset]),
      [
        [PARAMS.url, 0],
        [PARAMS.url, 2 * SECTOR],
      ],
    );
    device.fixture.deliver(next);
    device.fixture.ack("burning");
    device.fixture.connect();
    assert.equal(device.wire.at(-1), "100");
  }
});

test("row 13, no pull: an expired URL ends the job, for no new one can be had", () => {
  const device = new Device("v0");
  device.fixture.connect();
  device.push();
  device.fixture.dispatch({ type: "expired", message: "HTTP 403: the URL has expired or is not allowed" });
  assert.deepEqual(device.wire, ["v 0.1.0", "1", "-2"]);
});

test("row 15, version report after success: v0 has it, v1 reaches the cloud by its subscription alone", () => {
  const v1 = new Device("v1");
  v1.fixture.connect();
  v1.install();
  v1.fixture.connect(false);
  assert.deepEqual(v1.wire, ["1", "99", "99", "100"]);
  assert.equal(v1.fixture.running.state, "valid");
});

test("a module that the device has not is refused with -1 whatever v0's server lets its name be: 50 characters", () => {
  for (const length of [36, 37, 50]) {
    const device = new Device("v0");
    device.fixture.connect();
    const module = "m".repeat(length);
    device.push({ module });
    assert.deepEqual(device.wire, ["v 0.1.0", "-1"], `${length} characters`);
    assert.match(device.fixture.outcomes[0]!, new RegExp(`this device has no module "${module}"`));
  }
});

test("module, target version and task survive restarts: what was pushed as MCU ends as MCU", () => {
  const device = new Device("v0");
  device.fixture.connect();
  device.push();
  device.fixture.deliver(next, 2 * SECTOR);
  device.fixture.powerOn();
  device.fixture.wait();
  device.fixture.deliver(next);
  device.fixture.ack("burning");
  device.fixture.powerOn();
  device.fixture.connect();
  const { report } = device.fixture.reports.at(-1)!;
  assert.deepEqual(report, { ...report, kind: "outcome", outcome: { kind: "done" } });
  assert.equal((report as { task: { module?: string } }).task.module, "MCU");
});

test("nothing is said of progress without a task in hand", () => {
  const device = new Device("v1");
  device.fixture.connect();
  device.push({ version: undefined, url: undefined });
  device.fixture.disconnect();
  device.fixture.connect();
  device.fixture.powerOn();
  device.fixture.connect();
  assert.deepEqual(
    device.fixture.reports.filter(({ report }) => report.kind !== "version"),
    [],
  );
  assert.deepEqual(device.wire, []);
});
