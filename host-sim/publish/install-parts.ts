/** What a browser flashes for a first installation: the files of an ESP-IDF build, and where they go. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFirmwareFile } from "../cli/signing/firmware-file";

export interface BuildFiles {
  readonly app: { readonly bytes: Uint8Array; readonly offset: number };
  /** Bootloader, partition table and what else is flashed. */
  readonly others: readonly { readonly name: string; readonly bytes: Uint8Array; readonly offset: number }[];
}

/** Written by ESP-IDF's build for esptool. */
const LIST = "flasher_args.json";

/** Throws one line where the folder is no build. */
export function readBuild(folder: string): BuildFiles {
  const path = join(folder, LIST);
  if (!existsSync(path))
    throw new Error(
      `${folder} has no ${LIST}: give the build folder of ESP-IDF (of mcconfig: build/tmp/esp32/.../xsProj-esp32/build)`,
    );
  const listed = readList(path);
  const files = Object.entries(listed.flash_files).map(([offset, name]) => ({
    name,
    offset: offsetOf(path, offset),
    bytes: readFirmwareFile(join(folder, name)),
  }));
  const app = files.find(({ name }) => name === listed.app?.file);
  if (app === undefined) throw new Error(`${path} names no app`);
  return { app, others: files.filter((file) => file !== app) };
}

interface List {
  readonly flash_files: { readonly [offset: string]: string };
  readonly app?: { readonly file?: string };
}

function readList(path: string): List {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} is not JSON`, { cause: error });
  }
  const files = (value as { flash_files?: unknown } | null)?.flash_files;
  if (typeof files !== "object" || files === null) throw new Error(`${path} has no flash_files`);
  return value as List;
}

function offsetOf(path: string, text: string): number {
  const offset = Number(text);
  if (!Number.isInteger(offset) || offset < 0) throw new Error(`${path}: ${text} is no place in flash`);
  return offset;
}
