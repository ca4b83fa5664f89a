/**
 * One boot cycle of a board: from power-on to the end of the scenario or to the next power cut, resets by software
 * included. Every flash operation and every message is a point, numbered from power-on. A visitor decides what happens
 * at each point. A power cut makes a new simulation state; the content of the RAM is lost.
 */
import type { ResetReason } from "../../../src/ports";
import type { FlashOperation } from "../../../hal/model-chip/flash-chip";
import { PowerCut, SECTOR_SIZE } from "../../../hal/model-chip/flash-chip";
import type { Cycle, Device, MakeDevice } from "./device";
import type { Fault } from "./faults";
import type { Limit } from "../checks/ledger";
import { checkEnd, checkOperation, checkSlots } from "../checks/board-checks";
import { InvariantMonitor } from "../checks/invariant-monitor";
import type { SimulationState } from "./simulation-state";
import { ASLEEP } from "./sleeps";

export interface Point {
  /** From 0. */
  readonly number: number;
  /** The phase of the update: the name of the job's state, "bootloader" or "mount". */
  readonly phase: string;
  /** The flash operation that is about to run, ... */
  readonly operation?: FlashOperation;
  /** ... or the message between device and cloud, as text, and its effect on the simulation. */
  readonly message?: string;
  readonly effect?: (simulation: SimulationState) => void;
}

/** Undefined: continue. "stop": end the cycle here. A fault: a hardware fault begins here. */
export type Visit = (point: Point, simulation: SimulationState) => "stop" | Fault | void;

/** Bytes of esp_ota_select_entry_t, of the header of an NVS page, and of that header with the states of the entries. */
const BOOT_ENTRY = 32;
const NVS_HEADER = 32;
const NVS_MARKS = 64;

/** Starts in one cycle, and steps in one start, before the board counts as wedged. */
const STARTS_MAX = 40;
const STEPS_MAX = 6_000;

export class BootCycle implements Cycle {
  readonly simulation: SimulationState;
  /** The visitor has stopped the cycle: nothing of it counts any more. */
  stopped = false;
  /** Points so far. */
  points = 0;
  readonly #make: MakeDevice;
  readonly #visit: Visit;
  readonly #exact: boolean;
  #phase = "bootloader";
  #monitor: InvariantMonitor | undefined;
  #device: Device | undefined;

  /** `exact`: the bootloader verifies images from flash at each start, so that flash time counts its reads. Slower. */
  constructor(simulation: SimulationState, make: MakeDevice, visit: Visit = () => undefined, exact = false) {
    this.simulation = simulation;
    this.#make = make;
    this.#visit = visit;
    this.#exact = exact;
    simulation.board.chip.onOperation = (operation) => this.#operation(operation);
  }

  /** Runs the cycle. True: the scenario came to its end, and the ledger has the violations. */
  run(): boolean {
    const { ledger } = this.simulation;
    let reason: ResetReason = ledger.cuts % 2 === 0 ? "power-on" : "brown-out";
    for (let starts = 0; !this.stopped; starts++) {
      ledger.starts++;
      if (starts > STARTS_MAX) {
        ledger.violate("never wedged", `${starts} starts without a cut`);
        return true;
      }
      const next = this.#start(reason);
      if (next === "over") return !this.stopped;
      reason = next;
    }
    return false;
  }

  /** A message between device and cloud. False: this cycle is over. */
  message(message: string, effect: (simulation: SimulationState) => void): boolean {
    const phase = this.#device?.state ?? this.#phase;
    this.simulation.ledger.backAfter ??= this.simulation.board.chip.counts().milliseconds;
    if (this.#visit({ number: this.points++, phase, message, effect }, this.simulation) === "stop") this.#stop();
    return !this.stopped;
  }

  #start(reason: ResetReason): ResetReason | "over" {
    const { simulation } = this;
    const { board, faults } = simulation;
    this.#phase = "bootloader";
    this.#device = undefined;
    this.#monitor = undefined;
    faults.powerOn(board.chip.cells);
    // With a read hook, images are verified from flash at each start.
    board.chip.onRead = faults.noisy || this.#exact ? (address, bytes) => faults.disturb(address, bytes) : undefined;
    checkSlots(simulation);
    try {
      const boot = board.powerOn(reason);
      if (boot.bricked !== undefined) {
        simulation.ledger.violate("no half-written slot boots", `bricked: ${boot.bricked}`);
        return "over";
      }
      const monitor = new InvariantMonitor(simulation, board.ports);
      this.#monitor = monitor;
      const { behaviour } = this;
      if (behaviour === "throws") return "software";
      if (behaviour === "sleeps") return "deep-sleep";
      this.#device = this.#make({ simulation, monitor, cycle: this });
      this.#device.start();
      if (this.stopped) return "over";
      if (behaviour === "hangs") return "watchdog";
      return this.#runDevice(this.#device, monitor);
    } catch (error) {
      if (error instanceof PowerCut && this.stopped) return "over";
      throw error;
    }
  }

  /** What the running firmware is like. */
  get behaviour(): string {
    const task = this.#monitor && this.simulation.cloud.taskOf(this.#monitor.running.version);
    return task === undefined ? "good" : this.simulation.cloud.pushOf(task).behaviour;
  }

  #runDevice(device: Device, monitor: InvariantMonitor): ResetReason | "over" {
    for (let steps = 0; !this.stopped; steps++) {
      const { restartWanted } = this.simulation.board;
      if (restartWanted === "sleep") return this.#sleep();
      if (restartWanted !== undefined) return "software";
      if (steps > STEPS_MAX) {
        this.simulation.ledger.violate("never wedged", `${steps} events in one start, the device is ${device.state}`);
        return "over";
      }
      if (device.step()) continue;
      if (!this.stopped) checkEnd(this.simulation, monitor, device);
      return "over";
    }
    return "over";
  }

  /** The power may go in the sleep, too. */
  #sleep(): ResetReason | "over" {
    const { simulation } = this;
    simulation.now += ASLEEP * 1000;
    simulation.sleeps++;
    // What was in flight is lost, as in a cut.
    const { ledger } = simulation;
    for (const [image, { cuts }] of ledger.fetching) ledger.note(image, { cuts: cuts + 1 });
    return this.message("asleep", () => undefined) ? "deep-sleep" : "over";
  }

  #operation(operation: FlashOperation): "done" | undefined {
    const { simulation } = this;
    const { faults } = simulation;
    const monitor = this.#monitor;
    if (monitor === undefined)
      this.#phase = operation.address >= simulation.board.table.otadata.address ? "bootloader" : "mount";
    checkOperation(simulation, monitor, operation);
    const phase = this.#device?.state ?? this.#phase;
    const decision = this.#visit({ number: this.points++, phase, operation }, simulation);
    if (decision === "stop") {
      this.#stop();
      throw new PowerCut();
    }
    let done: "done" | undefined;
    if (typeof decision === "object") {
      simulation.ledger.worn = operation.address >= simulation.oracle.slots.partitions[0].address ? "slot" : "records";
      done = faults.wear(decision, operation);
    }
    if (done === undefined) faults.performed(operation);
    if (!faults.worn || done !== undefined) return done;
    const { cells } = simulation.board.chip;
    if (operation.kind === "erase") cells.erase(operation.address, operation.length);
    else cells.clear(operation.address, operation.data);
    faults.force(cells);
    return "done";
  }

  #stop(): void {
    this.stopped = true;
    this.simulation.board.chip.powerOff();
  }
}

/** The simulation after a power cut at this point. */
export function cutAt(simulation: SimulationState, point: Point, fault: Fault): SimulationState {
  const child = simulation.fork();
  const { ledger, faults, board } = child;
  const before = onTrial(child);
  if (point.operation !== undefined) faults.cut(fault, point.operation, board.chip.cells);
  else if (fault.kind === "a") point.effect?.(child);
  ledger.cuts++;
  ledger.backAfter = undefined;
  const limit = limitOf(simulation, child, point);
  // A forged boot entry excuses most, so it replaces any other limit.
  if (limit === "boot entry" || ledger.limit === undefined) ledger.limit = limit;
  if (before || onTrial(child) || failedUnnoticed(child)) ledger.trialCuts++;
  for (const [image, fetched] of ledger.fetching) ledger.note(image, { cuts: fetched.cuts + 1 });
  return child;
}

/** The limit of ESP-IDF's protection that the torn write has reached, if any (LIMITS in ledger.ts). */
function limitOf(before: SimulationState, after: SimulationState, { operation }: Point): Limit | undefined {
  if (operation === undefined) return undefined;
  const { otadata, nvs } = after.board.table;
  const { address } = operation;
  const sector = address - (address % SECTOR_SIZE);
  if (address >= otadata.address && address < otadata.address + otadata.size) {
    const at = sector === otadata.address ? 0 : 1;
    const doubtful = after.faults.unstableAt(sector, BOOT_ENTRY);
    const state = after.oracle.stateAt(at);
    // A mark of the start-up is shorter than an entry, and leaves the state alone.
    const written =
      operation.kind === "program" && operation.data.length > 24
        ? new DataView(operation.data.buffer, operation.data.byteOffset).getUint32(24, true)
        : undefined;
    return doubtful || (state !== undefined && state !== before.oracle.stateAt(at) && state !== written)
      ? "boot entry"
      : undefined;
  }
  if (address < nvs.address || address >= nvs.address + nvs.size) return undefined;
  if (after.faults.unstableAt(sector, NVS_MARKS)) return "weak mark";
  if (operation.kind === "program") return halfMarked(before, after, sector) ? "half mark" : undefined;
  const header = new Uint8Array(NVS_HEADER);
  after.board.chip.cells.read(sector, header);
  return before.oracle.sameAt(sector, header) && !erasedNothing(before, after, sector) ? "freed page" : undefined;
}

/** The torn write left an entry of the page in state 01, which no code writes. */
function halfMarked(before: SimulationState, after: SimulationState, sector: number): boolean {
  const marks = (simulation: SimulationState): Uint8Array => {
    const bytes = new Uint8Array(NVS_MARKS - NVS_HEADER);
    simulation.board.chip.cells.read(sector + NVS_HEADER, bytes);
    return bytes;
  };
  const old = marks(before);
  return marks(after).some((byte, index) =>
    [0, 2, 4, 6].some((at) => ((byte >> at) & 3) === 1 && ((old[index]! >> at) & 3) !== 1),
  );
}

/** The erase has not changed the sector yet. */
function erasedNothing(before: SimulationState, after: SimulationState, sector: number): boolean {
  const left = new Uint8Array(SECTOR_SIZE);
  after.board.chip.cells.read(sector, left);
  return before.oracle.sameAt(sector, left);
}

/** A trial failed and its verdict is not stored yet: after the power cut it looks like a trial that was cut short. */
function failedUnnoticed({ oracle, cloud }: SimulationState): boolean {
  return ([0, 1] as const).some((index) => {
    if (!["aborted", "invalid"].includes(oracle.entryOf(index)?.state ?? "")) return false;
    const image = oracle.bootable(index);
    const task = image && cloud.taskOf(image.version);
    return task !== undefined && task.open && cloud.pushOf(task).behaviour !== "good";
  });
}

/** A boot entry says that a trial is under way. */
function onTrial({ oracle }: SimulationState): boolean {
  return ([0, 1] as const).some((index) => {
    const entry = oracle.entryOf(index);
    return entry?.state === "pending" || (entry?.state === "new" && entry.started);
  });
}
