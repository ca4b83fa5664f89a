/** The simulated chip as the simulator's ports see it. Types only: both sides of the bundle are checked against them. */
import type { Boot, Flash, ResetReason, Store } from "../../ports";

/** A file as raw storage: any bytes may replace any. */
export interface RawFile {
  /** Bytes. */
  readonly size: number;
  read(address: number, into: Uint8Array): void;
  /** In the file when it returns. */
  write(address: number, bytes: Uint8Array): void;
}

export interface StartedChip {
  /** Label of the slot that the bootloader chose. */
  readonly slot: string;
  readonly version: string;
  /** Unconfirmed at its end, this start is rolled back at the next. */
  readonly trial: boolean;
  readonly flash: Flash;
  readonly boot: Boot;
  readonly store: Store;
}

/** Bytes of flash that a partition table is there for. */
export type FlashSize = 4_194_304 | 8_388_608 | 16_777_216;

/** Makes a new chip in `file`, which holds 0xFF throughout: partition table, and a first image of `version` in ota_0. */
export type Manufacture = (file: RawFile, version: string) => void;

/** Power-on or reset: runs the bootloader. Throws, saying why, where nothing boots. `restart` is called when the firmware wants one. */
export type Start = (file: RawFile, resetReason: ResetReason, restart: () => void) => StartedChip;
