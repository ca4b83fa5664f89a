/** A build folder: bootloader, partition table, app and the sdkconfig that they were made with. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeSha256 } from "../board/node-crypto";
import { BOOTLOADER_OFFSETS, chipName, chipOf, flashSizeOf } from "../../hal/model-chip/chips";
import { verifyImage } from "../../hal/model-chip/image-check";
import { partitionsOfBinary, TABLE_ADDRESS } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { readSettings } from "../moddable/sdkconfig";
import { readAppDescription, readHeader } from "../../src/image/esp-image";
import { readFirmwareBlock } from "../../src/image/firmware-block";
import { TRAILER, hasTrailer } from "../../src/signature/trailer";
import { note, wrong } from "./finding";
import type { Finding, Verdict } from "./finding";
import { flashSizeIn, settingsFindings } from "./settings-rules";
import { smallestSlot, tableFindings } from "./table-rules";

export const BUILD_FILES: readonly string[] = ["bootloader.bin", "partition-table.bin", "xs_esp32.bin"];
/** Of mcconfig's and of ESP-IDF's own build folder. */
const SDKCONFIGS = ["sdkconfig", "sdkconfig.mc"] as const;
const REBUILD = "mcconfig -t clean, then mcconfig -m";

interface Build {
  readonly boot: Uint8Array | undefined;
  readonly table: Uint8Array | undefined;
  readonly app: Uint8Array | undefined;
  readonly sdkconfig: string | undefined;
}

/** `sdkconfig`: where it is not in the folder. */
export function examineBuild(folder: string, sdkconfig?: string): Verdict {
  const read = (name: string): Uint8Array | undefined =>
    existsSync(join(folder, name)) ? new Uint8Array(readFileSync(join(folder, name))) : undefined;
  const own = SDKCONFIGS.map((name) => join(folder, name)).find((path) => existsSync(path));
  const build: Build = {
    boot: read("bootloader.bin"),
    table: read("partition-table.bin"),
    app: read("xs_esp32.bin"),
    sdkconfig: sdkconfig ?? own,
  };
  const missing = BUILD_FILES.filter((name) => !existsSync(join(folder, name)));
  const facts: string[] = [];
  const findings: Finding[] = missing.map((name) =>
    wrong(`${name} is missing`, "what the devices will have can not be told", REBUILD),
  );
  const chip = bootFindings(build, findings, facts);
  const values = build.sdkconfig === undefined ? undefined : readSettings(build.sdkconfig).values;
  const target = chip === undefined ? "" : (chipOf(chip)?.target ?? "");
  if (values === undefined)
    findings.push(
      wrong(
        "no sdkconfig in the folder",
        "whether the bootloader rolls back and validates can not be told from its binary",
        "--sdkconfig FILE: mcconfig's sdkconfig.mc, or ESP-IDF's sdkconfig, of the same build",
      ),
    );
  else findings.push(...settingsFindings(values, target));
  const flashSize = flashSizeOf(build.boot ?? new Uint8Array()) ?? (values && flashSizeIn(values));
  const partitions = tableOf(build, findings, flashSize);
  if (build.app !== undefined) appFindings(build.app, partitions, chip, findings, facts);
  return { facts, findings };
}

function bootFindings({ boot }: Build, findings: Finding[], facts: string[]): number | undefined {
  if (boot === undefined) return undefined;
  const problem = imageProblem(boot);
  if (problem !== undefined) {
    findings.push(wrong(`bootloader.bin: ${problem}`, "the chip does not start at all", REBUILD));
    return undefined;
  }
  const { chip } = readHeader(boot);
  const room = TABLE_ADDRESS - (chipOf(chip)?.bootloader ?? BOOTLOADER_OFFSETS[0]!);
  if (boot.length > room)
    findings.push(
      wrong(
        `bootloader.bin has ${boot.length} bytes, before the partition table there are ${room}`,
        "flashing it destroys the table",
        "less of the bootloader's log (CONFIG_BOOTLOADER_LOG_LEVEL_NONE)",
      ),
    );
  const size = flashSizeOf(boot);
  facts.push(`bootloader for ${chipName(chip)}, flash of ${size === undefined ? "unknown size" : `${size >> 20} MB`}`);
  return chip;
}

/** A bootloader has no app description; header, segments and hash are those of an image. */
function imageProblem(bytes: Uint8Array): string | undefined {
  try {
    verifyImage((at, into) => into.set(bytes.subarray(at, at + into.length)), bytes.length, nodeSha256);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function tableOf({ table }: Build, findings: Finding[], flashSize: number | undefined): readonly Partition[] {
  if (table === undefined) return [];
  try {
    const partitions = partitionsOfBinary(table);
    findings.push(...tableFindings(partitions, flashSize));
    return partitions;
  } catch (error) {
    findings.push(
      wrong(`partition-table.bin: ${(error as Error).message.replace(/ in flash/, "")}`, "no app is found", REBUILD),
    );
    return [];
  }
}

function appFindings(
  app: Uint8Array,
  partitions: readonly Partition[],
  chip: number | undefined,
  findings: Finding[],
  facts: string[],
): void {
  const problem = imageProblem(app);
  if (problem !== undefined)
    return void findings.push(
      wrong(`xs_esp32.bin: ${problem}`, "no device starts it or takes it as an update", REBUILD),
    );
  const own = readHeader(app).chip;
  if (chip !== undefined && own !== chip)
    findings.push(
      wrong(
        `xs_esp32.bin is for ${chipName(own)}, the bootloader for ${chipName(chip)}`,
        "the device does not start it",
        REBUILD,
      ),
    );
  const slot = smallestSlot(partitions);
  if (slot !== undefined && app.length > slot.size)
    findings.push(
      wrong(
        `xs_esp32.bin has ${app.length} bytes, ${slot.label} ${slot.size}: ${app.length - slot.size} too many`,
        "the image does not fit its slot: devices refuse the update",
        "less firmware, or a larger flash with its table",
      ),
    );
  else if (slot !== undefined) facts.push(`${room(app.length, slot)} of the slot are free`);
  if (slot !== undefined && app.length <= slot.size && app.length > slot.size * 0.95)
    findings.push(
      note(
        `xs_esp32.bin leaves ${slot.size - app.length} bytes of ${slot.label} free`,
        "soon an update will not fit, and slots can not grow in the field",
        "a larger flash for the next boards",
      ),
    );
  facts.push(...identityOf(app, findings));
}

function room(length: number, { size }: Partition): string {
  return `xs_esp32.bin: ${length} bytes, ${Math.floor(((size - length) / size) * 100)} %`;
}

function identityOf(app: Uint8Array, findings: Finding[]): string[] {
  const signed = hasTrailer(app.subarray(-TRAILER)) ? "signed" : "not signed";
  try {
    const block = readFirmwareBlock(readAppDescription(app).custom);
    if (block !== undefined) return [`firmware ${block.version}, product ${block.product}, ${signed}`];
  } catch (error) {
    findings.push(wrong(`xs_esp32.bin: ${(error as Error).message}`, "devices refuse it", REBUILD));
    return [];
  }
  findings.push(
    wrong(
      "xs_esp32.bin has no firmware block",
      "it was built without xs-ota: it says neither product nor version, other devices refuse it, and it takes no updates itself",
      "xs-ota adopt makes the app updatable",
    ),
  );
  return [];
}
