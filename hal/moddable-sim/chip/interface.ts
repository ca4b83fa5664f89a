/** The simulated chip as the simulator's ports see it. Types only: both sides of the bundle are checked against them. */
import type { Boot, Flash, ResetReason, Store } from "../../../src/ports";

/** A file as raw storage: any bytes may replace any. */
export interface RawFile {
  /** Bytes. */
  readonly size: number;
  read(address: number, into: Uint8Array): void;
  /** In the file when it returns. */
  write(address: number, bytes: Uint8Array): void;
}

/** What an image was made to do wrong (`xs-ota image --fault`). */
export type Fault = "throw" | "hang" | "offline";

export interface StartedChip {
  /** Label of the slot that the bootloader chose. */
  readonly slot: string;
  readonly version: string;
  /** Unconfirmed at its end, this start is rolled back at the next. */
  readonly trial: boolean;
  readonly fault: Fault | undefined;
  readonly flash: Flash;
  readonly boot: Boot;
  readonly store: Store;
  /** See `Ports`. */
  partition(label: string): Flash;
}

/** Bytes of flash that a partition table is there for. */
export type FlashSize = 4_194_304 | 8_388_608 | 16_777_216;

/** An image for the chip, without code. `size`: its exact length, bytes; default: the smallest. */
export type MakeImage = (version: string, size?: number) => Uint8Array;

/** Makes a new chip in `file`, which holds 0xFF throughout: partition table, and `image` in ota_0. */
export type Manufacture = (file: RawFile, image: Uint8Array) => void;

/** Power-on or reset: runs the bootloader. Throws, saying why, where nothing boots. `restart` is called when the firmware wants one. */
export type Start = (file: RawFile, resetReason: ResetReason, restart: () => void) => StartedChip;
