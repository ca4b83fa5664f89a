/**
 * Measures the agent on the real engine: idle, and at every sector of a download, over as many updates as are pushed.
 * Ports that a chip has natively are native here too. One JSON object per line on stdout; scripts/moddable-ram.mjs
 * reads them.
 */
import OtaAgent from "xs-ota";
import type { Boot, Flash, Ports, Running, SlotState, Store } from "xs-ota";
import { File } from "file";
import Timer from "timer";
import { ModdableClock } from "xs-ota/hal/moddable/clock";
import { ModdableCrypto } from "xs-ota/hal/moddable/crypto";
import { lookupBy } from "xs-ota/hal/moddable/dns";
import { ModdableNetwork } from "xs-ota/hal/moddable/network";
import { Process } from "xs-ota/hal/moddable-sim/process";
import { PLATFORMS } from "xs-ota/src/platforms/index";
import { readFirmware } from "xs-ota/src/image/firmware-block";
import { MemoryChip } from "./memory-chip";
import { Meter } from "./meter";

interface Scenario {
  /** Its configuration; `kind` is its name. */
  readonly platform: { readonly kind: string };
  readonly broker?: { readonly host: string; readonly port: number };
  /** Path of the root certificate, DER. */
  readonly root?: string;
  /** Bytes of one request; default: the agent's own. */
  readonly range?: number;
}

const SECTOR = 4096;
const SLOT_SIZE = 2 << 20;
/** After this long without work, ms, a reading is an idle one. */
const SETTLED = 2_000;
/** Every so many sectors the garbage is collected first. */
const LIVE_EVERY = 8;

const scenario = JSON.parse(Process.environment("XS_OTA_RAM") ?? "{}") as Scenario;
const meter = new Meter();
let deepest = 0;
const say = (line: object): void => trace(`${JSON.stringify(line)}\n`);

/** What is done while sectors are written. */
let moment: "downloading" | "expanding" = "downloading";
const EXPANDER: ReturnType<Boot["expander"]> = {
  begin: (offset, length, start, size) => MemoryChip.expandBegin(offset, length, start, size),
  next: (into) => MemoryChip.expandNext(into),
  close: () => {
    moment = "downloading";
    MemoryChip.expandClose();
  },
};

class Slots implements Flash {
  readonly size = SLOT_SIZE;
  readonly sectorSize = SECTOR;
  readonly blockSectors = 16;
  readonly #slot: number;
  #writes = 0;

  constructor(slot: number) {
    this.#slot = slot;
  }
  erase(sector: number): void {
    MemoryChip.erase(this.#slot, sector * SECTOR);
  }
  eraseBlock(sector: number): void {
    for (let at = sector; at < sector + this.blockSectors; at++) this.erase(at);
  }
  write(offset: number, bytes: Uint8Array): void {
    MemoryChip.write(this.#slot, offset, bytes);
    const live = this.#writes++ % LIVE_EVERY === 0;
    deepest = Math.max(deepest, meter.read().stack);
    say({ at: live ? moment : "garbage", ...(live ? meter.live() : meter.read()) });
  }
  read(offset: number, into: Uint8Array): void {
    MemoryChip.read(this.#slot, offset, into);
  }
  equals(offset: number, bytes: Uint8Array): boolean {
    return MemoryChip.equals(this.#slot, offset, bytes);
  }
}

class Records implements Store {
  getNumber(key: string): number | undefined {
    const bytes = MemoryChip.get(key);
    return bytes === undefined ? undefined : new DataView(bytes).getUint32(0);
  }
  setNumber(key: string, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    MemoryChip.put(key, bytes);
  }
  getBytes(key: string): Uint8Array | undefined {
    const bytes = MemoryChip.get(key);
    return bytes === undefined ? undefined : new Uint8Array(bytes);
  }
  setBytes(key: string, bytes: Uint8Array): void {
    MemoryChip.put(key, bytes);
  }
  delete(key: string): void {
    MemoryChip.remove(key);
  }
}

/** One start; `run` is called for the next. */
function run(slot: number, version: string, state: SlotState): void {
  const other = 1 - slot;
  const running = (): Running => ({ slot: `ota_${slot}`, version, project: "xs-ota-board", chip: 0, state });
  const clock = new ModdableClock();
  const crypto = new ModdableCrypto();
  const boot: Boot = {
    running,
    startUp: () => ({ bootloaderRollsBack: true, guarded: true, starts: 0, wakes: 0, awake: 0, since: 0 }),
    target: () => `ota_${other}`,
    resetReason: () => "software",
    readRunning: (offset, into) => MemoryChip.read(slot, offset, into),
    expander(oldLength) {
      moment = "expanding";
      say({ at: "decoder", decoder: MemoryChip.expandOpen(other, oldLength), ...meter.live() });
      return EXPANDER;
    },
    targetStarted: () => undefined,
    lastInvalid: () => undefined,
    invalidateTarget() {},
    verifyTarget: () => SECTOR,
    activate() {},
    confirm: () => {
      state = "valid";
    },
    deadline() {},
    sleep() {},
    rollback() {},
    restart: () => {
      const first = new Uint8Array(SECTOR);
      MemoryChip.read(other, 0, first);
      const next = readFirmware(first, true).version;
      Timer.set(() => {
        agent.stop();
        clock.clearAll();
        Timer.set(() => run(other, next, "pending"), 100);
      }, 0);
    },
  };
  const roots = (): Uint8Array[] =>
    scenario.root === undefined ? [] : [new Uint8Array(new File(scenario.root).read(ArrayBuffer))];
  const ports: Ports = {
    flash: new Slots(other),
    boot,
    store: new Records(),
    clock,
    crypto,
    network: new ModdableNetwork({ lookup: lookupBy(() => []), ahead: 0, trust: () => ({ roots: roots() }) }),
    log: (line) => say({ log: line }),
  };
  const { platform, broker, range } = scenario;
  const { Platform } = PLATFORMS.find(({ name }) => name === platform.kind)!;
  const agent = new OtaAgent({
    ports,
    platform: new Platform(platform as never, crypto),
    ...(broker === undefined ? {} : { broker: { ...broker, tls: scenario.root !== undefined } }),
    policy: { allowHttp: true },
    ...(range === undefined ? {} : { download: { range } }),
    onNotice(notice) {
      if (notice.event === "warning" || (notice.event === "state" && notice.state === "fail")) say({ notice });
    },
  });
  agent.start();
  Timer.set(() => say({ at: "idle", version, ...meter.live(), stack: deepest }), SETTLED);
}

// The engine's own record of the deepest stack is kept for a second only; handshakes fall between sectors.
Timer.repeat(() => {
  deepest = Math.max(deepest, meter.read().stack);
}, 100);
say({ at: "nothing", bits: MemoryChip.slotSize() * 2, ...meter.live() });
run(0, "0.0.1", "valid");
