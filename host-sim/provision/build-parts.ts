/** What of a build goes to each board, and where. For Node and browsers. */
import { chipOf } from "../../hal/model-chip/chips";
import type { Chip } from "../../hal/model-chip/chips";
import { DATA, OTADATA, TABLE_ADDRESS, otaSlotsOf } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { readHeader } from "../../src/image/esp-image";

export interface Part {
  readonly offset: number;
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A folder that mcconfig has built into. */
export interface Build {
  /** In messages. */
  readonly name: string;
  path(file: string): string;
  /** Throws one line that names the file. */
  read(file: string): Uint8Array;
}

/** Bootloader, partition table, blank boot entries and app. Throws one line that names the file. */
export function partsOf(
  build: Build,
  partitions: readonly Partition[],
): { readonly chip: Chip; readonly parts: readonly Part[] } {
  const boot = build.read("bootloader.bin");
  const app = build.read("xs_esp32.bin");
  const chip = chipIn(build.path("bootloader.bin"), boot);
  const ofApp = chipIn(build.path("xs_esp32.bin"), app);
  if (ofApp !== chip)
    throw new Error(`${build.name}: the bootloader is for ${chip.name}, xs_esp32.bin for ${ofApp.name}`);
  const [slot] = otaSlotsOf(partitions);
  const otadata = partitions.find(({ type, subtype }) => type === DATA && subtype === OTADATA);
  if (slot === undefined || otadata === undefined)
    throw new Error(
      `${build.name}: its partition table has no otadata and ota_0: boards with it take no updates (xs-ota doctor)`,
    );
  if (app.length > slot.size)
    throw new Error(`${build.name}: xs_esp32.bin has ${app.length} bytes, ${slot.label} ${slot.size}`);
  return {
    chip,
    parts: [
      { offset: chip.bootloader, file: "bootloader.bin", bytes: boot },
      { offset: TABLE_ADDRESS, file: "partition-table.bin", bytes: build.read("partition-table.bin") },
      { offset: otadata.address, file: "otadata.bin", bytes: new Uint8Array(otadata.size).fill(0xff) },
      { offset: slot.address, file: "xs_esp32.bin", bytes: app },
    ],
  };
}

function chipIn(path: string, bytes: Uint8Array): Chip {
  let id: number;
  try {
    id = readHeader(bytes).chip;
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const chip = chipOf(id);
  if (chip === undefined) throw new Error(`${path}: is for chip ${id}, which is not known here`);
  return chip;
}
