/**
 * The chip of the desktop simulator: the simulated board of host-sim/board (flash with NOR rules, NVS, otadata, bootloader), so that
 * there is one model of a chip, and a folder of the simulator reads like any other board's. It is written for Node; mcconfig gets
 * it as a bundle with a few stand-ins (scripts/build-simulated-chip.mjs).
 */
import { boardPorts } from "../../model-chip/board-ports";
import { Bootloader, SLOT_LABELS } from "../../model-chip/bootloader";
import type { FlashCells } from "../../model-chip/flash-cells";
import { FlashChip, SECTOR_SIZE } from "../../model-chip/flash-chip";
import { flashFactory } from "../../model-chip/flash-factory";
import { PartitionTable } from "../../model-chip/partitions";
import { Slots } from "../../model-chip/slots";
import { buildImage, readPayload } from "../../model-chip/build-image";
import { decodeUtf8, encodeUtf8 } from "../../../src/util/utf8";
import table16 from "../../esp32/partitions-16mb.csv";
import table4 from "../../esp32/partitions-4mb.csv";
import table8 from "../../esp32/partitions-8mb.csv";
import type { Fault, FlashSize, MakeImage, Manufacture, RawFile, Start } from "./interface";

/** esp_chip_id_t of the ESP32, the one that `xs-ota image` makes images for. */
const CHIP_ID = 0;

const TABLES: { readonly [size in FlashSize]: string } = { 4_194_304: table4, 8_388_608: table8, 16_777_216: table16 };

/** The simulator runs the app it was built with, whatever a slot's payload says. */
const PAYLOAD = "/* the app that mcconfig built */";

export const makeImage: MakeImage = (version, size) =>
  buildImage({ version, payload: encodeUtf8(PAYLOAD), chip: CHIP_ID, ...(size === undefined ? {} : { size }) });

export const manufacture: Manufacture = (file, image) => {
  const csv = TABLES[file.size as FlashSize];
  if (csv === undefined) throw new Error(`no partition table for ${file.size} bytes of flash: 4, 8 or 16 MB`);
  flashFactory(new FlashChip(new FileCells(file)), PartitionTable.fromCsv(csv, file.size), image);
};

export const start: Start = (file, resetReason, restart) => {
  const chip = new FlashChip(new FileCells(file));
  const table = PartitionTable.read(chip);
  const slots = new Slots(chip, table, CHIP_ID);
  const started = new Bootloader(chip, table, slots).boot();
  if (started.bricked !== undefined) throw new Error(`nothing boots: ${started.bricked}`);
  const { slot, version, trial } = started;
  const running = slot === SLOT_LABELS[0] ? 0 : 1;
  const { address, size } = table.slots[running];
  const fault = faultOf(readPayload((offset, into) => chip.read(address + offset, into), size));
  return { slot, version, trial, fault, ...boardPorts({ chip, table, slots, running, resetReason, restart }) };
};

/** How `xs-ota image --fault` begins a payload (host-sim/board/firmware/bundle.ts): a line of constants, then what makes it fail. */
export function faultOf(payload: Uint8Array): Fault | undefined {
  const [constants = "", prologue = ""] = decodeUtf8(payload.subarray(0, 512)).split("\n");
  if (constants.includes('"offline":true')) return "offline";
  if (prologue.startsWith("throw ")) return "throw";
  return prologue.startsWith("for (;;)") ? "hang" : undefined;
}

class FileCells implements FlashCells {
  readonly size: number;
  readonly #file: RawFile;

  constructor(file: RawFile) {
    this.size = file.size;
    this.#file = file;
  }

  read(address: number, into: Uint8Array): void {
    this.#file.read(address, into);
  }

  set(address: number, bytes: Uint8Array): void {
    this.#file.write(address, bytes);
  }

  clear(address: number, bytes: Uint8Array): void {
    const cells = new Uint8Array(bytes.length);
    this.#file.read(address, cells);
    for (let index = 0; index < bytes.length; index++) cells[index]! &= bytes[index]!;
    this.#file.write(address, cells);
  }

  erase(address: number, length: number): void {
    for (let at = 0; at < length; at += SECTOR_SIZE)
      this.#file.write(address + at, new Uint8Array(Math.min(SECTOR_SIZE, length - at)).fill(0xff));
  }
}
