import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Boot, Expander, Flash, Ports, Store } from "../../src/ports";
import { BridgeHost } from "../../host-sim/board/bridge-host";
import type { Engine } from "../../host-sim/board/engine";
import { NodeClock } from "../../host-sim/board/node-clock";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { NodeNetwork } from "../../host-sim/board/node-network";
import { bridgePorts } from "../../host-sim/board/firmware/bridge-ports";
import type { BridgePorts } from "../../host-sim/board/firmware/bridge-ports";
import { clockContract } from "../contract/clock";
import { cryptoContract } from "../contract/crypto";
import { networkContract } from "../contract/network";

/** Firmware's ports over the real messages, without an engine in between. */
function bridged(
  given: Partial<Ports> = {},
  onEvent: (json: string) => void = () => {},
): { ports: BridgePorts; close(): void } {
  const clock = new NodeClock();
  const flash = { size: 8192, sectorSize: 4096 } as Flash;
  const ports: Ports = {
    flash,
    boot: {} as Boot,
    store: {} as Store,
    network: new NodeNetwork(),
    crypto: new NodeCrypto(),
    clock,
    ...given,
  };
  const host = new BridgeHost({ ports, configuration: '{"größe":1}', onEvent });
  const firmware = bridgePorts((request) => new Uint8Array(host.answer(new Uint8Array(request))).buffer, "1.2.3");
  const engine: Engine = {
    run: () => Promise.resolve(undefined),
    turn: async (message) => void firmware.handle(new Uint8Array(message).buffer),
    stop: () => {},
    ended: new Promise(() => {}),
  };
  host.attach(engine);
  return { ports: firmware, close: () => host.stop() };
}

networkContract("sockets through the bridge", (trust) => {
  const { ports, close } = bridged({ network: new NodeNetwork(trust) });
  return { network: ports.network, close };
});
cryptoContract("crypto through the bridge", () => bridged().ports.crypto);
clockContract("clock through the bridge", () => {
  const { ports, close } = bridged();
  return { clock: ports.clock, close };
});

test("an error of a port reaches the firmware as that error, and the next call works", () => {
  const flash: Flash = {
    size: 1 << 20,
    sectorSize: 4096,
    blockSectors: 16,
    eraseBlock: (sector) => {
      throw new Error(`flash block erase of sector ${sector}: worn out`);
    },
    erase: (sector) => {
      if (sector > 1) throw new Error(`flash erase of sector ${sector}: worn out, größer`);
    },
    write: () => {},
    read: (offset, into) => void into.fill(offset),
    equals: (offset) => offset === 7,
  };
  const { ports } = bridged({ flash });
  assert.throws(() => ports.flash.erase(2), { message: "flash erase of sector 2: worn out, größer" });
  assert.throws(() => ports.flash.eraseBlock(16), { message: "flash block erase of sector 16: worn out" });
  assert.equal(ports.flash.blockSectors, 16);
  ports.flash.erase(1);
  const into = new Uint8Array(3);
  ports.flash.read(9, into);
  assert.deepEqual([...into], [9, 9, 9]);
  assert.equal(ports.flash.equals(7, into), true);
  assert.equal(ports.flash.equals(8, into), false);
  assert.equal(ports.flash.size, 1 << 20);
});

const START_UP = { bootloaderRollsBack: false, guarded: true, starts: 2, wakes: 3, awake: 4, since: 5_000_000_000 };

test("what the start-up found arrives, and what it does not know is undefined", () => {
  for (const bootloaderRollsBack of [false, undefined]) {
    const { ports } = bridged({ boot: { startUp: () => ({ ...START_UP, bootloaderRollsBack }) } as Boot });
    assert.deepEqual(
      { ...ports.boot.startUp(), bootloaderRollsBack: ports.boot.startUp().bootloaderRollsBack },
      { ...START_UP, bootloaderRollsBack },
    );
  }
});

test("boot and store calls arrive with their arguments and come back with their results", () => {
  const calls: string[] = [];
  const kept = new Map<string, number | Uint8Array>();
  const boot: Omit<Boot, "expander"> = {
    running: () => ({ slot: "ota_1", version: "0.9.0", project: "größe", chip: 5, state: "pending" }),
    startUp: () => START_UP,
    target: () => "ota_0",
    resetReason: () => "brown-out",
    readRunning: (offset, into) => void into.fill(offset),
    targetStarted: () => false,
    lastInvalid: () => undefined,
    invalidateTarget: () => void calls.push("invalidate"),
    verifyTarget: () => 123_456,
    activate: () => {
      throw new Error("activate ota_0: no image");
    },
    confirm: () => void calls.push("confirm"),
    deadline: (milliseconds) => void calls.push(`deadline ${milliseconds}`),
    sleep: (seconds) => void calls.push(`sleep ${seconds}`),
    rollback: () => void calls.push("rollback"),
    restart: () => void calls.push("restart"),
  };
  const store: Store = {
    getNumber: (key) => kept.get(key) as number | undefined,
    setNumber: (key, value) => void kept.set(key, value),
    getBytes: (key) => kept.get(key) as Uint8Array | undefined,
    setBytes: (key, bytes) => void kept.set(key, bytes.slice()),
    delete: (key) => void kept.delete(key),
  };
  const { ports } = bridged({ boot: boot as Boot, store });
  assert.deepEqual(
    ports.boot.running(),
    { ...boot.running(), version: "1.2.3" },
    "all but the version, which firmware knows itself",
  );
  assert.deepEqual(
    [ports.boot.target(), ports.boot.resetReason(), ports.boot.lastInvalid(), ports.boot.verifyTarget()],
    ["ota_0", "brown-out", undefined, 123_456],
  );
  assert.equal(ports.boot.targetStarted(), false);
  assert.throws(() => ports.boot.activate(), { message: "activate ota_0: no image" });
  ports.boot.invalidateTarget();
  ports.boot.confirm();
  ports.boot.deadline(900_000);
  ports.boot.rollback();
  ports.boot.sleep(60);
  ports.boot.restart();
  assert.deepEqual(calls, ["invalidate", "confirm", "deadline 900000", "rollback", "sleep 60", "restart"]);
  ports.store.setNumber("n", 0xffff_ffff);
  ports.store.setBytes("b", new Uint8Array(0));
  ports.store.setBytes("c", Uint8Array.of(1, 0, 255));
  assert.deepEqual(
    [ports.store.getNumber("n"), ports.store.getNumber("x"), ports.store.getBytes("x")],
    [0xffff_ffff, undefined, undefined],
  );
  assert.deepEqual(
    [ports.store.getBytes("b"), ports.store.getBytes("c")],
    [new Uint8Array(0), Uint8Array.of(1, 0, 255)],
  );
  ports.store.delete("n");
  assert.equal(ports.store.getNumber("n"), undefined);
});

test("the configuration for firmware of earlier versions goes down and events go up as text", () => {
  const events: string[] = [];
  const { ports } = bridged({}, (json) => events.push(json));
  assert.equal(ports.configuration(), '{"größe":1}');
  ports.emit('{"event":"€"}');
  assert.deepEqual(events, ['{"event":"€"}']);
});

test("a decoder of the board works through the bridge", () => {
  const calls: string[] = [];
  const expander: Expander = {
    begin: (...block) => void calls.push(`begin ${block.join(" ")}`),
    next: (into) => void into.fill(7),
    close: () => void calls.push("close"),
  };
  const { ports } = bridged({ boot: { expander: (oldLength) => (calls.push(`${oldLength}`), expander) } as Boot });
  const made = ports.boot.expander(1_000_000);
  const into = new Uint8Array(4096);
  made.begin(4096, 10, 65_536, 4096);
  made.next(into);
  made.close();
  assert.deepEqual(calls, ["1000000", "begin 4096 10 65536 4096", "close"]);
  assert.ok(into.every((byte) => byte === 7));
});

test("digests that firmware drops do not pile up on the board", () => {
  const { ports } = bridged();
  for (let i = 0; i < 1000; i++) ports.crypto.digest("MD5");
  const last = ports.crypto.digest("SHA256");
  last.write(Buffer.from("abc"));
  assert.equal(Buffer.from(last.close()).toString("hex"), createHash("sha256").update("abc").digest("hex"));
});

test("when the power is off, nothing is delivered any more", async () => {
  const { ports, close } = bridged();
  let fired = false;
  ports.clock.set(() => (fired = true), 0);
  close();
  // The timer of another board is set later for the same time. Node calls timers of equal duration in the order in
  // which they were set.
  const other = bridged();
  await new Promise<void>((resolve) => other.ports.clock.set(resolve, 0));
  other.close();
  assert.equal(fired, false);
});
