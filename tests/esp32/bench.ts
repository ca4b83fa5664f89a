/** A chip of the ESP32 port: its flash in a file, the simulated board's bootloader, and its C module in a process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { EspBoot, EspFlash } from "../../hal/esp32/ota";
import { NvsStore } from "../../hal/esp32/store";
import type { ResetReason, Store } from "../../src/ports";
import { AbRecordStore } from "../../src/store/ab-record-store";
import { Bootloader, OWN_BOOTLOADER } from "../../hal/model-chip/bootloader";
import type { BootloaderConfig } from "../../hal/model-chip/bootloader";
import { FileCells } from "../../host-sim/board/file-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { Slots } from "../../hal/model-chip/slots";
import { firmware } from "../board/firmware";
import type { BootBench } from "../contract/boot";
import { NativeChip, Workshop, compiler } from "./native-chip";

/** As the small board of tests/board, with a partition for modules. */
const TABLE = PartitionTable.fromCsv(
  `nvs, data, nvs, 0x9000, 0x4000
   otadata, data, ota, 0xd000, 0x2000
   ota_0, app, ota_0, 0x10000, 0x10000
   ota_1, app, ota_1, 0x20000, 0x10000
   assets, data, 0x40, 0x30000, 0x4000`,
  0x34000,
);

/** esp_reset_reason_t for each reset reason of the port: the first value that means it. */
const REASONS: Readonly<Record<ResetReason, number>> = {
  "power-on": 1,
  "brown-out": 9,
  software: 3,
  watchdog: 6,
  panic: 4,
  "deep-sleep": 8,
  other: 2,
};

const cc = compiler();
/** Undefined: there is no C compiler on this machine. */
export const workshop = cc === undefined ? undefined : new Workshop(cc);
after(() => workshop?.close());

export class Bench implements BootBench {
  readonly image = firmware;
  boot = new EspBoot();
  flash!: EspFlash;
  store!: Store;
  chip: NativeChip | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), "xs-ota-chip-"));
  readonly #flash = join(this.#folder, "flash.bin");
  readonly #bootloader: BootloaderConfig;
  readonly bootloader: "rollback" | "stock";

  constructor(bootloader = OWN_BOOTLOADER) {
    this.#bootloader = bootloader;
    this.bootloader = bootloader.rollsBack ? "rollback" : "stock";
    const cells = FileCells.create(this.#flash, TABLE.end);
    flashFactory(new FlashChip(cells), TABLE, firmware("1.0.0"));
    cells.close();
    this.restart();
  }

  restart(reason: ResetReason | number = "power-on"): void {
    let running = this.#start(typeof reason === "number" ? reason : REASONS[reason]);
    // The guard of the start-up gives an image up before any JavaScript runs.
    if (running.restarts()) running = this.#start(REASONS.software);
    (globalThis as { native?: unknown }).native =
      (name: string) =>
      (...args: unknown[]) =>
        running.call(name, args);
    this.flash = new EspFlash();
    this.store = new AbRecordStore(new NvsStore("xs-ota"));
  }

  /** As `restart`, with what RTC memory holds then. */
  reset(reason: ResetReason): void {
    this.boot.restart();
    this.restart(reason);
  }

  /** Changes the RTC memory of a chip that is off. */
  changeRtc(change: (bytes: Uint8Array) => void): void {
    const path = join(this.#folder, "nvs.rtc");
    const bytes = readFileSync(path);
    change(bytes);
    writeFileSync(path, bytes);
  }

  #start(reason: number): NativeChip {
    this.chip?.close();
    const cells = FileCells.open(this.#flash);
    const chip = new FlashChip(cells);
    const started = new Bootloader(chip, TABLE, new Slots(chip, TABLE, 0), this.#bootloader).boot();
    cells.close();
    if (started.bricked !== undefined) throw new Error(started.bricked);
    const slot = started.slot === "ota_0" ? 0 : 1;
    const program = workshop!.build(started.version);
    this.chip = new NativeChip({ program, flash: this.#flash, nvs: join(this.#folder, "nvs"), slot, reason });
    return this.chip;
  }

  wantsRestart(): boolean {
    return this.chip?.restarted ?? false;
  }

  close(): void {
    this.chip?.close();
    rmSync(this.#folder, { recursive: true });
  }
}
