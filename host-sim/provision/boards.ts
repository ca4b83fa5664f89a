/** What all boards of a batch get: the partition table, and from a build folder bootloader and app, with their offsets. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileReason } from "../board/config/file-errors";
import { partitionTableFor } from "../board/partition-tables";
import type { Chip } from "../../hal/model-chip/chips";
import { DATA, NVS, NVS_KEYS, partitionsOfBinary, partitionsOfCsv } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { partsOf } from "./build-parts";
import type { Build, Part } from "./build-parts";

export interface Boards {
  readonly nvs: Partition;
  /** Undefined without a build. */
  readonly chip: Chip | undefined;
  /** The same for each board; none without a build. */
  readonly parts: readonly Part[];
  /** One line for people. */
  readonly table: string;
  readonly warnings: readonly string[];
}

export interface Source {
  /** A partitions.csv, or a partition-table.bin. */
  readonly table?: string;
  /** A folder with bootloader.bin, partition-table.bin and xs_esp32.bin. */
  readonly build?: string;
  /** Bytes; for the layout of this repository. */
  readonly flashSize: number;
}

/** The largest flash that a table is read for. */
const FLASH_MAX = 128 << 20;

/** Throws one line that names the file. */
export function boardsOf({ table, build, flashSize }: Source): Boards {
  const path = table ?? (build === undefined ? undefined : join(build, "partition-table.bin"));
  const partitions = path === undefined ? partitionTableFor(flashSize).partitions : partitionsIn(path);
  const name = path ?? `the layout for ${flashSize >> 20} MB`;
  const nvs = partitions.find(({ type, subtype }) => type === DATA && subtype === NVS);
  if (nvs === undefined) throw new Error(`${name}: has no nvs partition`);
  const encrypted = partitions.some(({ type, subtype }) => type === DATA && subtype === NVS_KEYS);
  return {
    nvs,
    ...(build === undefined ? { chip: undefined, parts: [] } : partsOf(folder(build), partitions)),
    table: `nvs at 0x${nvs.address.toString(16)}, ${nvs.size} bytes (${name})`,
    warnings: encrypted
      ? [
          `${name}: has an nvs_keys partition. The files are not encrypted: firmware with NVS encryption can not read them`,
        ]
      : [],
  };
}

function partitionsIn(path: string): readonly Partition[] {
  const bytes = read(path);
  try {
    return /\.csv$/i.test(path)
      ? partitionsOfCsv(new TextDecoder().decode(bytes), FLASH_MAX)
      : partitionsOfBinary(bytes);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message.replace(/ in flash/, "")}`, { cause: error });
  }
}

function folder(build: string): Build {
  const path = (file: string): string => join(build, file);
  return { name: build, path, read: (file) => read(path(file)) };
}

function read(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const hint =
      basename(path) === "partition-table.bin" && !existsSync(path) ? "; mcconfig -m writes it beside the app" : "";
    throw new Error(`${path} can not be read: ${fileReason(error)}${hint}`, { cause: error });
  }
}
