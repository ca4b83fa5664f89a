/** The files for a batch of new boards, in a folder that appears whole or not at all. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileReason } from "../board/config/file-errors";
import type { Boards } from "./boards";
import { BadSetting } from "./bad-setting";
import type { Device } from "./device";
import { nvsOfSettings } from "./nvs-of-settings";

export interface BatchFile {
  readonly name: string;
  /** Made when it is written: a merged image has megabytes. */
  bytes(): Uint8Array | string;
}

/** NVS of one device. Throws with the sizes where its settings leave no room for the agent's records. */
export function nvsOf({ settings, line }: Device, { nvs }: Boards): Uint8Array {
  try {
    return nvsOfSettings(settings, nvs.size);
  } catch (error) {
    throw new BadSetting(`line ${line}: ${(error as Error).message}`, { cause: error });
  }
}

/** Names that are files everywhere, also on file systems without case. Throws where two devices would get the same. */
export function fileNames(devices: readonly Device[]): Map<Device, string> {
  const names = new Map<Device, string>();
  const taken = new Map<string, Device>();
  for (const device of devices) {
    const name = device.name.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "_");
    const before = taken.get(name.toLowerCase());
    if (before !== undefined)
      throw new BadSetting(
        before.name === device.name
          ? `line ${device.line}: the name ${JSON.stringify(device.name)} is that of line ${before.line}`
          : `line ${device.line}: the files of ${JSON.stringify(device.name)} would be those of ${JSON.stringify(before.name)}, line ${before.line}`,
      );
    taken.set(name.toLowerCase(), device);
    names.set(device, name);
  }
  return names;
}

/** All files of a batch. `merged`: one image for each board in place of its parts. */
export function batchFiles(devices: readonly Device[], boards: Boards, merged: boolean): BatchFile[] {
  const names = fileNames(devices);
  const files: BatchFile[] = merged ? [] : boards.parts.map(({ file, bytes }) => ({ name: file, bytes: () => bytes }));
  const lines: string[] = [];
  for (const [device, name] of names) {
    const nvs = nvsOf(device, boards);
    const file = `${name}.${merged ? "flash" : "nvs"}.bin`;
    files.push({ name: file, bytes: () => (merged ? mergedImage(boards, nvs) : nvs) });
    lines.push(`${command(boards, merged ? [[0, file]] : [...shared(boards), [boards.nvs.address, file]])}`);
  }
  return [...files, { name: "commands.txt", bytes: () => `${lines.join("\n")}\n` }];
}

function shared({ parts }: Boards): (readonly [number, string])[] {
  return parts.map(({ offset, file }) => [offset, file]);
}

function command({ chip }: Boards, parts: readonly (readonly [number, string])[]): string {
  const where = [...parts].sort(([a], [b]) => a - b).map(([offset, file]) => `0x${offset.toString(16)} ${file}`);
  return `esptool --chip ${chip?.target ?? "auto"} write-flash ${where.join(" ")}`;
}

function mergedImage({ parts, nvs: { address } }: Boards, nvs: Uint8Array): Uint8Array {
  const all = [...parts, { offset: address, bytes: nvs }];
  const image = new Uint8Array(Math.max(...all.map(({ offset, bytes }) => offset + bytes.length))).fill(0xff);
  for (const { offset, bytes } of all) image.set(bytes, offset);
  return image;
}

/**
 * Writes the files into a folder beside `out`, readable by its owner alone, and gives it that name at the end. Throws one
 * line, with nothing left over, if `out` holds something or a file can not be written. A run that is killed leaves the
 * unfinished folder.
 */
export function writeBatch(out: string, files: readonly BatchFile[]): void {
  const target = resolve(out);
  refuseFull(target, out);
  let next: string | undefined;
  try {
    mkdirSync(dirname(target), { recursive: true });
    // mkdtemp makes it for its owner alone.
    next = mkdtempSync(join(dirname(target), `.${basename(target)}.unfinished-`));
    for (const { name, bytes } of files) writeFileSync(join(next, name), bytes(), { flag: "wx", mode: 0o600 });
    rmdirIfThere(target);
    renameSync(next, target);
  } catch (error) {
    if (next !== undefined) rmSync(next, { recursive: true, force: true });
    throw new Error(`${out} can not be written: ${fileReason(error)}`, { cause: error });
  }
}

function refuseFull(target: string, shown: string): void {
  let names: string[];
  try {
    names = readdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new Error(`${shown} can not be used: ${fileReason(error)}`, { cause: error });
  }
  if (names.length > 0) throw new Error(`${shown} is not empty: a batch gets a folder of its own`);
}

function rmdirIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
