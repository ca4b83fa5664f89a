/**
 * otadata: which slot boots. Two entries of 32 bytes, each at the start of a sector of its own, so that one survives
 * while the other is rewritten.
 *
 *   ota_seq u32 | seq_label[20] | ota_state u32 | crc u32 (CRC-32 of ota_seq alone)
 *
 * Sources: ESP-IDF esp_flash_partitions.h (esp_ota_select_entry_t, esp_ota_img_states_t), bootloader_common_loader.c
 * (what counts as valid and which entry is active), esp_ota_ops.c (rewrite_ota_seq: erase, then write). Slot of an
 * entry: (ota_seq - 1) mod number of slots.
 */
import type { SlotState } from "../../src/ports";
import { crc32 } from "../../src/util/crc32";
import type { FlashChip } from "./flash-chip";
import { SECTOR_SIZE } from "./flash-chip";

const ENTRY = 32;
const ERASED = 0xffffffff;
/** Offset and length of seq_label. */
const LABEL = 4;
const LABEL_LENGTH = 20;
/** Offset of ota_state. */
const STATE = 24;
const BLANK_LABEL: readonly number[] = Array.from({ length: LABEL_LENGTH }, () => 0xff);

/** esp_ota_img_states_t. */
export const State = { new: 0, pending: 1, valid: 2, invalid: 3, aborted: 4, undefined: ERASED } as const;

export interface OtaEntry {
  readonly seq: number;
  /** seq_label, which ESP-IDF writes back as it was read: the start-up's marks. Default: erased. */
  readonly label?: readonly number[];
  /** A value of `State`, or nonsense. */
  readonly state: number;
  readonly crc: number;
}

export type OtaEntries = readonly [OtaEntry, OtaEntry];
export type EntryIndex = 0 | 1;

/** bootloader_common_ota_select_crc. */
export function seqCrc(seq: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, seq, true);
  return crc32(bytes, ERASED);
}

/** The entry names a slot: written, and whole as far as its CRC reaches. */
export function names(entry: OtaEntry): boolean {
  return entry.seq !== ERASED && entry.crc === seqCrc(entry.seq);
}

/** Nothing of the entry is written. */
export function isBlank({ seq, label, state, crc }: OtaEntry): boolean {
  return (seq & state & crc) >>> 0 === ERASED && (label ?? BLANK_LABEL).every((byte) => byte === 0xff);
}

/** bootloader_common_ota_select_invalid: erased, given up or rolled back. */
export function isOut(entry: OtaEntry): boolean {
  return entry.seq === ERASED || entry.state === State.invalid || entry.state === State.aborted;
}

/** bootloader_common_ota_select_valid. */
export function isBootable(entry: OtaEntry): boolean {
  return !isOut(entry) && entry.crc === seqCrc(entry.seq);
}

/**
 * The image of this entry is not confirmed. UNDEFINED: written by firmware that was built without rollback, at a board's
 * first update to this one.
 */
export function isOnTrial({ state }: OtaEntry): boolean {
  return state === State.new || state === State.pending || state === State.undefined;
}

/** bootloader_common_get_active_otadata: the entry that decides, or undefined. */
export function activeEntry(entries: OtaEntries): EntryIndex | undefined {
  return select(entries, isBootable, Math.max);
}

/** get_last_invalid_otadata in esp_ota_ops.c: of two rejected images, the one with the LOWER number. */
export function lastInvalidEntry(entries: OtaEntries): EntryIndex | undefined {
  return select(
    entries,
    (entry) => names(entry) && (entry.state === State.invalid || entry.state === State.aborted),
    Math.min,
  );
}

function select(
  entries: OtaEntries,
  fits: (entry: OtaEntry) => boolean,
  choose: (a: number, b: number) => number,
): EntryIndex | undefined {
  const [first, second] = [fits(entries[0]), fits(entries[1])];
  if (first && second) return choose(entries[0].seq, entries[1].seq) === entries[0].seq ? 0 : 1;
  return first ? 0 : second ? 1 : undefined;
}

/** Index of the slot that an entry names, of two. */
export function slotOf(entry: OtaEntry): 0 | 1 {
  return ((entry.seq - 1) & 1) as 0 | 1;
}

/** In src/ports.ts's words. */
export function stateName(state: number): SlotState {
  const found = (Object.keys(State) as (keyof typeof State)[]).find((name) => State[name] === state);
  return found ?? "undefined";
}

/** The two sectors of a chip. */
export class OtaData {
  readonly #chip: FlashChip;
  readonly #address: number;

  /** `address`: of the otadata partition. */
  constructor(chip: FlashChip, address: number) {
    this.#chip = chip;
    this.#address = address;
  }

  read(): OtaEntries {
    return [this.#read(0), this.#read(1)];
  }

  /**
   * rewrite_ota_seq: erases the sector, then programs the entry: between the two it is gone. The label stays what it
   * was.
   */
  write(index: EntryIndex, seq: number, state: number): void {
    this.rewrite(index, { ...this.#read(index), seq, state, crc: seqCrc(seq) });
  }

  /** Clears bits of one byte of the label: no erase, and the CRC does not cover it. */
  mark(index: EntryIndex, byte: number, value: number): void {
    this.#chip.program(this.#address + index * SECTOR_SIZE + LABEL + byte, Uint8Array.of(value));
  }

  /** `write` with whatever CRC the entry has: the bootloader changes states and looks at nothing else. */
  rewrite(index: EntryIndex, entry: OtaEntry): void {
    const bytes = new Uint8Array(ENTRY).fill(0xff);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, entry.seq, true);
    bytes.set(entry.label ?? BLANK_LABEL, LABEL);
    view.setUint32(STATE, entry.state, true);
    view.setUint32(28, entry.crc, true);
    this.erase(index);
    this.#chip.program(this.#address + index * SECTOR_SIZE, bytes);
  }

  /**
   * Writes PENDING into a blank sector. It names no slot and never decides. A bootloader with rollback makes it ABORTED
   * at the next start, one without leaves it.
   */
  plant(index: EntryIndex): void {
    this.#chip.program(this.#address + index * SECTOR_SIZE + STATE, Uint8Array.of(State.pending, 0, 0, 0));
  }

  erase(index: EntryIndex): void {
    this.#chip.erase(this.#address + index * SECTOR_SIZE);
  }

  #read(index: EntryIndex): OtaEntry {
    const bytes = new Uint8Array(ENTRY);
    this.#chip.read(this.#address + index * SECTOR_SIZE, bytes);
    const view = new DataView(bytes.buffer);
    return {
      seq: view.getUint32(0, true),
      label: [...bytes.subarray(LABEL, LABEL + LABEL_LENGTH)],
      state: view.getUint32(STATE, true),
      crc: view.getUint32(28, true),
    };
  }
}
