/**
 * The bootloader: ESP-IDF's second stage with no factory and no test partition, as xs-ota's own sdkconfig builds it or
 * as Moddable's does.
 *
 * Follows bootloader_utility.c (bootloader_utility_get_selected_boot_partition, bootloader_utility_load_boot_image,
 * set_actual_ota_seq) step by step, its otadata writes included, because a power cut can fall between any two of them.
 */
import type { FlashChip } from "./flash-chip";
import type { OtaEntries, EntryIndex } from "./otadata";
import { OtaData, State, activeEntry, isOnTrial, isOut, names, slotOf } from "./otadata";
import type { PartitionTable } from "./partitions";
import type { SlotImage, SlotIndex, Slots } from "./slots";

export type BootResult =
  | {
      readonly slot: "ota_0" | "ota_1";
      readonly version: string;
      readonly project: string;
      /** The entry says so: PENDING_VERIFY, which the next start rolls back, or NEW without rollback. */
      readonly trial: boolean;
      readonly bricked?: undefined;
    }
  | { readonly bricked: string };

export interface BootloaderConfig {
  /** CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. */
  readonly rollsBack: boolean;
  /** No CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS. */
  readonly validates: boolean;
}

/** With hal/esp32/sdkconfig. */
export const OWN_BOOTLOADER: BootloaderConfig = Object.freeze({ rollsBack: true, validates: true });
/** With the SDK's defaults for the ESP32. */
export const STOCK_BOOTLOADER: BootloaderConfig = Object.freeze({ rollsBack: false, validates: false });

export const SLOT_LABELS = ["ota_0", "ota_1"] as const;

export class Bootloader {
  readonly #otadata: OtaData;
  readonly #slots: Slots;
  readonly #config: BootloaderConfig;

  constructor(chip: FlashChip, table: PartitionTable, slots: Slots, config = OWN_BOOTLOADER) {
    this.#config = config;
    this.#otadata = new OtaData(chip, table.otadata.address);
    this.#slots = slots;
  }

  /** One start of the chip, up to the application's first instruction. Writes otadata as the real one does. */
  boot(): BootResult {
    const { rollsBack, validates } = this.#config;
    const entries = rollsBack ? this.#abortTrials(this.#otadata.read()) : this.#otadata.read();
    const blank = isOut(entries[0]) && isOut(entries[1]);
    const active = blank ? undefined : activeEntry(entries);
    const trial = active !== undefined && (rollsBack ? this.#startTrial(entries, active) : isOnTrial(entries[active]));
    // No entry decides: ota_0 first, and if nothing at all was written (or only rubbish), what boots gets an entry.
    const unwritten = blank && !names(entries[0]) && !names(entries[1]);
    const first: SlotIndex = active === undefined ? 0 : slotOf(entries[active]);
    for (const index of [first, other(first)]) {
      const image = this.#slots.boots(index);
      if (image === undefined && !validates && this.#slots.isStarted(index))
        return { bricked: `the bootloader starts an image that is not whole: ${this.#why()}` };
      if (image === undefined) continue;
      if (unwritten) this.#otadata.write(0, index + 1, State.valid);
      return started(index, image, trial && index === first);
    }
    return { bricked: this.#why() };
  }

  /** A trial that was not confirmed before this start has failed. Looks at the state alone, not at the CRC. */
  #abortTrials(entries: OtaEntries): OtaEntries {
    const [first, second] = entries.map((entry, index) => {
      if (entry.state !== State.pending) return entry;
      // The entry is written back with the CRC that was read, right or wrong.
      this.#otadata.rewrite(index as EntryIndex, { ...entry, state: State.aborted });
      return { ...entry, state: State.aborted };
    });
    return [first!, second!];
  }

  #startTrial(entries: OtaEntries, active: EntryIndex): boolean {
    const entry = entries[active];
    if (entry.state !== State.new) return false;
    this.#otadata.rewrite(active, { ...entry, state: State.pending });
    return true;
  }

  #why(): string {
    return ([0, 1] as const)
      .map((index) => {
        try {
          this.#slots.verify(index);
          return `${SLOT_LABELS[index]}: boots`;
        } catch (error) {
          return `${SLOT_LABELS[index]}: ${(error as Error).message}`;
        }
      })
      .join("; ");
  }
}

function other(index: SlotIndex): SlotIndex {
  return index === 0 ? 1 : 0;
}

function started(index: SlotIndex, image: SlotImage, trial: boolean): BootResult {
  return { slot: SLOT_LABELS[index], version: image.version, project: image.project, trial };
}
