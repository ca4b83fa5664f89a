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
import { JobDesk, image } from "../job/job-desk";
import type { DeskOptions } from "../job/job-desk";

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
  readonly desk: JobDesk;
  readonly #dialect: ThingsPanelPlatform;
  #id = 100_000_000;

  constructor(profile: "v0" | "v1", options: DeskOptions = {}) {
    this.#dialect = new ThingsPanelPlatform({ ...CONFIG, profile }, new NodeCrypto());
    this.desk = new JobDesk({ platform: this.#dialect.name, rules: this.#dialect.rules, ...options });
  }

  /** One task message; every push has an id of its own. */
  push(params: object = {}): void {
    const message = { code: "200", id: String(this.#id++), params: { ...PARAMS, ...params } };
    const incoming = this.#dialect.parse(this.#dialect.subscriptions[0]!, Buffer.from(JSON.stringify(message)));
    if (incoming.kind === "offer") this.desk.push(incoming.offer);
    else if (incoming.kind === "refused")
      this.desk.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
  }

  /** What the server got so far: "v 0.1.0" or the step. */
  get wire(): string[] {
    return this.desk.reports.flatMap(({ report }) => this.#told(report) ?? []);
  }

  #told(report: Report): string | undefined {
    const message = this.#dialect.encode(report);
    if (message === undefined) return undefined;
    const body = JSON.parse(message.payload) as { step?: string; params?: { version: string } };
    return body.params === undefined ? body.step : `v ${body.params.version}`;
  }

  install(): void {
    this.push();
    this.desk.deliver(next);
    this.desk.ack("burning");
  }
}

test("row 4, duplicates: the same task with new ids is one job, and starts nothing anew", () => {
  for (const profile of ["v0", "v1"] as const) {
    const device = new Device(profile);
    const { desk } = device;
    desk.connect();
    device.push();
    device.push();
    desk.deliver(next, 2 * SECTOR);
    device.push();
    device.push({ signMethod: "MD5", sign: sign.toUpperCase() });
    desk.deliver(next);
    device.push();
    desk.ack("burning");
    desk.connect();
    device.push();
    assert.deepEqual(desk.outcomes, ["done"]);
    assert.equal(desk.downloads.length, 1);
  }
});

test("row 7, size: one that the server's file does not have is found out before the first erase", () => {
  const device = new Device("v1", { policy: { allowNoDigest: true } });
  device.desk.connect();
  device.push({ size: "0", sign: "", module: null });
  const erased: number[] = [];
  device.desk.board.chip.onOperation = ({ kind, address }) =>
    void (kind === "erase" && address >= device.desk.board.table.slots[1].address && erased.push(address));
  device.desk.dispatch({ type: "total", size: 1 << 24, validator: undefined });
  assert.deepEqual(erased, []);
  assert.deepEqual(device.wire, ["1", "-1"]);
});

test("row 8, sign: a task without one is refused with -1 unless policy allows it", () => {
  const strict = new Device("v1");
  strict.desk.connect();
  strict.push({ size: "0", sign: "", module: null });
  assert.deepEqual(strict.wire, ["-1"]);
  assert.deepEqual(strict.desk.outcomes, ["rejected: the offer has no digest (allowNoDigest permits that)"]);
  const lenient = new Device("v1", { policy: { allowNoDigest: true } });
  lenient.desk.connect();
  lenient.push({ size: "0", sign: "", module: null });
  lenient.desk.deliver(next);
  lenient.desk.ack("burning");
  lenient.desk.connect();
  assert.deepEqual(lenient.wire, ["1", "99", "99", "100"]);
});

test("row 10, step: 1 first, never 0, 99 while it restarts, 100 from the confirmed new firmware alone", () => {
  const device = new Device("v0");
  device.desk.connect();
  device.install();
  assert.deepEqual(device.wire, ["v 0.1.0", "1", "99", "99"]);
  assert.equal(device.desk.state, "trial");
  device.desk.connect();
  assert.deepEqual(device.wire.slice(4), ["v 0.2.0", "100"]);
});

test("row 11, re-pushes: a version is reported at connect only while no job is in hand", () => {
  const device = new Device("v0");
  device.desk.connect();
  device.push();
  device.desk.deliver(next, 2 * SECTOR);
  for (let i = 0; i < 3; i++) {
    device.desk.disconnect();
    device.desk.connect();
    device.desk.powerOn();
    device.desk.connect();
    device.desk.wait();
  }
  assert.deepEqual(
    device.wire.filter((each) => each.startsWith("v")),
    ["v 0.1.0"],
  );
});

test("row 11, re-pushes: after a rollback the negative step goes before the version, and the image is not tried again", () => {
  for (const profile of ["v0", "v1"] as const) {
    const device = new Device(profile, { answers: { health: false } });
    device.desk.connect();
    device.install();
    device.desk.connect();
    assert.equal(device.desk.running.version, "0.1.0");
    const from = device.wire.length;
    device.desk.connect();
    assert.deepEqual(device.wire.slice(from), ["-1"]);
    device.desk.ack("outcome");
    assert.deepEqual(device.wire.slice(from), profile === "v0" ? ["-1", "v 0.1.0"] : ["-1"]);
    for (let i = 0; i < 3; i++) device.push();
    assert.deepEqual(
      device.wire.slice(from).filter((each) => !each.startsWith("v")),
      ["-1", "-1", "-1", "-1"],
    );
    assert.equal(device.desk.downloads.length, 1);
  }
});

test("row 13, no pull: a job in hand goes on by itself after power-on, at once and without a connection to the broker", () => {
  for (const profile of ["v0", "v1"] as const) {
    const device = new Device(profile);
    device.desk.connect();
    device.push();
    device.desk.deliver(next, 2 * SECTOR);
    device.desk.powerOn();
    assert.equal(device.desk.job.deadline(), device.desk.now);
    device.desk.wait();
    assert.deepEqual(
      device.desk.downloads.map(({ url, offset }) => [url, offset]),
      [
        [PARAMS.url, 0],
        [PARAMS.url, 2 * SECTOR],
      ],
    );
    device.desk.deliver(next);
    device.desk.ack("burning");
    device.desk.connect();
    assert.equal(device.wire.at(-1), "100");
  }
});

test("row 13, no pull: an expired URL ends the job, for no new one can be had", () => {
  const device = new Device("v0");
  device.desk.connect();
  device.push();
  device.desk.dispatch({ type: "expired", message: "HTTP 403: the URL has expired or is not allowed" });
  assert.deepEqual(device.wire, ["v 0.1.0", "1", "-2"]);
});

test("row 15, version report after success: v0 has it, v1 reaches the cloud by its subscription alone", () => {
  const v1 = new Device("v1");
  v1.desk.connect();
  v1.install();
  v1.desk.connect(false);
  assert.deepEqual(v1.wire, ["1", "99", "99", "100"]);
  assert.equal(v1.desk.running.state, "valid");
});

test("module, target version and task survive restarts: what was pushed as MCU ends as MCU", () => {
  const device = new Device("v0");
  device.desk.connect();
  device.push();
  device.desk.deliver(next, 2 * SECTOR);
  device.desk.powerOn();
  device.desk.wait();
  device.desk.deliver(next);
  device.desk.ack("burning");
  device.desk.powerOn();
  device.desk.connect();
  const { report } = device.desk.reports.at(-1)!;
  assert.deepEqual(report, { ...report, kind: "outcome", outcome: { kind: "done" } });
  assert.equal((report as { task: { module?: string } }).task.module, "MCU");
});

test("nothing is said of progress without a task in hand", () => {
  const device = new Device("v1");
  device.desk.connect();
  device.push({ version: undefined, url: undefined });
  device.desk.disconnect();
  device.desk.connect();
  device.desk.powerOn();
  device.desk.connect();
  assert.deepEqual(
    device.desk.reports.filter(({ report }) => report.kind !== "version"),
    [],
  );
  assert.deepEqual(device.wire, []);
});
