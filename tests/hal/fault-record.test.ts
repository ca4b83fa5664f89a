import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultRecord, installAbortHook, noteRestarts } from "../../hal/moddable/fault-record";
import type { Boot, Store } from "../../src/ports";
import { encodeUtf8 } from "../../src/util/utf8";

class MemoryStore implements Store {
  readonly #values = new Map<string, number | Uint8Array>();
  broken = false;

  getNumber(key: string): number | undefined {
    const value = this.#get(key);
    return typeof value === "number" ? value : undefined;
  }
  setNumber(key: string, value: number): void {
    this.#set(key, value);
  }
  getBytes(key: string): Uint8Array | undefined {
    const value = this.#get(key);
    return typeof value === "number" ? undefined : value;
  }
  setBytes(key: string, bytes: Uint8Array): void {
    this.#set(key, bytes);
  }
  delete(key: string): void {
    this.#values.delete(key);
  }

  #get(key: string): number | Uint8Array | undefined {
    if (this.broken) throw new Error("broken");
    return this.#values.get(key);
  }
  #set(key: string, value: number | Uint8Array): void {
    if (this.broken) throw new Error("broken");
    this.#values.set(key, value);
  }
}

test("an uncaught exception is reported once at the next start, with version and reset reason", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  assert.equal(run.begin("power-on"), undefined);
  run.record("0.2.0", "unhandled exception", new TypeError("x is not a function"));
  assert.equal(
    new FaultRecord(store).begin("software"),
    "0.2.0: unhandled exception: TypeError: x is not a function (software reset)",
  );
  new FaultRecord(store).leave();
  assert.equal(new FaultRecord(store).begin("software"), undefined);
});

test("a wanted restart is not reported as a fault", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  run.leave();
  assert.equal(new FaultRecord(store).begin("software"), undefined);
});

test("a software reset without announcement is reported", () => {
  const store = new MemoryStore();
  new FaultRecord(store).begin("power-on");
  assert.match(new FaultRecord(store).begin("software") ?? "", /nobody announced/);
});

test("watchdog, panic and brown-out are reported; power-on and an unknown reason are not", () => {
  const store = new MemoryStore();
  new FaultRecord(store).begin("power-on");
  assert.equal(new FaultRecord(store).begin("watchdog"), "watchdog reset");
  assert.equal(new FaultRecord(store).begin("panic"), "panic reset");
  assert.equal(new FaultRecord(store).begin("brown-out"), "brown-out reset");
  assert.equal(new FaultRecord(store).begin("power-on"), undefined);
  assert.equal(new FaultRecord(store).begin("other"), undefined);
});

test("the text is one bounded piece, whatever was thrown", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  run.record("0.1.0", "unhandled exception", "é".repeat(10_000));
  const told = new FaultRecord(store).begin("software") ?? "";
  assert.ok(told.length < 200, `${told.length} characters`);
  assert.ok(told.startsWith("0.1.0: unhandled exception: éé"));
  const next = new FaultRecord(store);
  next.begin("software");
  next.record("0.1.0", "unhandled exception", undefined);
  assert.match(new FaultRecord(store).begin("software") ?? "", /undefined/);
});

test("a store that fails loses the record, and nothing else fails", () => {
  const store = new MemoryStore();
  store.broken = true;
  const run = new FaultRecord(store);
  assert.equal(run.begin("watchdog"), undefined);
  run.record("0.1.0", "unhandled exception", new Error("x"));
  run.leave();
});

/**
 * Calls the hook as `fxAbort` of the SDK does: it loses the exception, trips over that itself, and calls the hook again
 * until it is restarted.
 */
function abortAsSdk(
  hook: (why: string, error: unknown) => boolean | undefined,
  error: unknown,
  restarted: () => boolean,
): number {
  let calls = 0;
  for (let thrown = error; calls < 20 && !restarted(); thrown = new TypeError("cannot coerce undefined to object")) {
    calls++;
    if (hook("unhandled exception", thrown) === false) break;
  }
  return calls;
}

test("an uncaught exception restarts the chip from inside the abort hook, with its own text in the record", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  const host: { abort?: (why: string, error: unknown) => boolean | undefined } = {};
  let restarts = 0;
  installAbortHook(host, { faults: run, version: "0.2.0", restart: () => void restarts++, rejected: () => {} });
  assert.equal(
    abortAsSdk(host.abort!, new Error("born broken"), () => restarts > 0),
    1,
  );
  assert.equal(restarts, 1);
  assert.equal(
    new FaultRecord(store).begin("software"),
    "0.2.0: unhandled exception: Error: born broken (software reset)",
  );
});

test("the first text of a run is kept", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  run.record("0.2.0", "unhandled exception", new Error("born broken"));
  run.record("0.2.0", "unhandled exception", new TypeError("cannot coerce undefined to object"));
  assert.match(new FaultRecord(store).begin("panic") ?? "", /born broken/);
});

test("an error whose text can not be stored is reported as a restart without announcement", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  store.broken = true;
  run.record("0.2.0", "memory full", undefined);
  store.broken = false;
  run.leave();
  assert.match(new FaultRecord(store).begin("software") ?? "", /nobody announced/);
});

test("when the abort hook's restart throws, the engine ends the run", () => {
  const host: { abort?: (why: string, error: unknown) => boolean | undefined } = {};
  const run = new FaultRecord(new MemoryStore());
  const restart = (): void => {
    throw new Error("no memory");
  };
  installAbortHook(host, { faults: run, version: "0.2.0", restart, rejected: () => {} });
  assert.equal(host.abort!("memory full", undefined), undefined);
});

test("a rejected promise that nobody handles is told and does not end the run", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  const lines: string[] = [];
  const host: { abort?: (why: string, error: unknown) => boolean | undefined } = {};
  installAbortHook(host, {
    faults: run,
    version: "0.2.0",
    restart: () => assert.fail("restarted"),
    rejected: (error) => lines.push(String(error)),
  });
  assert.equal(host.abort!("unhandled rejection", new Error("late")), false);
  assert.deepEqual(lines, ["Error: late"]);
  assert.match(new FaultRecord(store).begin("software") ?? "", /nobody announced/);
});

test("an application's own abort hook is kept", () => {
  const own = (): undefined => undefined;
  const host = { abort: own };
  installAbortHook(host, {
    faults: new FaultRecord(new MemoryStore()),
    version: "0.2.0",
    restart: () => {},
    rejected: () => {},
  });
  assert.equal(host.abort, own);
});

test("firmware on trial that crashes leaves behind what it waited for", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("software", true);
  run.stage("0.2.0", "no address");
  assert.equal(new FaultRecord(store).begin("watchdog"), "0.2.0: no address; watchdog reset");
  assert.equal(new FaultRecord(store).begin("watchdog"), "watchdog reset", "told once");
});

test("an exception in a trial is told with what the trial waited for", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("software", true);
  run.stage("0.2.0", "clock not set");
  run.record("0.2.0", "unhandled exception", new Error("late"));
  assert.equal(
    new FaultRecord(store).begin("software"),
    "0.2.0: clock not set; unhandled exception: Error: late (software reset)",
  );
});

test("a power cut in a trial is no fault, and a trial that is over leaves nothing", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("software", true);
  run.stage("0.2.0", "no address");
  assert.equal(new FaultRecord(store).begin("power-on", true), undefined);
  const again = new FaultRecord(store);
  again.stage("0.2.0", "no address");
  again.stage("0.2.0", undefined);
  assert.equal(new FaultRecord(store).begin("panic"), "panic reset");
});

test("an image that was activated, and whose start-up never ran, is told by the firmware that is back", () => {
  for (const reason of ["software", "watchdog", "panic"] as const) {
    const store = new MemoryStore();
    const run = new FaultRecord(store);
    run.begin("power-on");
    run.activate();
    run.leave();
    assert.equal(new FaultRecord(store).begin(reason), `the new firmware did not come to powerOn (${reason} reset)`);
  }
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.activate();
  // As the deadline of the start-up in C leaves it.
  store.setBytes("fault", encodeUtf8("0.2.0: not confirmed within 900 s"));
  assert.equal(
    new FaultRecord(store).begin("software"),
    "0.2.0: no powerOn; not confirmed within 900 s (software reset)",
  );
  run.activate();
  assert.equal(new FaultRecord(store).begin("power-on"), undefined, "the power was cut");
  run.activate();
  assert.equal(new FaultRecord(store).begin("software", true), undefined, "it has come to powerOn");
});

test("a boot port says what it is asked for, also where its class is frozen", () => {
  const asked: string[] = [];
  class FrozenBoot {
    readonly name = "boot";
    activate(): void {
      asked.push(`${this.name} activate`);
    }
    rollback(): void {
      asked.push(`${this.name} rollback`);
    }
    restart(): void {
      asked.push(`${this.name} restart`);
    }
  }
  Object.freeze(FrozenBoot.prototype);
  const store = new MemoryStore();
  const boot = new FrozenBoot() as unknown as Boot;
  noteRestarts(boot, new FaultRecord(store));
  boot.rollback();
  assert.equal(store.getNumber("running"), 0);
  boot.activate();
  boot.restart();
  assert.equal(store.getNumber("running"), 2);
  assert.deepEqual(asked, ["boot rollback", "boot activate", "boot restart"]);
});
