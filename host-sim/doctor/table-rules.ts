/** What updates need of a partition table. */
import { hex } from "../../hal/model-chip/flash-chip";
import { SECTOR_SIZE } from "../../hal/model-chip/flash-cells";
import { APP, DATA, NVS, OTADATA, TABLE_ADDRESS, otaSlotsOf } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { note, wrong } from "./finding";
import type { Finding } from "./finding";

const APP_ALIGNMENT = 0x10000;
const NVS_PAGES = 3;
const OURS = "take hal/esp32/partitions-4mb.csv, -8mb.csv or -16mb.csv (PARTITIONS_FILE), with one serial flash";

/** The slot that bounds every image. Undefined where there are not two. */
export function smallestSlot(partitions: readonly Partition[]): Partition | undefined {
  const slots = otaSlotsOf(partitions);
  return slots.length < 2 ? undefined : slots.reduce((least, slot) => (slot.size < least.size ? slot : least));
}

/** `flashSize`: bytes; undefined where it is not known. */
export function tableFindings(partitions: readonly Partition[], flashSize: number | undefined): Finding[] {
  return [
    ...slotFindings(partitions),
    ...dataFindings(partitions),
    ...placeFindings(partitions),
    ...sizeFindings(partitions, flashSize),
  ];
}

function slotFindings(partitions: readonly Partition[]): Finding[] {
  const slots = otaSlotsOf(partitions);
  const apps = partitions.filter(({ type }) => type === APP);
  if (slots.length < 2) {
    const told = apps.map(({ label, size }) => `${label} of ${size >> 10} KB`).join(", ");
    return [
      wrong(
        `the partition table has ${apps.length === 1 ? "one app partition" : `${apps.length} app partitions, ${slots.length} of them OTA slots`} (${told || "none"})`,
        "there is nowhere to put new firmware, and no update can change the table",
        OURS,
      ),
    ];
  }
  const found: Finding[] = [];
  const sizes = new Set(slots.map(({ size }) => size));
  if (sizes.size > 1)
    found.push(
      note(
        `the slots are not equal: ${slots.map(({ label, size }) => `${label} ${size >> 10} KB`).join(", ")}`,
        "an image must fit the smaller one",
        "nothing, where it does; equal slots use the flash better",
      ),
    );
  for (const { label } of apps.filter((app) => !slots.includes(app)))
    found.push(
      note(
        `app partition ${label} beside the slots`,
        "a device that has lost otadata starts the firmware that was flashed there at the factory",
        "leave it out, where no update is to end in the oldest firmware",
      ),
    );
  return found;
}

function dataFindings(partitions: readonly Partition[]): Finding[] {
  const found: Finding[] = [];
  const data = (subtype: number): Partition | undefined =>
    partitions.find((part) => part.type === DATA && part.subtype === subtype);
  const otadata = data(OTADATA);
  // Without slots that is told already.
  if (otadata === undefined && otaSlotsOf(partitions).length >= 2)
    found.push(
      wrong("no otadata partition", "the bootloader always starts the same slot: an update has no effect", OURS),
    );
  if (otadata !== undefined && otadata.size !== 2 * SECTOR_SIZE)
    found.push(
      wrong(
        `otadata has ${otadata.size} bytes`,
        "a boot choice needs two sectors, so that a power cut leaves one of them",
        `give it ${hex(2 * SECTOR_SIZE)}`,
      ),
    );
  const nvs = data(NVS);
  if (nvs === undefined)
    found.push(wrong("no nvs partition", "no checkpoint, no settings, no Wi-Fi: the agent does not start", OURS));
  else if (nvs.size < NVS_PAGES * SECTOR_SIZE)
    found.push(
      wrong(
        `nvs has ${nvs.size} bytes`,
        "NVS needs three pages to write at all; without records every power cut begins the download anew",
        "give it 0x4000",
      ),
    );
  return found;
}

function placeFindings(partitions: readonly Partition[]): Finding[] {
  const found: Finding[] = [];
  let [end, before] = [TABLE_ADDRESS + SECTOR_SIZE, "the partition table"];
  for (const { label, type, address, size } of [...partitions].sort((a, b) => a.address - b.address)) {
    const alignment = type === APP ? APP_ALIGNMENT : SECTOR_SIZE;
    if (address % alignment !== 0)
      found.push(
        wrong(
          `partition ${label} at ${hex(address)}`,
          `${type === APP ? "an app" : "a partition"} must begin at a multiple of ${hex(alignment)}: it can not be ${type === APP ? "started" : "erased"} there`,
          OURS,
        ),
      );
    if (address < end)
      found.push(
        wrong(
          `partition ${label} at ${hex(address)} overlaps ${before}, which ends at ${hex(end)}`,
          "writing the one destroys the other",
          OURS,
        ),
      );
    [end, before] = [Math.max(end, address + size), label];
  }
  return found;
}

function sizeFindings(partitions: readonly Partition[], flashSize: number | undefined): Finding[] {
  const end = Math.max(...partitions.map(({ address, size }) => address + size));
  if (flashSize === undefined) return [];
  if (end > flashSize)
    return [
      wrong(
        `the partition table reaches to ${hex(end)}, the flash is ${flashSize >> 20} MB (${hex(flashSize)})`,
        "the bootloader refuses the table, or the second slot does not exist",
        "the table and CONFIG_ESPTOOLPY_FLASHSIZE_..MB of the same size, which is that of the board",
      ),
    ];
  return end * 2 <= flashSize
    ? [
        note(
          `the partition table uses ${end >> 20} MB of ${flashSize >> 20} MB`,
          "slots are smaller than they could be, and can not be made larger by an update",
          `partitions-${flashSize >> 20}mb.csv, where this repository has it`,
        ),
      ]
    : [];
}
