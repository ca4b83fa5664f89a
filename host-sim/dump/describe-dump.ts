/**
 * What is in the flash of a real board, as `esptool read-flash` wrote it to a file. The description is that of a
 * simulated board, for any layout, with remarks on what a dump alone can show.
 */
import { nodeSha256 } from "../board/node-crypto";
import { describeLayout } from "../board/describe";
import type { BoardDescription, SlotDescription } from "../board/describe";
import { BOOTLOADER_OFFSETS, chipOf, flashSizeOf } from "../../hal/model-chip/chips";
import { hex } from "../../hal/model-chip/flash-chip";
import { verifyImage } from "../../hal/model-chip/image-check";
import { nvsHealth } from "../../hal/model-chip/nvs-health";
import { APP, DATA, NVS, NVS_KEYS, OTADATA, TABLE_ADDRESS, otaSlotsOf } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { IMAGE_HEADER, readHeader } from "../../src/image/esp-image";
import { FlashFile } from "./flash-file";
import { tableOf } from "./table";

export interface DumpBootloader {
  readonly offset: number;
  readonly chip: number;
  /** Bytes of flash that its header names. */
  readonly flashSize: number | undefined;
  /** Why it would not start. */
  readonly problem?: string;
}

export interface DumpDescription extends Omit<BoardDescription, "partitions"> {
  /** Bytes of the file. */
  readonly given: number;
  /** esp_chip_id_t; undefined where no image names one. */
  readonly chip: number | undefined;
  readonly image: DumpBootloader | undefined;
  /** `missing`: bytes at its end that the dump lacks. */
  readonly partitions: readonly (Partition & { readonly missing: number })[];
  /** App partitions that are no OTA slots. */
  readonly otherApps: readonly Partition[];
  /** One line each: what of this file can not be told, and why. */
  readonly notes: readonly string[];
}

/** Throws one line where the file is no flash that can be read. */
export function describeDump(bytes: Uint8Array): DumpDescription {
  const partitions = tableOf(new FlashFile(bytes, bytes.length));
  const end = Math.max(...partitions.map(({ address, size }) => address + size));
  const flash = new FlashFile(bytes, end);
  const whole = (part: Partition | undefined): Partition | undefined =>
    part !== undefined && part.address + part.size <= flash.given ? part : undefined;
  const data = (subtype: number): Partition | undefined =>
    partitions.find((part) => part.type === DATA && part.subtype === subtype);
  const image = bootloaderOf(flash);
  const slots = otaSlotsOf(partitions);
  const nvs = whole(data(NVS));
  const readable = nvs !== undefined && canMount(flash, nvs) ? nvs : undefined;
  const chip = image?.chip ?? chipOfSlots(flash, slots);
  const layout = { partitions, slots, nvs: readable, otadata: whole(data(OTADATA)) };
  const description = describeLayout(flash, layout, chip);
  return {
    ...description,
    slots: description.slots.map((slot, index) => cutOff(slot, missingOf(flash, slots[index]!))),
    given: flash.given,
    chip,
    image,
    partitions: partitions.map((part) => ({ ...part, missing: missingOf(flash, part) })),
    otherApps: partitions.filter((part) => part.type === APP && !slots.includes(part)),
    notes: notesOf(flash, partitions, { image, nvs: data(NVS), otadata: data(OTADATA), end }),
  };
}

function cutOff(slot: SlotDescription, missing: number): SlotDescription {
  if (slot.bootable || missing === 0) return slot;
  return {
    ...slot,
    problem: missing === slot.size ? "not in this dump" : `${slot.problem}; the dump ends within this slot`,
  };
}

function missingOf({ given }: FlashFile, { address, size }: Partition): number {
  return Math.min(size, Math.max(0, address + size - given));
}

function bootloaderOf(flash: FlashFile): DumpBootloader | undefined {
  for (const offset of BOOTLOADER_OFFSETS) {
    try {
      const header = flash.bytes(offset, IMAGE_HEADER);
      const { chip } = readHeader(header);
      if (chipOf(chip) !== undefined && chipOf(chip)!.bootloader !== offset) continue;
      const problem = bootProblem(flash, offset);
      return { offset, chip, flashSize: flashSizeOf(header), ...(problem === undefined ? {} : { problem }) };
    } catch {
      // Not here.
    }
  }
  return undefined;
}

function bootProblem(flash: FlashFile, offset: number): string | undefined {
  try {
    verifyImage((at, into) => flash.read(offset + at, into), TABLE_ADDRESS - offset, nodeSha256);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function chipOfSlots(flash: FlashFile, slots: readonly Partition[]): number | undefined {
  for (const { address } of slots) {
    try {
      return readHeader(flash.bytes(address, IMAGE_HEADER)).chip;
    } catch {
      // No image there.
    }
  }
  return undefined;
}

/** NVS of the agent has three pages at least; what is neither a page nor blank can not be mounted. */
function canMount(flash: FlashFile, { address, size }: Partition): boolean {
  const { pages, blank } = nvsHealth(flash.bytes(address, size));
  return pages + blank >= 2;
}

function notesOf(
  flash: FlashFile,
  partitions: readonly Partition[],
  parts: {
    readonly image: DumpBootloader | undefined;
    readonly nvs: Partition | undefined;
    readonly otadata: Partition | undefined;
    readonly end: number;
  },
): string[] {
  const { image, nvs, otadata, end } = parts;
  const notes: string[] = [];
  if (flash.given < end)
    notes.push(
      `the dump is cut off: it has ${flash.given} bytes, the partition table reaches to ${end} (${hex(end)}); what lies behind counts as erased here`,
    );
  if (image === undefined)
    notes.push("there is no bootloader in this dump: a simulated board has none, a chip needs one");
  else if (image.problem !== undefined)
    notes.push(`the bootloader at ${hex(image.offset)} is damaged: ${image.problem}`);
  if (image?.flashSize !== undefined && image.flashSize < end)
    notes.push(
      `the bootloader is built for ${image.flashSize >> 20} MB of flash, the partition table reaches to ${hex(end)}: it refuses such a table`,
    );
  if (otadata === undefined) notes.push("no otadata partition: the bootloader always starts the same app");
  else if (missingOf(flash, otadata) > 0) notes.push("otadata is not in this dump: which slot starts can not be told");
  if (nvs === undefined) notes.push("no nvs partition");
  else notes.push(...nvsNotes(flash, nvs, partitions));
  return notes;
}

function nvsNotes(flash: FlashFile, nvs: Partition, partitions: readonly Partition[]): string[] {
  if (missingOf(flash, nvs) > 0) return ["nvs is not whole in this dump: records and settings can not be told"];
  const { pages, blank, bad } = nvsHealth(flash.bytes(nvs.address, nvs.size));
  if (bad === 0) return pages === 0 ? ["nvs is blank: this board has no settings and no records"] : [];
  const keys = partitions.some(({ type, subtype }) => type === DATA && subtype === NVS_KEYS);
  const why = keys ? "the table has an nvs_keys partition, so NVS is encrypted" : "encrypted, or damaged";
  return [
    pages === 0
      ? `nvs can not be read: none of its ${bad + blank} pages is one of NVS (${why})`
      : `${bad} of the ${pages + blank + bad} pages of nvs can not be read (${why}); ESP-IDF erases such a page when it needs it`,
  ];
}
