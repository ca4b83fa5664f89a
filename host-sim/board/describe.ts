/**
 * Describes the contents of a board's flash, for `xs-ota inspect` and the console. It mounts a copy, so that it repairs
 * nothing.
 */
import type { SlotState } from "../../src/ports";
import { RECORDS } from "../../src/job/records";
import { AbRecordStore } from "../../src/store/ab-record-store";
import { NAMESPACE } from "../../hal/model-chip/board-ports";
import { SLOT_LABELS } from "../../hal/model-chip/bootloader";
import { MemoryCells, SECTOR_SIZE } from "../../hal/model-chip/flash-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { startsOf, wakesOf } from "../../hal/model-chip/marks";
import { Nvs } from "../../hal/model-chip/nvs";
import { OtaData, activeEntry, names, slotOf, stateName } from "../../hal/model-chip/otadata";
import type { Partition } from "../../hal/model-chip/partitions";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { Slots } from "../../hal/model-chip/slots";
import { rollsBack } from "../../hal/model-chip/start-up";
import { readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import { SETTINGS } from "./firmware/settings";
import { nodeSha256 } from "./node-crypto";

export interface BoardDescription {
  readonly flashSize: number;
  readonly partitions: readonly Partition[];
  /** The two entries of otadata; undefined where one is blank or broken. `decides`: the bootloader goes by it. */
  readonly boot: readonly (
    | {
        readonly seq: number;
        readonly slot: string;
        readonly state: SlotState;
        readonly decides: boolean;
        /** Marks of the start-up: starts and deep-sleep wakes on trial since the slot was activated. */
        readonly starts: number;
        readonly wakes: number;
      }
    | undefined
  )[];
  /** Whether the bootloader rolls back, as far as the boot entries tell. */
  readonly bootloader: "rolls back" | "no rollback" | "not known yet";
  readonly slots: readonly SlotDescription[];
  /** What the agent keeps in NVS. */
  readonly store: readonly { readonly key: string; readonly value: number | Uint8Array }[];
  /** The firmware's settings in NVS: their names and lengths, because they hold secrets. */
  readonly settings: readonly { readonly key: string; readonly bytes: number }[];
}

export interface SlotDescription {
  readonly label: string;
  readonly size: number;
  /** The image would boot. */
  readonly bootable: boolean;
  /** Why not. */
  readonly problem?: string;
  /** Of a bootable image: its length in bytes. */
  readonly length?: number;
  readonly version?: string;
  readonly project?: string;
  readonly chip?: number;
}

/** Throws an Error if the chip holds no board. `chipId`: esp_chip_id_t of the board. */
export function describe(chip: FlashChip, chipId = 0): BoardDescription {
  const table = PartitionTable.read(chip);
  const copy = FlashChip.inMemory(chip.size);
  const sector = new Uint8Array(SECTOR_SIZE);
  for (const { address, size } of [table.nvs, table.otadata]) {
    for (let at = address; at < address + size; at += SECTOR_SIZE) {
      chip.read(at, sector);
      (copy.cells as MemoryCells).set(at, sector);
    }
  }
  const entries = new OtaData(copy, table.otadata.address).read();
  const decides = activeEntry(entries);
  const slots = new Slots(chip, table, chipId, { sha256: nodeSha256 });
  const nvs = new Nvs(copy, table.nvs, NAMESPACE);
  const store = describeStore(nvs);
  return {
    flashSize: chip.size,
    partitions: table.partitions,
    boot: entries.map((entry, index) =>
      names(entry)
        ? {
            seq: entry.seq,
            slot: SLOT_LABELS[slotOf(entry)],
            state: stateName(entry.state),
            decides: index === decides,
            starts: startsOf(entry.label ?? []),
            wakes: wakesOf(entry.label ?? []),
          }
        : undefined,
    ),
    bootloader: bootloaderOf(store, rollsBack(entries, decides, "deep-sleep")),
    slots: ([0, 1] as const).map((index) => describeSlot(chip, slots, index)),
    store,
    settings: describeSettings(new Nvs(copy, table.nvs, SETTINGS, nvs)),
  };
}

/** As the agent was told, else what the entries prove by themselves. */
function bootloaderOf(store: BoardDescription["store"], proven: boolean | undefined): BoardDescription["bootloader"] {
  const told = store.find(({ key }) => key === RECORDS.bootloader.key)?.value;
  if (told === 1 || (told === undefined && proven === true)) return "rolls back";
  return told === 2 ? "no rollback" : "not known yet";
}

function describeStore(nvs: Nvs): BoardDescription["store"] {
  const store = new AbRecordStore(nvs);
  return [...new Set(nvs.keys().map(AbRecordStore.recordOf))].flatMap((key) => {
    if (key === undefined) return [];
    const value = store.getNumber(key) ?? store.getBytes(key);
    return value === undefined ? [] : [{ key, value }];
  });
}

function describeSettings(nvs: Nvs): BoardDescription["settings"] {
  return nvs.keys().map((key) => ({ key, bytes: (nvs.getBytes(key) ?? nvs.getString(key))?.length ?? 0 }));
}

function describeSlot(chip: FlashChip, slots: Slots, index: 0 | 1): SlotDescription {
  const { label, size, address } = slots.partitions[index];
  try {
    const { length, version, project, chip: chipOfImage } = slots.verify(index);
    return { label, size, bootable: true, length, version, project, chip: chipOfImage };
  } catch (error) {
    const first = new Uint8Array(SECTOR_SIZE);
    chip.read(address, first);
    return { label, size, bootable: false, problem: (error as Error).message, ...claimsOf(first) };
  }
}

/** Version, product and chip that an unbootable image claims, as far as they can be read. */
function claimsOf(first: Uint8Array): { version?: string; project?: string; chip?: number } {
  try {
    const { version, product } = readFirmware(first, true);
    return { version, project: product, chip: readHeader(first).chip };
  } catch {
    return {};
  }
}
