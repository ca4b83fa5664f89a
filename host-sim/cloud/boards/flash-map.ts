import { join } from "node:path";
import { openFlashOf, WEAR_FILE } from "../../board/board-folder";
import { describe } from "../../board/describe";
import { SECTOR_SIZE } from "../../../hal/model-chip/flash-cells";
import { readWear } from "../../board/wear-file";
import { jobOf } from "../../cli/inspect-job";

/** What is in a slot, one letter for each sector of 4 KiB. */
export type SectorState =
  /** "i": part of an image that the bootloader takes. */
  | "i"
  /** "v": written by the update in hand, and read back. */
  | "v"
  /** "w": written by it, not yet claimed by the checkpoint. */
  | "w"
  /** "e": erased. */
  | "e"
  /** "o": left from before. */
  | "o";

export interface SlotMap {
  readonly label: string;
  /** Bytes. */
  readonly size: number;
  readonly running: boolean;
  readonly bootable: boolean;
  readonly version?: string;
  /** Of its boot entry: new, pending (on trial), valid, invalid, aborted; "none" without one. */
  readonly state: string;
  readonly sectors: string;
  /** Erases of all its sectors together, since the board was made. */
  readonly erases: number;
}

export interface FlashMap {
  readonly sectorSize: number;
  readonly slots: readonly SlotMap[];
  readonly job?: {
    readonly version: string;
    readonly phase: string;
    /** Bytes; 0 = not known yet. */
    readonly size: number;
    /** Bytes in flash and read back: the checkpoint. */
    readonly stored: number;
    readonly outcome?: string;
  };
}

/** A checkpoint trails what is written by at most one sector plus what one write of the agent's takes. */
const AHEAD = 2;

/**
 * Read from flash.bin as it is at this moment, in use or not. `running`: the slot that the board reported at its boot,
 * if it is on. Throws one line if there is no board, or if it is in the middle of being made.
 */
export function flashMap(folder: string, running: string | undefined): FlashMap {
  const { chip, close } = openFlashOf(folder);
  try {
    const { partitions, boot, slots, store } = describe(chip);
    const { job } = jobOf(store);
    const active = running ?? boot.find((entry) => entry?.decides === true)?.slot ?? "ota_0";
    const maps = slots.map((slot): SlotMap => {
      const { address, size } = partitions.find(({ label }) => label === slot.label)!;
      const entry = boot.findLast((one) => one?.slot === slot.label);
      const isRunning = slot.label === active;
      const stored = isRunning || job === undefined ? 0 : job.stored;
      const image = slot.bootable ? (slot.length ?? 0) : 0;
      const counts = readWear(join(folder, WEAR_FILE), address, size);
      return {
        label: slot.label,
        size,
        running: isRunning,
        bootable: slot.bootable,
        ...(slot.version === undefined ? {} : { version: slot.version }),
        state: entry?.state ?? "none",
        sectors: sectorsOf((at, into) => chip.read(address + at, into), size, image, stored),
        erases: counts.erases,
      };
    });
    return {
      sectorSize: SECTOR_SIZE,
      slots: maps,
      ...(job === undefined
        ? {}
        : {
            job: {
              version: job.version,
              phase: job.phase,
              size: job.size,
              stored: job.stored,
              ...(job.outcome === undefined ? {} : { outcome: job.outcome }),
            },
          }),
    };
  } finally {
    close();
  }
}

function sectorsOf(read: (at: number, into: Uint8Array) => void, size: number, image: number, stored: number): string {
  const whole = Buffer.alloc(size);
  read(0, whole);
  const letters: SectorState[] = [];
  for (let at = 0; at < size; at += SECTOR_SIZE) {
    const erased = whole.subarray(at, at + SECTOR_SIZE).equals(ERASED);
    if (at < image) letters.push("i");
    else if (at < stored) letters.push("v");
    else if (erased) letters.push("e");
    else letters.push(stored > 0 && at < stored + AHEAD * SECTOR_SIZE ? "w" : "o");
  }
  return letters.join("");
}

const ERASED = Buffer.alloc(SECTOR_SIZE, 0xff);
