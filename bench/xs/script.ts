/**
 * What runs in XS: the agent over ports that do nothing, so that what is counted is the agent's own work; and parts of
 * it by themselves. Every message is one turn, and the engine's meter counts turns.
 */
import type { Ports, Socket, SocketEvents } from "../../src/ports";
import { JobRunner } from "../../src/agent/job-runner";
import type { JobHost } from "../../src/agent/job-runner";
import { SECTOR } from "../../src/constants";
import { rangeRequest } from "../../src/download/request";
import { HeadReader } from "../../src/http/head";
import { interpret } from "../../src/http/response";
import { OtaAgent } from "../../src/index";
import { HashPass } from "../../src/job/hash-pass";
import { NO_CHECKPOINT } from "../../src/job/records";
import { StoredJob } from "../../src/job/stored-job";
import { FIRMWARE } from "../../src/job/target";
import { MqttSession } from "../../src/mqtt/session";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { encodeUtf8 } from "../../src/util/utf8";
import { md5 } from "../../src/vendor/js-md5";
import { Ask, Command, PARTS } from "./protocol";
import type { Configuration, Part } from "./protocol";

declare function issueCommand(request: ArrayBuffer): ArrayBuffer;
declare function gc(): void;

/** Length of the downloader's buffer for heads; longer reads go into the sector buffer. */
const LOOKED_AT = 512;

const world = {
  now: 0,
  /** Of the timers; may be of one that was cleared. */
  next: Infinity,
  told: Infinity,
  events: new Map<number, { events: SocketEvents; waiting: Uint8Array; at: number; whole: boolean }>(),
  timers: new Map<number, { at: number; callback: () => void }>(),
  last: 0,
  digest: 0,
  agent: undefined as OtaAgent | undefined,
  first: new Uint8Array(0),
  digests: [] as Uint8Array[],
  size: 0,
  // The 30th install adds this one. On a chip records are in flash, here they would count as the agent's slots.
  records: new Map<string, number | Uint8Array>([["awake", 0]]),
};

function ask(kind: number, number: number, bytes?: Uint8Array): Uint8Array {
  const message = new Uint8Array(2 + (bytes?.length ?? 0));
  message[0] = kind;
  message[1] = number;
  if (bytes !== undefined) message.set(bytes, 2);
  return new Uint8Array(issueCommand(message.buffer));
}

const flash: Ports["flash"] = {
  size: 1 << 21,
  sectorSize: SECTOR,
  blockSectors: 16,
  erase() {},
  eraseBlock() {},
  write() {},
  read() {},
  equals: () => true,
};
const ports: Ports = {
  flash,
  boot: {
    running: () => ({ slot: "ota_0", version: "0.1.0", project: "xs-ota-board", chip: 0, state: "valid" }),
    startUp: () => ({ bootloaderRollsBack: true, guarded: true, starts: 0, wakes: 0, awake: 0, since: 0 }),
    target: () => "ota_1",
    resetReason: () => "power-on",
    readRunning() {},
    expander() {
      throw new Error("no containers here");
    },
    targetStarted: () => undefined,
    lastInvalid: () => undefined,
    invalidateTarget() {},
    verifyTarget: () => world.size,
    activate() {},
    confirm() {},
    deadline() {},
    sleep() {},
    rollback() {},
    restart() {},
  },
  store: {
    getNumber: (key) => world.records.get(key) as number | undefined,
    setNumber: (key, value) => void world.records.set(key, value),
    getBytes: (key) => world.records.get(key) as Uint8Array | undefined,
    setBytes: (key, bytes) => void world.records.set(key, bytes),
    delete: (key) => void world.records.delete(key),
  },
  network: {
    connect({ port }, events): Socket {
      const id = ask(Ask.connect, 0, Uint8Array.of(port >> 8, port & 255))[0]!;
      const state = { events, waiting: new Uint8Array(0), at: 0, whole: true };
      world.events.set(id, state);
      return {
        // ESP-IDF's: what the chip's port says.
        window: 5_760,
        // XS meters a native copy at two for each byte, which on a chip is next to nothing: only what will be looked at
        // is copied.
        read(into) {
          const count = Math.min(into.length, state.waiting.length - state.at);
          if (count > 0 && (state.whole || into.length <= LOOKED_AT))
            into.set(state.waiting.subarray(state.at, state.at + count));
          state.at += count;
          return count;
        },
        write(bytes) {
          ask(Ask.write, id, bytes);
          return bytes.length;
        },
        close() {
          if (world.events.delete(id)) ask(Ask.close, id);
        },
      };
    },
  },
  crypto: {
    digest: () => ({ write() {}, close: () => world.digests[world.digest++ % world.digests.length]! }),
    verifyP256: () => false,
    random: () => 0.5,
  },
  retained: { read: () => undefined, write() {} },
  clock: {
    now: () => world.now,
    set(callback, milliseconds) {
      const at = world.now + milliseconds;
      world.timers.set(++world.last, { at, callback });
      if (at < world.next) world.next = at;
      return world.last;
    },
    clear: (handle) => void world.timers.delete(handle),
  },
};
const platform = (): TencentPlatform =>
  new TencentPlatform({ productId: "A1B2C3D4E5", deviceName: "bench", authMode: "CERT" }, ports.crypto);

function wake(): void {
  if (world.next === world.told) return;
  world.told = world.next;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, world.next);
  ask(Ask.wake, 0, bytes);
}

function start(configuration: Configuration): void {
  world.first = Uint8Array.from(configuration.first);
  world.digests = configuration.digests.map((hex) =>
    Uint8Array.from({ length: hex.length / 2 }, (_, at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16)),
  );
  world.size = configuration.size;
  world.agent = new OtaAgent({
    ports,
    platform: platform(),
    broker: { host: "broker.example", port: 1883, tls: false },
    policy: { allowHttp: true },
    recorder: configuration.recorder ?? true,
    onNotice: (notice) => void ask(Ask.notice, 0, encodeUtf8(JSON.stringify(notice))),
  });
  world.agent.start();
}

function segment(id: number, whole: boolean, bytes: Uint8Array): void {
  const state = world.events.get(id);
  if (state === undefined) return;
  if (bytes.length === 0) return state.events.opened();
  state.waiting = bytes;
  state.at = 0;
  state.whole = whole;
  state.events.readable();
}

function runTimers(now: number): void {
  world.now = now;
  world.next = Infinity;
  for (const [handle, { at, callback }] of world.timers) {
    if (at > now || !world.timers.delete(handle)) continue;
    callback();
  }
  for (const { at } of world.timers.values()) if (at < world.next) world.next = at;
}

/* ---- parts ---- */

const SAMPLE = {
  sector: new Uint8Array(SECTOR),
  head: new HeadReader(),
  runner: new JobRunner(ports, new Uint8Array(SECTOR), new Map(), {} as JobHost),
};
const TASK = {
  version: "0.2.0",
  size: 1_000_000,
  url: `http://files.example/fw.bin?sign=${"0".repeat(300)}`,
  digest: { algorithm: "MD5" as const, hex: "0".repeat(32) },
};

/** Returns one repetition of a part. What it needs is prepared here, outside of what is measured. */
/** Sectors erased before one is written. */
const eraseAt = (number: number): number => (number % flash.blockSectors === 0 ? flash.blockSectors : 0);

function prepare(part: Part, bytes: Uint8Array): (round: number) => void {
  const { runner, sector, head } = SAMPLE;
  switch (part) {
    case "nothing":
      return () => {};
    case "response head":
      return () => {
        head.reset();
        head.push(bytes, 0, bytes.length);
        interpret(head);
      };
    case "range request": {
      const prefix = bytes;
      return (round) => void rangeRequest(prefix, round * 8192, round * 8192 + 8192);
    }
    case "flash effects":
      return (round) => {
        for (const effect of FIRMWARE.store(round + 1, sector, eraseAt(round + 1))) runner.execute(effect);
      };
    case "checkpoint": {
      const { job } = StoredJob.begin({ platform: "tencent", slot: "ota_1", offer: TASK }, NO_CHECKPOINT);
      return () => {
        for (const effect of job.advance(sector)) runner.execute(effect);
      };
    }
    case "report":
      return reporter();
    case "digest pass": {
      const pass = new HashPass("target", 1 << 30, { whole: { write() {}, close: () => sector } });
      return () => {
        for (const effect of pass.next()) {
          if (effect.type !== "read") continue;
          const answer = runner.execute(effect);
          if (answer?.type === "bytes") pass.take(answer.bytes);
        }
      };
    }
    case "digest js-md5": {
      const hash = md5.create();
      return () => void hash.update(sector);
    }
  }
}

/** Encodes and publishes one progress report a round, in a session that is up. */
function reporter(): (round: number) => void {
  const dialect = platform();
  const session = new MqttSession({
    identity: () => dialect.identity(),
    subscriptions: dialect.subscriptions,
    random: () => 0.5,
  });
  session.start(0);
  session.opened(0);
  // CONNACK, SUBACK.
  session.readTarget().set([0x20, 2, 0, 0, 0x90, 3, 0, 1, 1]);
  session.received(9, 0);
  return (round) => {
    const message = dialect.encode({ kind: "progress", task: TASK, percent: round % 100 });
    if (message !== undefined) session.publish(undefined, message, round);
  };
}

let prepared: ((round: number) => void) | undefined;

function part(view: DataView, bytes: Uint8Array): void {
  const rounds = view.getUint16(2);
  if (rounds === 0) prepared = prepare(PARTS[view.getUint8(1)]!, bytes.slice(4));
  else for (let round = 0; round < rounds; round++) prepared?.(round);
}

Object.assign(globalThis, {
  handleCommand(message: ArrayBuffer): void {
    const view = new DataView(message);
    const bytes = new Uint8Array(message);
    switch (view.getUint8(0)) {
      case Command.start: {
        let text = "";
        for (let at = 1; at < bytes.length; at++) text += String.fromCharCode(bytes[at]!);
        start(JSON.parse(text) as Configuration);
        return wake();
      }
      case Command.segment:
        world.now = view.getFloat64(3);
        segment(bytes[1]!, bytes[2] === 1, bytes.subarray(11));
        return wake();
      case Command.time:
        runTimers(view.getFloat64(1));
        return wake();
      case Command.collect:
        return gc();
      case Command.part:
        return part(view, bytes);
    }
  },
});
