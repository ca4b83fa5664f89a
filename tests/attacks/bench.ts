/**
 * One board that trusts one signing key, its cloud, and an attacker, over real sockets. The agent's bundle runs on a
 * simulated board. Every attack has the same requirements; `repelled` checks them.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Board } from "../../host-sim/board/board";
import type { BoardEvent } from "../../host-sim/board/board";
import { FLASH_FILE } from "../../host-sim/board/board-folder";
import type { CreateEngine } from "../../host-sim/board/engine";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { inspect } from "../../host-sim/cli/inspect";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { PushOptions } from "../../host-sim/cloud/core/platforms/platform-side";
import type { Task } from "../../host-sim/cloud/core/devices/tasks";
import type { ThingsPanelDevice } from "../../host-sim/cloud/core/platforms/thingspanel/identity";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import { SAMPLE_SIZE } from "../../host-sim/board/firmware/sample-image";
import { buildImage } from "../../hal/model-chip/build-image";
import type { ImageOptions } from "../../hal/model-chip/build-image";
import { BOARD } from "../cloud/helpers";
import { EventLog } from "../board/puppet";
import { temporaryFolder } from "../kit/folder";
import { makeKey, signed } from "../signature/test-keys";

/** The key that the board trusts. */
export const vendor = makeKey();
/** A key that the board does not trust. */
export const stranger = makeKey();

/** The firmware's clock is this much faster than the wall clock, so that retries take less time. */
const CLOCK_SPEED = 10;

/** An unsigned image that would run. */
export async function firmware(version: string, options: Partial<ImageOptions> = {}): Promise<Uint8Array> {
  return buildImage({ version, payload: await firmwarePayload(version), size: SAMPLE_SIZE, ...options });
}

/** The same, signed by the vendor. */
export const good = async (version: string, options: Partial<ImageOptions> = {}): Promise<Uint8Array> =>
  signed(await firmware(version, options), vendor);

export interface BenchOptions {
  readonly engine?: CreateEngine;
  /** MQTT and downloads over TLS, with the cloud's own root certificate. */
  readonly tls?: boolean;
  readonly thingspanel?: ThingsPanelDevice;
  /** Further keys of device.json. Called when the port of the plain broker is known. */
  readonly json?: (cloud: Cloud) => object;
  readonly factory?: Partial<ImageOptions>;
  /** Bytes per second of a download. */
  readonly throttle?: number;
}

export interface Expected {
  readonly code: number;
  readonly message: RegExp;
}

/** A version report of either platform. */
function isVersionReport(payload: string): boolean {
  const { type, params } = JSON.parse(payload) as {
    readonly type?: string;
    readonly params?: { readonly version?: string };
  };
  return type === "report_version" || params?.version !== undefined;
}

interface End {
  readonly version: string;
  readonly code: number;
  readonly message: string;
}

/** The terminal report in a message of either platform. */
function endOf(payload: string): End | undefined {
  const { report, step, desc } = JSON.parse(payload) as {
    readonly report?: {
      readonly version: string;
      readonly progress?: { readonly state: string; readonly result_code: string; readonly result_msg: string };
    };
    readonly step?: string;
    readonly desc?: string;
  };
  const { version, progress } = report ?? {};
  if (version !== undefined && (progress?.state === "fail" || progress?.state === "done"))
    return { version, code: Number(progress.result_code), message: progress.result_msg };
  if (step === "100") return { version: "", code: 0, message: desc ?? "" };
  return Number(step) < 0 ? { version: "", code: Number(step), message: desc ?? "" } : undefined;
}

export class Bench {
  readonly cloud: Cloud;
  readonly device: string;
  readonly eventLog: EventLog;
  /** Lines of the firmware's log. */
  readonly log: string[];
  readonly #open: () => Promise<Board>;
  readonly #state: string;
  readonly #config: string;
  #board: Board | undefined;
  /** Terminal reports of the device since the last `forget`. */
  #ends: End[] = [];
  /** The running firmware has reported its version over the open connection. */
  #listens = false;

  private constructor(
    cloud: Cloud,
    device: string,
    state: string,
    config: string,
    open: (onEvent: (event: BoardEvent) => void) => Promise<Board>,
    eventLog: EventLog,
    log: string[],
  ) {
    this.cloud = cloud;
    this.device = device;
    this.#state = state;
    this.#config = config;
    this.#open = () => open((event) => this.#happened(event));
    this.eventLog = eventLog;
    this.log = log;
    cloud.on("device", ({ id, online }) => {
      if (id === device && !online) this.#listens = false;
    });
    cloud.on("message", ({ id }, { direction, payload }) => {
      if (id !== device || direction === "down") return;
      if (isVersionReport(payload)) this.#listens = true;
      const end = endOf(payload);
      if (end !== undefined) this.#ends.push(end);
    });
  }

  #happened(event: BoardEvent): void {
    if (event.event === "boot") this.#listens = false;
    this.eventLog.note(event);
  }

  /** Starts a board with firmware 0.1.0 and its cloud. */
  static async start(t: TestContext, options: BenchOptions = {}): Promise<Bench> {
    const folder = temporaryFolder(t);
    const authority = options.tls === true ? await Authority.create("ec") : undefined;
    const cloud = await createCloud({
      ...(authority === undefined ? {} : { tls: { authority } }),
      ...(options.throttle === undefined ? {} : { throttle: options.throttle }),
    });
    await cloud.start();
    const device =
      options.thingspanel === undefined
        ? cloud.addDevice("tencent", BOARD)
        : cloud.addDevice("thingspanel", options.thingspanel);
    if (cloud.root !== undefined) writeFileSync(join(folder, "root.pem"), cloud.root);
    writeFileSync(join(folder, "vendor.pem"), vendor.publicKey);
    const path = join(folder, "device.json");
    const json = {
      ...cloud.deviceConfig(device, cloud.root === undefined ? undefined : "root.pem"),
      signingKeys: ["vendor.pem"],
      ...options.json?.(cloud),
    };
    writeFileSync(path, JSON.stringify(json));
    chmodSync(path, 0o600);
    const state = join(folder, "board");
    const eventLog = new EventLog();
    const log: string[] = [];
    const open = async (onEvent: (event: BoardEvent) => void): Promise<Board> => {
      const config = readDeviceConfig(path);
      assert.deepEqual(config.warnings, []);
      return Board.open({
        folder: state,
        configuration: config.firmware,
        network: config.trust,
        factory: () => good("0.1.0", options.factory),
        createEngine: options.engine ?? createNodeEngine,
        clockSpeed: CLOCK_SPEED,
        onEvent,
        onLog: (line) => log.push(line),
      });
    };
    const bench = new Bench(cloud, device, state, path, open, eventLog, log);
    t.after(async () => {
      await bench.off();
      await cloud.stop();
    });
    await bench.on();
    return bench;
  }

  /** Powers the board on. Resolves when the firmware has started. */
  async on(): Promise<void> {
    const boots = this.#boots();
    this.#board = await this.#open();
    void this.#board.powerOn();
    await this.eventLog.until("boot", boots + 1);
  }

  /** Cuts the power. Resolves when the folder is free and the cloud has handled everything that the board had sent. */
  async off(): Promise<void> {
    const board = this.#board;
    this.#board = undefined;
    await board?.close();
    while (this.cloud.devices.get(this.device)?.online === true) await once(this.cloud, "device");
  }

  /** Changes keys of device.json, for the next power-on. */
  configure(change: object): void {
    writeFileSync(
      this.#config,
      JSON.stringify({ ...(JSON.parse(readFileSync(this.#config, "utf8")) as object), ...change }),
    );
  }

  /**
   * Resolves when the running firmware has reported its version over the open connection. It is subscribed then, and no
   * version report is pending that makes the cloud push a task again.
   */
  async listening(): Promise<void> {
    while (!this.#listens) await once(this.cloud, "message");
  }

  get flash(): string {
    return join(this.#state, FLASH_FILE);
  }
  /** The board's folder. */
  get state(): string {
    return this.#state;
  }

  /**
   * Offers a file, with `fields` of the offer replaced. Resolves with the task when the cloud has its outcome. It waits
   * for `listening` first: a report names only the version, so the second answer to an offer that was pushed twice
   * would count as the answer to the next offer of that version.
   */
  async offer(file: Uint8Array, version?: string, options?: PushOptions): Promise<Task> {
    const added = await this.cloud.packages.add(file, version === undefined ? {} : { version });
    await this.listening();
    return this.cloud.settled(this.cloud.push(this.device, added, options).id);
  }

  #boots(): number {
    return this.eventLog.events.filter(({ event }) => event === "boot").length;
  }

  #reboots(): number {
    return this.eventLog.events.filter(({ event }) => event === "reboot").length;
  }

  /** Version, slot and digest of the running firmware. */
  #running(): { readonly version: unknown; readonly slot: string; readonly digest: string } {
    const boot = this.eventLog.events.findLast(({ event }) => event === "boot") as
      | { readonly version: string; readonly slot: string }
      | undefined;
    assert.ok(boot !== undefined);
    const { address, size } = inspect(this.#state).partitions.find(({ label }) => label === boot.slot)!;
    const bytes = readFileSync(this.flash).subarray(address, address + size);
    return { version: boot.version, slot: boot.slot, digest: createHash("sha256").update(bytes).digest("hex") };
  }

  /** Drops the reports so far. */
  forget(): void {
    this.#ends = [];
  }

  /** Terminal reports of the device, with the versions that they name. */
  ends(): readonly End[] {
    return this.#ends.slice();
  }

  /**
   * Runs an attack and checks that it has no effect: nothing is installed or started, the running firmware is
   * unchanged, the other slot is not bootable, the cloud gets one report, and the next good offer is installed.
   *
   * @param attack resolves when the device has answered
   * @param expected the one terminal report; absent: the attack is no offer, and there is no report
   */
  async repelled(attack: () => Promise<unknown>, expected?: Expected): Promise<void> {
    await this.listening();
    const before = this.#running();
    const boots = this.#boots();
    const ends = this.ends().length;
    const wanted = this.#reboots();
    await attack();
    const said = this.ends().slice(ends);
    if (expected === undefined) assert.deepEqual(said, []);
    else {
      assert.equal(said.length, 1, JSON.stringify(said));
      assert.equal(said[0]!.code, expected.code, said[0]!.message);
      assert.match(said[0]!.message, expected.message);
    }
    // A board that was off in between has booted from the same slot.
    assert.deepEqual(this.#running(), before);
    assert.equal(this.#reboots(), wanted, "a restart was wanted");
    assert.ok(
      this.eventLog.events
        .filter(({ event }) => event === "boot")
        .slice(boots)
        .every((boot) => Object(boot).trial === false),
      "something was tried",
    );
    const { bootable, label } = inspect(this.#state).slots.find(({ label }) => label !== before.slot)!;
    assert.equal(bootable, false, `${label} would boot`);
    await this.serves();
    // The good update has one report and one restart. A late one of the attack would have come before its end.
    assert.deepEqual(
      this.ends()
        .slice(ends + said.length)
        .map(({ code }) => code),
      [0],
    );
    assert.equal(this.#reboots(), wanted + 1, "restarts");
  }

  /** Checks that a good update is installed. */
  async serves(file?: Uint8Array, version = "0.2.0"): Promise<void> {
    const { status, message } = await this.offer(file ?? (await good("0.2.0", { securityFloor: 9 })));
    assert.equal(status, "success", message);
    assert.equal(this.#running().version, version);
  }

  /** Checks that the board runs exactly this file. */
  runs(file: Uint8Array, version: string): void {
    const { slot, version: running } = this.#running();
    assert.equal(running, version);
    const { address } = inspect(this.#state).partitions.find(({ label }) => label === slot)!;
    assert.equal(
      Buffer.compare(readFileSync(this.flash).subarray(address, address + file.length), file),
      0,
      "the slot holds other bytes",
    );
  }
}
