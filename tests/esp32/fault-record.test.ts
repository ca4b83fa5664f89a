import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultRecord, installAbortHook } from "../../hal/esp32/fault-record";
import type { Store } from "../../src/ports";

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
  installAbortHook(host, { faults: run, version: "0.2.0", restart: () => void restarts++, log: () => {} });
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
  installAbortHook(host, { faults: run, version: "0.2.0", restart, log: () => {} });
  assert.equal(host.abort!("memory full", undefined), undefined);
});

test("a rejected promise that nobody handles is logged and does not end the run", () => {
  const store = new MemoryStore();
  const run = new FaultRecord(store);
  run.begin("power-on");
  const lines: string[] = [];
  const host: { abort?: (why: string, error: unknown) => boolean | undefined } = {};
  installAbortHook(host, {
    faults: run,
    version: "0.2.0",
    restart: () => assert.fail("restarted"),
    log: (line) => lines.push(line),
  });
  assert.equal(host.abort!("unhandled rejection", new Error("late")), false);
  assert.deepEqual(lines, ["unhandled rejection: Error: late"]);
  assert.match(new FaultRecord(store).begin("software") ?? "", /nobody announced/);
});

test("an application's own abort hook is kept", () => {
  const own = (): undefined => undefined;
  const host = { abort: own };
  installAbortHook(host, {
    faults: new FaultRecord(new MemoryStore()),
    version: "0.2.0",
    restart: () => {},
    log: () => {},
  });
  assert.equal(host.abort, own);
});
