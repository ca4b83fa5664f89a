/**
 * Describes the contents of a board's flash, for `xs-ota inspect` and the console. It mounts a copy, so that it repairs
 * nothing.
 */
import type { SlotState } from "../../src/ports";
import { RECORDS } from "../../src/job/records";
import { AbRecordStore } from "../../src/store/ab-record-store";
import { NAMESPACE } from "../../hal/model-chip/board-ports";
import { MemoryCells, SECTOR_SIZE } from "../../hal/model-chip/flash-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { startsOf, wakesOf } from "../../hal/model-chip/marks";
import { Nvs } from "../../hal/model-chip/nvs";
import { OtaData, activeEntry, names, stateName } from "../../hal/model-chip/otadata";
import type { OtaEntries } from "../../hal/model-chip/otadata";
import type { Partition } from "../../hal/model-chip/partitions";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { verifySlot } from "../../hal/model-chip/slots";
import { rollsBack } from "../../hal/model-chip/start-up";
import { LAST_RUN } from "../../hal/moddable/fault-record";
import { readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import { TRAILER, hasTrailer, readTrailer } from "../../src/signature/trailer";
import { toHex } from "../../src/util/hex";
import { decodeUtf8 } from "../../src/util/utf8";
import { SETTINGS, SETTINGS_KEY } from "./firmware/settings";
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
  /** What the last run has left (hal/moddable/fault-record.ts). */
  readonly lastRun: LastRun;
}

export interface LastRun {
  /** 0: a restart was wanted; 1: it ran; 2: another image was activated. */
  readonly running?: number;
  readonly fault?: string;
  /** "VERSION: STAGE" of a trial under way. */
  readonly stage?: string;
}

/** Where the parts of a flash lie that a description looks at. */
export interface Layout {
  readonly partitions: readonly Partition[];
  readonly nvs: Partition | undefined;
  readonly otadata: Partition | undefined;
  /** ota_0, ota_1, ... */
  readonly slots: readonly Partition[];
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
  /** Of a bootable image: who has signed the file that it came in, if it can be told. */
  readonly signature?: string;
}

/** Throws an Error if the chip holds no board. `chipId`: esp_chip_id_t of the board. */
export function describe(chip: FlashChip, chipId = 0): BoardDescription {
  return describeLayout(chip, PartitionTable.read(chip), chipId);
}

/** `chipId`: undefined where it is not known. */
export function describeLayout(
  chip: Pick<FlashChip, "read" | "size">,
  { partitions, nvs, otadata, slots }: Layout,
  chipId: number | undefined,
): BoardDescription {
  const copy = FlashChip.inMemory(chip.size);
  const sector = new Uint8Array(SECTOR_SIZE);
  for (const { address, size } of [nvs, otadata].filter((part) => part !== undefined)) {
    for (let at = address; at < address + size; at += SECTOR_SIZE) {
      chip.read(at, sector);
      (copy.cells as MemoryCells).set(at, sector);
    }
  }
  const entries = otadata === undefined ? undefined : new OtaData(copy, otadata.address).read();
  const records = nvs === undefined ? undefined : new Nvs(copy, nvs, NAMESPACE);
  const space = (name: string): Nvs => new Nvs(copy, nvs!, name, records);
  const store = records === undefined ? [] : describeStore(records);
  const decides = entries === undefined ? undefined : activeEntry(entries);
  return {
    flashSize: chip.size,
    partitions,
    boot: entries === undefined ? [] : describeEntries(entries, slots),
    bootloader: bootloaderOf(store, entries && rollsBack(entries, decides, "deep-sleep")),
    slots: slots.map((slot) => describeSlot(chip, slot, chipId)),
    store,
    settings: records === undefined ? [] : describeSettings(space(SETTINGS)),
    lastRun: records === undefined ? {} : describeLastRun(space(LAST_RUN)),
  };
}

function describeEntries(entries: OtaEntries, slots: readonly Partition[]): BoardDescription["boot"] {
  const decides = activeEntry(entries);
  return entries.map((entry, index) =>
    names(entry) && slots.length > 0
      ? {
          seq: entry.seq,
          // get_ota_partition_count: any number of slots.
          slot: slots[(entry.seq - 1) % slots.length]!.label,
          state: stateName(entry.state),
          decides: index === decides,
          starts: startsOf(entry.label ?? []),
          wakes: wakesOf(entry.label ?? []),
        }
      : undefined,
  );
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
  return nvs.keys().map((key) => ({ key, bytes: lengthOf(nvs, key) }));
}

/** A chip has its settings as text, a simulated board all of them in one record. */
function lengthOf(nvs: Nvs, key: string): number {
  const value = key === SETTINGS_KEY ? nvs.getBytes(key) : nvs.getString(key);
  return value?.length ?? (nvs.getNumber(key) === undefined ? 0 : 4);
}

function describeLastRun(nvs: Nvs): LastRun {
  const text = (key: string): string | undefined => {
    const bytes = nvs.getBytes(key);
    // One line, whatever the exception's text was.
    // oxlint-disable-next-line no-control-regex
    return bytes === undefined ? undefined : decodeUtf8(bytes).replace(/[\u0000-\u001f\u007f]+/g, " ");
  };
  const [running, fault, stage] = [nvs.getNumber("running"), text("fault"), text("stage")];
  return {
    ...(running === undefined ? {} : { running }),
    ...(fault === undefined ? {} : { fault }),
    ...(stage === undefined ? {} : { stage }),
  };
}

function describeSlot(
  chip: Pick<FlashChip, "read">,
  { label, size, address }: Partition,
  chipId: number | undefined,
): SlotDescription {
  try {
    const { length, version, project, chip: own } = verifySlot(chip, address, size, chipId, nodeSha256);
    const signature = signatureBehind(chip, address + length, size - length);
    return { label, size, bootable: true, length, version, project, chip: own, signature };
  } catch (error) {
    const first = new Uint8Array(SECTOR_SIZE);
    chip.read(address, first);
    return { label, size, bootable: false, problem: (error as Error).message, ...claimsOf(first) };
  }
}

/** The trailer follows the image, with at most 15 bytes between. What was expanded from a container has none. */
function signatureBehind(chip: Pick<FlashChip, "read">, address: number, room: number): string {
  const bytes = new Uint8Array(Math.min(TRAILER + 15, room));
  chip.read(address, bytes);
  for (let at = 0; at + TRAILER <= bytes.length; at++) {
    const trailer = bytes.subarray(at, at + TRAILER);
    if (!hasTrailer(trailer)) continue;
    try {
      const { keyId } = readTrailer(trailer);
      return keyId.some((byte) => byte !== 0) ? `signed, key ${toHex(keyId)}...` : "signed, no key named";
    } catch (error) {
      return `signature unreadable: ${(error as Error).message}`;
    }
  }
  return "no signature behind it";
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
