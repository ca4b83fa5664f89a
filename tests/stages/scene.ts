/** Boards that have just been switched to new firmware, and what becomes of it. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EspOta } from "../../hal/model-chip/esp-ota";
import { buildImage } from "../../hal/model-chip/build-image";
import { Nvs } from "../../hal/model-chip/nvs";
import { Slots } from "../../hal/model-chip/slots";
import { Board } from "../../host-sim/board/board";
import type { BoardOptions } from "../../host-sim/board/board";
import type { CreateEngine } from "../../host-sim/board/engine";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import type { FirmwareConfiguration, Surroundings } from "../../host-sim/board/firmware/configuration";
import { SETTINGS } from "../../host-sim/board/firmware/settings";
import { xsScript } from "../../host-sim/board/firmware/xs-script";
import type { NodeNetworkOptions } from "../../host-sim/board/node-network";
import { nodeSha256 } from "../../host-sim/board/node-crypto";
import { putSettings } from "../../host-sim/board/stored-settings";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import { SECTOR } from "../../src/constants";
import type { TestContext } from "node:test";
import { EventLog } from "../board/puppet";
import { BOARD } from "../cloud/helpers";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

/** Of the trial, s: the shortest. */
export const TRIAL_SECONDS = 30;
/** In the trial. The rest of a board's life is in real time. */
const SPEED = 10;

/** What is wrong while the new firmware runs. All is well for the old one. */
export interface Trouble {
  /** Source of the new firmware. Default: good firmware. */
  readonly source?: Promise<string | Uint8Array>;
  readonly surroundings?: Surroundings;
  readonly configuration?: (good: FirmwareConfiguration) => FirmwareConfiguration;
  /** Spoils the settings in NVS. */
  readonly settings?: (nvs: Nvs) => void;
  readonly network?: NodeNetworkOptions;
  readonly engine?: CreateEngine;
  /** Of the clock, in place of SPEED. */
  readonly speed?: number;
}

export interface End {
  /** What the cloud is told. */
  readonly text: string;
  readonly code: number | undefined;
  /** Device time from the start of the new firmware to that of the old one, s. */
  readonly seconds: number;
  readonly eventLog: EventLog;
}

let bundle: Promise<string> | undefined;

/** Firmware 0.2.0 with an app of apps.ts. */
export async function appSource(app: string): Promise<string> {
  bundle ??= xsScript(new URL("apps.ts", import.meta.url));
  return `var FIRMWARE={"version":"0.2.0"},APP=${JSON.stringify(app)};\n${await bundle}`;
}

export class Scenery {
  readonly cloud: Cloud;
  readonly #root: string;
  #package: Promise<Package> | undefined;
  #count = 0;

  private constructor(cloud: Cloud, root: string) {
    this.cloud = cloud;
    this.#root = root;
  }

  /** A cloud, and a board of it that has just been switched. */
  static async make(): Promise<Scenery> {
    const cloud = await createCloud();
    await cloud.start();
    const scenery = new Scenery(cloud, mkdtempSync(join(tmpdir(), "xs-ota-stages-")));
    const { configuration } = await scenery.#pushed();
    const { board, eventLog } = await scenery.#board("switched", configuration);
    void board.powerOn();
    await eventLog.until("boot", 2);
    await board.close();
    return scenery;
  }

  async close(): Promise<void> {
    await this.cloud.stop();
    rmSync(this.#root, { recursive: true });
  }

  /** The whole trial, in trouble, up to the report of the old firmware. */
  async trial(t: TestContext, trouble: Trouble): Promise<End> {
    const name = `board-${++this.#count}`;
    cpSync(join(this.#root, "switched"), join(this.#root, name), { recursive: true });
    const { configuration, task } = await this.#pushed();
    const { board, eventLog } = await this.#board(name, configuration, trouble);
    t.after(() => board.close());
    const source = await (trouble.source ?? firmwarePayload("0.2.0"));
    const payload = typeof source === "string" ? Buffer.from(source) : source;
    switchTo(board, buildImage({ version: "0.2.0", payload }));
    void board.powerOn("software");
    await eventLog.until("boot", 1);
    const started = performance.now();
    await eventLog.until("boot", 2);
    const seconds = ((performance.now() - started) * (trouble.speed ?? SPEED)) / 1000;
    const { message = "", code } = await this.cloud.settled(task);
    return { text: message, code, seconds, eventLog };
  }

  /** A device of the cloud that an update is pushed to. */
  async #pushed(): Promise<{ readonly configuration: FirmwareConfiguration; readonly task: string }> {
    const { cloud } = this;
    const device = cloud.addDevice("tencent", { ...BOARD, deviceName: `stages-${++this.#count}` });
    const payload = await firmwarePayload("0.2.0");
    this.#package ??= cloud.packages.add(buildImage({ version: "0.2.0", payload }), { name: "fw.bin" });
    const task = cloud.push(device, await this.#package).id;
    const path = join(this.#root, `device-${this.#count}.json`);
    writeFileSync(path, JSON.stringify({ ...cloud.deviceConfig(device), trialSeconds: TRIAL_SECONDS }), {
      mode: 0o600,
    });
    return { configuration: readDeviceConfig(path).firmware, task };
  }

  async #board(
    name: string,
    configuration: FirmwareConfiguration,
    trouble = NONE,
  ): Promise<{ readonly board: Board; readonly eventLog: EventLog }> {
    const eventLog = new EventLog();
    let onTrial = false;
    // The board reads each of these anew at every boot.
    const options: BoardOptions = {
      folder: join(this.#root, name),
      factory: async () => await sampleImage("0.1.0"),
      onEvent(event) {
        if (event.event === "boot") {
          onTrial = event.trial;
          // What the board was made for: it is about to run the new firmware.
          if (onTrial && trouble === NONE) void board.powerOff();
          else
            putSettings(board.folder, (onTrial ? trouble.configuration?.(configuration) : undefined) ?? configuration);
          const { chip, table } = board.folder;
          if (onTrial) trouble.settings?.(new Nvs(chip, table.nvs, SETTINGS));
        }
        eventLog.note(event);
      },
      configuration,
      get network() {
        return onTrial ? (trouble.network ?? {}) : {};
      },
      get surroundings(): Surroundings {
        return (onTrial ? trouble.surroundings : undefined) ?? { address: 0, time: "set" };
      },
      get clockSpeed() {
        return onTrial ? (trouble.speed ?? SPEED) : 1;
      },
      // The old firmware has nothing to show: Node starts it at once.
      createEngine: (engine) => (onTrial ? (trouble.engine ?? createXsEngine)(engine) : createNodeEngine(engine)),
    };
    const board = await Board.open(options);
    return { board, eventLog };
  }
}

const NONE: Trouble = {};

/** As the old firmware does: the image in the other slot boots next, on trial. */
function switchTo(board: Board, image: Uint8Array): void {
  const { chip, table } = board.folder;
  const { address } = table.slots[1];
  chip.powerOn();
  for (let at = 0; at < image.length; at += SECTOR) chip.erase(address + at);
  chip.program(address, image);
  const ota = new EspOta(chip, table, new Slots(chip, table, 0, { sha256: nodeSha256 }));
  ota.forgetMarks(1, 0);
  ota.setBoot(1);
}
