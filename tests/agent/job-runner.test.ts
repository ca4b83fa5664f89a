/** The runner of the job: what each effect calls and answers, the order of events, questions, and effects that fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ports } from "../../src/ports";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { JobRunner } from "../../src/agent/job-runner";
import type { JobHost } from "../../src/agent/job-runner";
import { SECTOR } from "../../src/constants";
import type { ModuleInstaller } from "../../src/modules/installer";
import type { JobEvent } from "../../src/job/effects";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { readRecords } from "../../src/job/records";
import type { Offer } from "../../src/job/types";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { RULES, image } from "../job/job-fixture";
import { restartingBoot } from "../job/restarting-boot";

function boardPorts(): Ports {
  const board = new MemoryBoard({ factoryImage: image("0.1.0"), table: partitionTableFor(4 << 20) });
  board.powerOn();
  return board.ports as unknown as Ports;
}

class Installer implements ModuleInstaller {
  readonly capacity = SECTOR;
  readonly calls: string[] = [];
  begin({ version, size }: { version: string; size: number }, offset: number): void {
    this.calls.push(`begin ${version} ${size} ${offset}`);
  }
  write(offset: number): void {
    this.calls.push(`write ${offset}`);
  }
  equals(offset: number): boolean {
    this.calls.push(`equals ${offset}`);
    return true;
  }
  read(offset: number, into: Uint8Array): void {
    this.calls.push(`read ${offset}`);
    into.fill(0x55);
  }
  finish(): void {}
  abort(): void {
    this.calls.push("abort");
    throw new Error("busy");
  }
}

const OFFER: Offer = { version: "a1", size: SECTOR, url: "https://files/assets.bin", component: "assets" };
const OPEN = { type: "open-component", component: "assets", version: "a1", size: 100, offset: 0 } as const;

/** A runner that has booted. `change`: the host's calls; by default the application agrees to everything, at once. */
function runnerOf(ports: Ports, change: Partial<JobHost> = {}, installer?: ModuleInstaller): JobRunner {
  const host: JobHost = {
    now: () => 0,
    enter: (callback) => callback(),
    defer: (callback) => callback(),
    download() {},
    renew() {},
    stopDownload() {},
    report() {},
    ask: (question, _task, answer) => {
      if (question === "consent") answer({ type: "consent", decision: "accept" });
    },
    notify() {},
    ...change,
  };
  const installers = new Map(installer === undefined ? [] : [["assets", installer]]);
  const runner = new JobRunner({ ...ports, crypto: new NodeCrypto() }, new Uint8Array(SECTOR), installers, host);
  runner.boot({ platform: { name: "tencent", rules: RULES }, policy: { ...DEFAULT_POLICY, allowNoDigest: true } });
  return runner;
}

test("a component's effects go to its installer, the firmware's to flash", () => {
  const installer = new Installer();
  const runner = runnerOf(boardPorts(), {}, installer);
  const bytes = new Uint8Array(4);
  runner.execute({ type: "erase", sector: 0 });
  runner.execute({ type: "write", offset: 0, bytes });
  assert.deepEqual(runner.execute({ type: "read", from: "target", offset: 0, length: 5 }), {
    type: "bytes",
    bytes: Uint8Array.of(0, 0, 0, 0, 0xff),
  });
  assert.deepEqual(installer.calls, [], "without a job the target is the slot");
  runner.dispatch({ type: "offer", offer: OFFER });
  runner.execute(OPEN);
  runner.execute({ type: "write", offset: 0, bytes });
  assert.deepEqual(runner.execute({ type: "compare", offset: 0, bytes, erased: 0 }), { type: "compared", equal: true });
  assert.deepEqual(runner.execute({ type: "read", from: "target", offset: 8, length: 2 }), {
    type: "bytes",
    bytes: Uint8Array.of(0x55, 0x55),
  });
  assert.deepEqual(installer.calls, ["begin a1 100 0", "write 0", "equals 0", "read 8"]);
  assert.deepEqual(runner.execute({ type: "read", from: "running", offset: 0, length: 1 }), {
    type: "bytes",
    bytes: Uint8Array.of(0xe9),
  });
  assert.equal(installer.calls.length, 4);
});

test("after an abort no module is open, whatever its installer throws", () => {
  const installer = new Installer();
  const runner = runnerOf(boardPorts(), {}, installer);
  const write = { type: "write", offset: 0, bytes: new Uint8Array(1) } as const;
  runner.dispatch({ type: "offer", offer: OFFER });
  assert.throws(() => runner.execute(write), /no module is open/);
  runner.execute(OPEN);
  runner.execute(write);
  runner.execute({ type: "abort-component", component: "assets" });
  assert.equal(installer.calls.at(-1), "abort");
  assert.throws(() => runner.execute(write), /no module is open/);
  assert.throws(() => runner.execute({ ...OPEN, component: "mcu" }), /this firmware has no module "mcu"/);
  assert.throws(() => runner.execute(write), /no module is open/);
});

test("a compare looks at the erased bytes before it as well", () => {
  const runner = runnerOf(boardPorts());
  const bytes = new Uint8Array(8).fill(3);
  const equal = (erased: number): unknown => runner.execute({ type: "compare", offset: 16, bytes, erased });
  runner.execute({ type: "erase", sector: 0 });
  runner.execute({ type: "write", offset: 16, bytes });
  assert.deepEqual(equal(16), { type: "compared", equal: true });
  runner.execute({ type: "write", offset: 0, bytes: Uint8Array.of(0x7f) });
  assert.deepEqual(
    [equal(16), equal(0)],
    [
      { type: "compared", equal: false },
      { type: "compared", equal: true },
    ],
  );
});

test("a store that throws is an empty one at power-on", () => {
  const fails = (): never => {
    throw new Error("worn out");
  };
  assert.deepEqual(readRecords({ getNumber: fails, getBytes: fails }), {});
  const store = { getNumber: fails, getBytes: fails, setNumber: fails, setBytes: fails, delete: fails };
  assert.equal(runnerOf({ ...boardPorts(), store }).job?.state, "idle");
});

test("an effect that fails drops those behind it, and the job hears of it", () => {
  const ports = boardPorts();
  const handled: string[] = [];
  const requests: string[] = [];
  const invalidateTarget = (): never => {
    throw new Error("otadata is worn out");
  };
  const runner = runnerOf(
    { ...ports, boot: { ...restartingBoot(ports.boot, { restartWanted: undefined }), invalidateTarget } },
    {
      download: ({ url }) => requests.push(url),
      handled: (event) =>
        handled.push(event.type === "effect-failed" ? `${event.effect}: ${event.message}` : event.type),
    },
  );
  const { component: _component, ...firmware } = OFFER;
  runner.dispatch({ type: "offer", offer: { ...firmware, version: "0.2.0" } });
  assert.deepEqual(requests, [], "the download stands behind the boot entry");
  assert.deepEqual(handled, ["boot", "offer", "consent", "invalidate: otadata is worn out"]);
  assert.equal(runner.job?.state, "reporting");
});

test("an error of a chip that is gone is thrown on, and later events are handled again", () => {
  const gone = new Error("power");
  const runner = runnerOf(boardPorts(), {
    isGone: (error) => error === gone,
    report: ({ kind }) => {
      if (kind === "version") throw gone;
    },
  });
  assert.throws(() => runner.dispatch({ type: "link", up: true }), gone);
  runner.dispatch({ type: "offer", offer: { ...OFFER, component: "mcu", digest: { algorithm: "MD5", hex: "" } } });
  assert.equal(runner.job?.state, "idle");
});

test("only the latest question may be answered, once, and an answer that comes later enters by the host", () => {
  const answers: ((event: JobEvent) => void)[] = [];
  const entered: string[] = [];
  const runner = runnerOf(boardPorts(), {
    ask: (_question, _task, answer) => answers.push(answer),
    enter: (callback) => (entered.push("entered"), callback()),
  });
  const { component: _component, ...firmware } = OFFER;
  runner.dispatch({ type: "offer", offer: { ...firmware, version: "0.2.0" } });
  runner.dispatch({ type: "offer", offer: { ...firmware, version: "0.3.0" } });
  answers[0]!({ type: "consent", decision: "accept" });
  assert.deepEqual([runner.job?.state, entered.length], ["consent", 0], "the first question is out of date");
  answers[1]!({ type: "consent", decision: "accept" });
  answers[1]!({ type: "consent", decision: "accept" });
  assert.deepEqual([runner.job?.task?.version, entered.length], ["0.3.0", 1]);
});
