/** The folder that is a board: flash.bin, the whole chip, and wear.bin, its counters. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileReason } from "./config/file-errors";
import { FileCells } from "./file-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { LOCK_FILE, lockFolder } from "./folder-lock";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { WearFile, readWear } from "./wear-file";
import type { Wear } from "./wear-file";
import { partitionTableFor } from "./partition-tables";
import { RECORDINGS } from "./recordings";

export const FLASH_FILE = "flash.bin";
export const WEAR_FILE = "wear.bin";
/** The chip while the factory writes it: renamed when it is whole. */
const UNFINISHED = "flash.bin.new";

export interface BoardFolder {
  readonly chip: FlashChip;
  readonly table: PartitionTable;
  /** The factory was here just now. */
  readonly isNew: boolean;
  /** Erases and writes of an address range since the board was made. */
  wear(address: number, length: number): Wear;
  /** Idempotent. */
  close(): void;
}

/** Bytes of flash that a board can have, and has unless told otherwise. */
export const FLASH_SIZES: readonly number[] = [4 << 20, 8 << 20, 16 << 20];
const DEFAULT_FLASH_SIZE = 4 << 20;

/**
 * Opens the board in `folder`; an empty or absent folder gets a new one with the factory's firmware. Rejects with one
 * line, and has then changed nothing, if the folder holds something else, its chip has another size than `flashSize` or
 * another process uses it.
 */
export async function openBoardFolder(
  folder: string,
  flashSize: number | undefined,
  factory: () => Promise<Uint8Array>,
): Promise<BoardFolder> {
  const isNew = !holdsBoard(folder);
  // Before anything is made: it may fail.
  const image = isNew ? await factory() : undefined;
  mkdirSync(folder, { recursive: true });
  const release = await lockFolder(folder);
  try {
    const path = join(folder, FLASH_FILE);
    // The other process may have been quicker with the factory's work.
    if (image !== undefined && !existsSync(path)) makeChip(folder, flashSize ?? DEFAULT_FLASH_SIZE, image);
    const { cells, chip, table } = openChip(path, flashSize);
    const wear = new WearFile(join(folder, WEAR_FILE), chip.size);
    chip.onOperation = (operation) => wear.count(operation);
    let open = true;
    const close = (): void => {
      if (!open) return;
      open = false;
      chip.powerOff();
      cells.close();
      wear.close();
      release();
    };
    return { chip, table, isNew, wear: (address, length) => readWear(join(folder, WEAR_FILE), address, length), close };
  } catch (error) {
    release();
    throw error;
  }
}

/** Opens flash.bin alone, to look at it. Throws one line if there is no board. */
export function openFlashOf(folder: string): {
  readonly chip: FlashChip;
  readonly table: PartitionTable;
  close(): void;
} {
  if (!holdsBoard(folder)) throw new Error(`${folder} holds no board: there is no ${FLASH_FILE} in it`);
  const { cells, chip, table } = openChip(join(folder, FLASH_FILE), undefined);
  return { chip, table, close: () => cells.close() };
}

/** False: the folder is empty or not there. Throws if it is somebody else's. */
function holdsBoard(folder: string): boolean {
  const names = namesIn(folder);
  if (names.includes(FLASH_FILE)) return true;
  const strange = names.find((name) => ![UNFINISHED, WEAR_FILE, LOCK_FILE, RECORDINGS].includes(name));
  if (strange !== undefined)
    throw new Error(`${folder} is not a board's folder: it holds ${JSON.stringify(strange)} and no ${FLASH_FILE}`);
  return false;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Error(`${folder} can not be used: ${fileReason(error)}`, { cause: error });
  }
}

function makeChip(folder: string, flashSize: number, image: Uint8Array): void {
  const path = join(folder, UNFINISHED);
  rmSync(path, { force: true });
  rmSync(join(folder, WEAR_FILE), { force: true });
  try {
    const cells = FileCells.create(path, flashSize);
    try {
      flashFactory(new FlashChip(cells), partitionTableFor(flashSize), image);
    } finally {
      cells.close();
    }
    renameSync(path, join(folder, FLASH_FILE));
  } catch (error) {
    // A full disk needs the room.
    rmSync(path, { force: true });
    throw new Error(`${folder}: ${fileReason(error)}`, { cause: error });
  }
}

function openChip(
  path: string,
  flashSize: number | undefined,
): { cells: FileCells; chip: FlashChip; table: PartitionTable } {
  const { size } = statSync(path);
  if (!FLASH_SIZES.includes(size))
    throw new Error(`${path} is not a board's flash: ${size} bytes, a chip has 4, 8 or 16 MB`);
  if (flashSize !== undefined && size !== flashSize)
    throw new Error(`${path} has ${size >> 20} MB, the configuration says flashSize ${flashSize >> 20}MB`);
  const cells = FileCells.open(path);
  try {
    const chip = new FlashChip(cells);
    return { cells, chip, table: PartitionTable.read(chip) };
  } catch (error) {
    cells.close();
    throw new Error(`${path} is not a board's flash: ${(error as Error).message}`, { cause: error });
  }
}
