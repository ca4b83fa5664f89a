/**
 * One simulated board: power-on, bootloader, the firmware in the booted slot, and again at each reset. The code that
 * runs is read from flash.bin every time; there is no other way into the engine.
 */
import { createHash } from "node:crypto";
import type { Clock, ResetReason } from "../../src/ports";
import { DESCRIPTION_OFFSET } from "../../src/image/esp-image";
import type { FirmwareConfiguration, Surroundings } from "./firmware/configuration";
import { readPayload } from "../../hal/model-chip/build-image";
import { unpackScript } from "./firmware/packed-script";
import { openBoardFolder } from "./board-folder";
import type { BoardFolder } from "./board-folder";
import { boardPorts } from "../../hal/model-chip/board-ports";
import type { CreateExpander } from "../../hal/model-chip/board-ports";
import { OWN_BOOTLOADER } from "../../hal/model-chip/bootloader";
import type { BootResult, BootloaderConfig } from "../../hal/model-chip/bootloader";
import { BridgeHost } from "./bridge-host";
import type { CreateEngine, Engine, EngineEnd, TurnMeter } from "./engine";
import { createXsEngine } from "./engine-xs";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { keepRecording } from "./recordings";
import { TrialDeadline } from "./trial-deadline";
import { NodeClock } from "./node-clock";
import { NodeCrypto, nodeSha256 } from "./node-crypto";
import { nodeExpander } from "./node-expander";
import { NodeNetwork } from "./node-network";
import type { NodeNetworkOptions } from "./node-network";
import { Slots } from "../../hal/model-chip/slots";
import { TRIAL_SECONDS_MAX } from "../../src/constants";
import { putSettings } from "./stored-settings";
import { startChip } from "../../hal/model-chip/start-up";
import type { RtcMemory, StartUpParts, Started } from "../../hal/model-chip/start-up";

/** The events of a board: its own, and those of its firmware unchanged. */
export type BoardEvent =
  | {
      readonly event: "boot";
      readonly slot: string;
      readonly version: string;
      readonly trial: boolean;
      readonly reason: ResetReason;
    }
  /** The firmware ended otherwise than by a restart of its own. */
  | { readonly event: "reset"; readonly reason: ResetReason; readonly message: string; readonly wait?: number }
  /** No slot boots; the board stays off. */
  | { readonly event: "bricked"; readonly message: string }
  | {
      readonly event:
        | "offer"
        | "resume"
        | "state"
        | "trial"
        | "confirmed"
        | "rollback"
        | "reboot"
        | "sleep"
        | "bootloader"
        | "budget"
        | "recording"
        | "warning";
      readonly [key: string]: unknown;
    };

export interface BoardOptions {
  /** The board's own folder; see `openBoardFolder`. */
  readonly folder: string;
  /** Lies in NVS after `powerOn`. */
  readonly configuration: FirmwareConfiguration;
  readonly network?: NodeNetworkOptions;
  /** Default: there is a network, and the clock is set. */
  readonly surroundings?: Surroundings;
  /** Bytes; undefined: what the chip there has, 4 MB for a new one. */
  readonly flashSize?: number | undefined;
  /** The image in the first slot of a new board. */
  factory(): Promise<Uint8Array>;
  /** Default: OWN_BOOTLOADER. */
  readonly bootloader?: BootloaderConfig;
  /** How many times faster than real time the firmware's clock runs. Default 1. */
  readonly clockSpeed?: number;
  /** Default: XS. */
  readonly createEngine?: CreateEngine;
  /** Time of the board itself, for its pauses between failed boots. Default: this computer's. */
  readonly clock?: Clock;
  onEvent(event: BoardEvent): void;
  /** A line of the firmware's log, or of the engine's own. */
  onLog?(line: string): void;
  /** What each turn of the engine cost. */
  onTurn?(meter: TurnMeter): void;
}

/** esp_chip_id_t of a simulated board: ESP32. */
const CHIP_ID = 0;
/** app_elf_sha256 in esp_app_desc_t: in our images the digest of the script. */
const DESCRIBED_DIGEST = 144;
/** A boot that fails within this time counts as part of a reset loop, ms. */
const SOON = 10_000;
/** The first failed boots restart at once, as on a chip. In a loop the pause grows up to `SLOWEST_LOOP`, ms. */
const PROMPT_RESETS = 2;
const SLOWEST_LOOP = 10_000;

export class Board {
  readonly #options: BoardOptions;
  readonly #folder: BoardFolder;
  readonly #slots: Slots;
  readonly #clock: Clock;
  /** Lost with this process, as on a chip with the power. */
  readonly #rtc: RtcMemory = {};
  /** Seconds of the deep sleep that the firmware asked for. */
  #asleep = 0;
  /** Stops what runs now. Undefined: the power is off. */
  #cut: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: BoardOptions, folder: BoardFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#slots = new Slots(folder.chip, folder.table, CHIP_ID, { sha256: nodeSha256 });
    this.#clock = options.clock ?? new NodeClock();
  }

  /** Opens or makes the board; the power is off. Rejects with one line. */
  static async open(options: BoardOptions): Promise<Board> {
    return new Board(options, await openBoardFolder(options.folder, options.flashSize, () => options.factory()));
  }

  /** The flash chip: its counters, and the place for faults. */
  get folder(): BoardFolder {
    return this.#folder;
  }

  /**
   * Runs until `powerOff`, over any number of resets. The promise settles when the board is off, also because no slot
   * boots. Throws one line if NVS can not hold the configuration.
   */
  powerOn(reason: ResetReason = "power-on"): Promise<void> {
    if (this.#cut !== undefined) throw new Error("the power is on");
    this.#folder.chip.powerOn();
    if (!this.#provide()) return Promise.resolve();
    this.#running = this.#run(reason).finally(() => (this.#cut = undefined));
    return this.#running;
  }

  /** Power cut at this instant: what is not in flash is lost. */
  async powerOff(): Promise<void> {
    this.#folder.chip.powerOff();
    this.#cut?.();
    await this.#running;
  }

  /** Power off, and the folder is free for others. */
  async close(): Promise<void> {
    await this.powerOff();
    this.#folder.close();
  }

  async #run(first: ResetReason): Promise<void> {
    const power = { on: true };
    this.#cut = () => (power.on = false);
    let failures = 0;
    for (let reason = first; power.on;) {
      const started = this.#clock.now();
      const start = this.#start(reason);
      if (start === undefined) return;
      const { boot } = start;
      reason = start.resetReason;
      if (boot.bricked !== undefined) return this.#options.onEvent({ event: "bricked", message: boot.bricked });
      this.#options.onEvent({ event: "boot", slot: boot.slot, version: boot.version, trial: boot.trial, reason });
      const end = await this.#execute(boot, start, power);
      if (!power.on) return;
      reason = REASONS[end.cause];
      if (end.cause === "stopped") {
        if (await this.#sleep(power)) reason = "deep-sleep";
        continue;
      }
      failures = this.#clock.now() - started < SOON ? failures + 1 : 1;
      const wait = failures <= PROMPT_RESETS ? 0 : Math.min(SLOWEST_LOOP, 250 * 2 ** (failures - PROMPT_RESETS));
      this.#options.onEvent({ event: "reset", reason, message: end.message, ...(wait === 0 ? {} : { wait }) });
      if (wait > 0) await this.#pause(wait, power);
    }
  }

  /** Puts the configuration where the firmware reads it. False: the power was cut in it. */
  #provide(): boolean {
    try {
      putSettings(this.#folder, this.#options.configuration);
      return true;
    } catch (error) {
      if (error instanceof PowerCut) return false;
      throw error;
    }
  }

  /** Undefined: the power was cut in it. */
  #start(reason: ResetReason): Started | undefined {
    try {
      return startChip(this.#parts(), reason);
    } catch (error) {
      if (error instanceof PowerCut) return undefined;
      throw error;
    }
  }

  #parts(): StartUpParts & { readonly expander: CreateExpander } {
    const { chip, table } = this.#folder;
    const { bootloader = OWN_BOOTLOADER } = this.#options;
    const rtcTime = (): number => this.#clock.now();
    return { chip, table, slots: this.#slots, rtc: this.#rtc, rtcTime, bootloader, expander: nodeExpander };
  }

  /** Runs the firmware of one boot until it ends. */
  async #execute(
    boot: Extract<BootResult, { bricked?: undefined }>,
    start: Started,
    power: { on: boolean },
  ): Promise<EngineEnd> {
    const { createEngine = createXsEngine, configuration, network, clockSpeed, surroundings } = this.#options;
    const { onLog, onTurn } = this.#options;
    const running = boot.slot === "ota_0" ? 0 : 1;
    let source: string;
    try {
      source = this.#load(running);
    } catch (error) {
      return { cause: "crash", message: (error as Error).message };
    }
    const clock = new NodeClock(clockSpeed);
    const started = this.#clock.now();
    const deadline = new TrialDeadline(clock);
    const ports = boardPorts({
      ...this.#parts(),
      ...start,
      running,
      awake: () => this.#clock.now() - started,
      restart: (_why, seconds = 0) => {
        this.#asleep = seconds;
        engine.stop();
      },
      deadline: (milliseconds) => deadline.set(milliseconds, ports),
    });
    if (boot.trial) deadline.set(TRIAL_SECONDS_MAX * 1000, ports);
    const bridge = new BridgeHost({
      ports: {
        ...ports,
        network: new NodeNetwork(network),
        crypto: new NodeCrypto(),
        clock,
        log: (line) => onLog?.(line),
      },
      configuration: JSON.stringify(configuration),
      surroundings,
      onEvent: (json) => this.#tell(JSON.parse(json) as BoardEvent),
      ...(onTurn === undefined ? {} : { onTurn }),
    });
    const engine: Engine = createEngine({
      answer: (request) => answer(bridge, request, () => engine.stop()),
      onOutput: (line) => onLog?.(line),
    });
    this.#cut = () => {
      power.on = false;
      engine.stop();
    };
    const meter = await engine.run(source);
    if (meter !== undefined) {
      onTurn?.(meter);
      bridge.attach(engine);
    }
    const end = await engine.ended;
    deadline.stop();
    bridge.stop();
    return end;
  }

  /** A recording becomes a file; a full disk costs the recording, not the board. */
  #tell(event: BoardEvent): void {
    const { folder, onEvent } = this.#options;
    if (event.event !== "recording") return onEvent(event);
    const { reference, base64 } = event;
    try {
      const file = keepRecording(folder, Buffer.from(String(base64), "base64"), String(reference));
      onEvent({ event: "recording", file, reference });
    } catch (error) {
      onEvent({ event: "warning", message: `recording ${String(reference)}: ${(error as Error).message}` });
    }
  }

  /** The script in a slot. Throws if it is not the one that the image's description was made for. */
  #load(index: 0 | 1): string {
    const { address, size, label } = this.#folder.table.slots[index];
    const read = (offset: number, into: Uint8Array): void => this.#folder.chip.read(address + offset, into);
    const payload = readPayload(read, size);
    const described = new Uint8Array(32);
    read(DESCRIPTION_OFFSET + DESCRIBED_DIGEST, described);
    if (!createHash("sha256").update(payload).digest().equals(described))
      throw new Error(`the script in ${label} is not the one that its image describes`);
    return unpackScript(payload);
  }

  /** Only the RTC runs. False: the firmware asked for no sleep. */
  async #sleep(power: { on: boolean }): Promise<boolean> {
    const seconds = this.#asleep;
    this.#asleep = 0;
    if (seconds > 0) await this.#pause((seconds * 1000) / (this.#options.clockSpeed ?? 1), power);
    return seconds > 0;
  }

  async #pause(milliseconds: number, power: { on: boolean }): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.set(resolve, milliseconds);
      this.#cut = () => {
        power.on = false;
        this.#clock.clear(timer);
        resolve();
      };
    });
  }
}

/**
 * The reset reason of the next boot. A release build of the SDK restarts by esp_restart after an uncaught exception.
 */
const REASONS: { readonly [cause in EngineEnd["cause"]]: ResetReason } = {
  stopped: "software",
  exception: "software",
  watchdog: "watchdog",
  crash: "panic",
};

/** A power cut that comes out of the chip ends the engine instead of reaching the firmware. */
function answer(bridge: BridgeHost, request: Uint8Array, stop: () => void): Uint8Array | undefined {
  try {
    return bridge.answer(request);
  } catch {
    stop();
    return undefined;
  }
}
