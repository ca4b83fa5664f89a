/**
 * The chip of the desktop simulator: the model of hal/model-chip over a file. The simulated board of the host uses the
 * same model, so that the host's tools read a folder of the simulator like any other board's.
 */
import Resource from "Resource";
import Time from "time";
import type { Boot, Flash, ResetReason, Retained, Store } from "../../src/ports";
import { decodeUtf8, encodeUtf8 } from "../../src/util/utf8";
import { ModdableCrypto } from "../moddable/crypto";
import { boardPorts } from "../model-chip/board-ports";
import type { Leaving } from "../model-chip/board-ports";
import { SLOT_LABELS } from "../model-chip/bootloader";
import { buildImage, readPayload } from "../model-chip/build-image";
import type { FlashCells } from "../model-chip/flash-cells";
import { FlashChip } from "../model-chip/flash-chip";
import { flashFactory } from "../model-chip/flash-factory";
import { PartitionTable } from "../model-chip/partitions";
import { Slots } from "../model-chip/slots";
import { startChip } from "../model-chip/start-up";
import { simExpander } from "./expander";
import type { RtcMemory } from "../model-chip/start-up";

/** What an image was made to do wrong (`xs-ota image --fault`). */
export type Fault =
  | "throw"
  | "hang"
  | "offline"
  | "no-network"
  | "no-clock"
  | "throw-late"
  | "reject"
  | "out-of-memory";

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
  readonly retained: Retained;
  /** See `Ports`. */
  partition(label: string): Flash;
  /** Another namespace of NVS. */
  space(name: string): Store;
}

/** esp_chip_id_t of the ESP32, the one that `xs-ota image` makes images for. */
const CHIP_ID = 0;
/** Sizes of flash that a partition table is there for, MB. */
const FLASH_SIZES: readonly number[] = Object.freeze([4, 8, 16]);
/** The simulator runs the app it was built with, whatever a slot's payload holds. */
const PAYLOAD = "/* the app that mcconfig built */";
const LINE_END = 0x0a;
/** The process ends when the power does. */
const RTC: RtcMemory = {};

/** An image for the chip, without code. `size`: its exact length, bytes; default: the smallest. */
export function makeImage(version: string, size?: number): Uint8Array {
  return buildImage({
    version,
    payload: encodeUtf8(PAYLOAD),
    chip: CHIP_ID,
    ...(size === undefined ? {} : { size }),
  });
}

/** Makes a new chip in `cells`, which are erased: partition table, and `image` in ota_0. */
export function manufacture(cells: FlashCells, image: Uint8Array): void {
  const megabytes = cells.size / (1 << 20);
  if (!FLASH_SIZES.includes(megabytes))
    throw new Error(`no partition table for ${cells.size} bytes of flash: ${FLASH_SIZES.join(", ")} MB`);
  const csv = decodeUtf8(new Uint8Array(new Resource(`partitions-${megabytes}mb.csv`).slice(0)));
  flashFactory(new FlashChip(cells), PartitionTable.fromCsv(csv, cells.size), image);
}

/**
 * Power-on or reset: runs the bootloader. Throws with the reason where nothing boots. `restart`: the firmware asks for
 * one.
 */
export function start(
  cells: FlashCells,
  resetReason: ResetReason,
  restart: (why: Leaving, seconds?: number) => void,
): StartedChip {
  const chip = new FlashChip(cells);
  const table = PartitionTable.read(chip);
  const crypto = new ModdableCrypto();
  const slots = new Slots(chip, table, CHIP_ID, { sha256: () => crypto.digest("SHA256") });
  const parts = { chip, table, slots, rtc: RTC, rtcTime: () => Time.ticks };
  const { boot, ...started } = startChip(parts, resetReason);
  if (boot.bricked !== undefined) throw new Error(`nothing boots: ${boot.bricked}`);
  const { slot, version, trial } = boot;
  const running = slot === SLOT_LABELS[0] ? 0 : 1;
  const { address, size } = table.slots[running];
  const fault = faultOf(readPayload((offset, into) => chip.read(address + offset, into), size));
  const startedAt = Time.ticks;
  const awake = (): number => Time.ticks - startedAt;
  return {
    slot,
    version,
    trial,
    fault,
    ...boardPorts({ ...parts, ...started, running, awake, restart, expander: simExpander }),
  };
}

/** `xs-ota image` begins a payload with a line of constants (host-sim/board/firmware/bundle.ts): the fault is in it. */
function faultOf(payload: Uint8Array): Fault | undefined {
  // What follows the line may be packed, and is no text then.
  const constants = decodeUtf8(payload.subarray(0, Math.max(0, payload.indexOf(LINE_END))));
  return /"fault":"([a-z-]+)"/.exec(constants)?.[1] as Fault | undefined;
}
