/** A build that boards are flashed with: mcconfig's folder, as the browser reads it. It stays in the browser. */
import { flashSizeOf, type Chip } from "../../../../../hal/model-chip/chips";
import { DATA, NVS, NVS_KEYS, partitionsOfBinary, type Partition } from "../../../../../hal/model-chip/partitions";
import { readAppDescription } from "../../../../../src/image/esp-image";
import { readFirmwareBlock, type Firmware } from "../../../../../src/image/firmware-block";
import { partsOf, type Part } from "../../../../provision/build-parts";

/** What is read of the folder. */
export const BUILD_FILES = ["bootloader.bin", "partition-table.bin", "xs_esp32.bin"] as const;

export interface BoardBuild {
  readonly chip: Chip;
  /** What all boards get. */
  readonly parts: readonly Part[];
  readonly nvs: Partition;
  /** Bytes of flash that a board must have. */
  readonly flashSize: number;
  readonly firmware: Firmware;
}

/** What of a `File` is needed. `path`: within the folder that was chosen. */
export interface BuildFile {
  readonly path: string;
  bytes(): Promise<Uint8Array>;
}

/** Rejects with one line that names the file. */
export async function readBoardBuild(files: readonly BuildFile[]): Promise<BoardBuild> {
  const read = new Map<string, Uint8Array>();
  for (const name of BUILD_FILES) read.set(name, await theOne(files, name).bytes());
  const table = read.get("partition-table.bin")!;
  const partitions = partitionsIn(table);
  const { chip, parts } = partsOf(
    { name: "the build", path: (file) => file, read: (file) => read.get(file)! },
    partitions,
  );
  const nvs = partitions.find(({ type, subtype }) => type === DATA && subtype === NVS);
  if (nvs === undefined) throw new Error("partition-table.bin: has no nvs partition");
  if (partitions.some(({ type, subtype }) => type === DATA && subtype === NVS_KEYS))
    throw new Error(
      "partition-table.bin: has an nvs_keys partition: firmware with NVS encryption can not read settings that are flashed here",
    );
  const end = Math.max(...partitions.map(({ address, size }) => address + size));
  const flashSize = Math.max(end, flashSizeOf(read.get("bootloader.bin")!) ?? 0);
  return { chip, parts, nvs, flashSize, firmware: firmwareIn(read.get("xs_esp32.bin")!) };
}

/** The file that lies highest in the folder: a build of ESP-IDF has others of the same name below. */
function theOne(files: readonly BuildFile[], name: string): BuildFile {
  const depth = ({ path }: BuildFile): number => path.split("/").length;
  const found = files.filter(({ path }) => path.split("/").at(-1) === name).sort((a, b) => depth(a) - depth(b));
  const [first, second] = found;
  if (first === undefined)
    throw new Error(
      `there is no ${name} in it: choose the folder that holds ${BUILD_FILES.join(", ")} (mcconfig -m makes it in $MODDABLE/build/bin/esp32)`,
    );
  if (second !== undefined && depth(first) === depth(second))
    throw new Error(`there are ${first.path} and ${second.path}: choose the folder of one build`);
  return first;
}

function partitionsIn(bytes: Uint8Array): readonly Partition[] {
  try {
    return partitionsOfBinary(bytes);
  } catch (error) {
    throw new Error(`partition-table.bin: ${(error as Error).message.replace(/ in flash/, "")}`, { cause: error });
  }
}

function firmwareIn(app: Uint8Array): Firmware {
  let firmware: Firmware | undefined;
  try {
    firmware = readFirmwareBlock(readAppDescription(app).custom);
  } catch (error) {
    throw new Error(`xs_esp32.bin: ${(error as Error).message}`, { cause: error });
  }
  if (firmware === undefined)
    throw new Error("xs_esp32.bin was built without xs-ota: it would never come online here (see xs-ota adopt)");
  return firmware;
}
