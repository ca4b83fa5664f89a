/** The partition table of an adopted app: two slots, and what the app keeps its own data in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hex } from "../../hal/model-chip/flash-chip";
import { APP, DATA, NVS, OTADATA } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import type { Project } from "../moddable/project";

/** A data partition without its place. */
export type DataPartition = Omit<Partition, "address">;

/** Flash sizes that hal/esp32 has tables for, MB. */
const SIZES = [16, 8, 4] as const;
/** Of the firmware at the root of this repository for an ESP32-C3, bytes: no firmware with the agent is much smaller. */
const FIRMWARE = 1_355_680;
/** Where the first slot begins, and what slots are made of. */
const FIRST = 0x10000;
const PHY = 1;

/** Partitions beside app, nvs, otadata and phy_init. Apps use the subtypes of the system for their own data too. */
export function dataOf(partitions: readonly Partition[]): DataPartition[] {
  const isOurs = ({ type, subtype, label }: Partition): boolean =>
    type === DATA && (subtype === OTADATA || subtype === NVS || (subtype === PHY && label === "phy_init"));
  return partitions
    .filter((partition) => partition.type !== APP && !isOurs(partition))
    .map(({ label, type, subtype, size }) => ({ label, type, subtype, size }));
}

/** What mcconfig cuts from the end of a factory partition, and can not cut from a table without one (mcmanifest.js). */
export function definedData({ defines }: Project): DataPartition[] {
  const { xs, file, XS_MODS, XS_TEST } = defines as {
    readonly xs?: { readonly mods?: unknown; readonly test?: unknown };
    readonly file?: { readonly partition?: unknown };
    readonly XS_MODS?: unknown;
    readonly XS_TEST?: unknown;
  };
  const found: DataPartition[] = [];
  if (Boolean(xs?.mods) || Boolean(XS_MODS)) found.push({ label: "xs", type: 0x40, subtype: 1, size: 0x40000 });
  if (typeof file?.partition === "string")
    found.push({ label: file.partition.slice(1), type: DATA, subtype: 0x82, size: 0x10000 });
  if (Boolean(xs?.test) || Boolean(XS_TEST)) found.push({ label: "xs_test", type: DATA, subtype: 1, size: 0x10000 });
  return found;
}

/** The text of a partitions.csv. Throws with the figures where two slots for a firmware with the agent do not fit. */
export function layoutFor(flashSize: number, data: readonly DataPartition[], library: string): string {
  const megabytes = SIZES.find((size) => size << 20 <= flashSize);
  if (megabytes === undefined) throw new Error(tooSmall(flashSize, (flashSize - FIRST - FIRST) / 2, data));
  if (data.length === 0) return readFileSync(join(library, "hal", "esp32", `partitions-${megabytes}mb.csv`), "utf8");
  const whole = (bytes: number): number => Math.ceil(bytes / FIRST) * FIRST;
  const own = data.reduce((sum, { size }) => sum + whole(size), 0);
  const slot = Math.floor((flashSize - FIRST - own) / 2 / FIRST) * FIRST;
  if (slot < FIRMWARE) throw new Error(tooSmall(flashSize, slot, data));
  const lines = [
    "# Two equal slots, and the partitions of the app itself.",
    "nvs,      data, nvs,   0x9000,  0x4000",
    "otadata,  data, ota,   0xd000,  0x2000",
    "phy_init, data, phy,   0xf000,  0x1000",
    `ota_0,    app,  ota_0, ${hex(FIRST)}, ${hex(slot)}`,
    `ota_1,    app,  ota_1, ${hex(FIRST + slot)}, ${hex(slot)}`,
  ];
  let at = FIRST + 2 * slot;
  for (const { label, type, subtype, size } of data) {
    lines.push(`${label}, ${type === DATA ? "data" : hex(type)}, ${hex(subtype)}, ${hex(at)}, ${hex(size)}`);
    at += whole(size);
  }
  return `${lines.join("\n")}\n`;
}

function tooSmall(flashSize: number, slot: number, data: readonly DataPartition[]): string {
  const beside = data.map(({ label, size }) => `${label} of ${size >> 10} KB`).join(", ");
  return `the flash has ${flashSize >> 20} MB, which is two slots of ${Math.max(0, slot) >> 10} KB${beside === "" ? "" : ` beside ${beside}`}: a firmware with the agent has at least ${FIRMWARE >> 10} KB, so this board can not be updated`;
}
