/**
 * The firmware block: product, version and security version of a firmware, in the image itself, right behind ESP-IDF's
 * app description ("custom app description"). Moddable builds every app as project "xs_esp32" of version "1", so the
 * app description identifies nothing. Bytes: docs/SPEC.md. hal/esp32/xsota_desc.h defines the block for a chip, `xs-ota
 * image` writes it for the simulated board.
 */
import { startsWith } from "../util/bytes";
import { DESCRIPTION_LENGTH, DESCRIPTION_OFFSET, readAppDescription } from "./esp-image";

/** "XSOT" */
const MAGIC: readonly number[] = Object.freeze([0x58, 0x53, 0x4f, 0x54]);
const FORMAT = 1;
const TEXT = 32;
const PRODUCT_AT = 8;
const VERSION_AT = 40;
const FLOOR_AT = 72;
const FIRMWARE_BLOCK = 76;
/** Bytes of an image's beginning that hold all of this. */
export const IMAGE_FACTS = DESCRIPTION_OFFSET + DESCRIPTION_LENGTH + FIRMWARE_BLOCK;

export interface Firmware {
  /** 1..31 characters of printable ASCII. */
  readonly product: string;
  readonly version: string;
  /** Anti-rollback: once this firmware is confirmed, none with a lower number is installed. 0: no limit. */
  readonly securityFloor: number;
}

/**
 * `custom`: what follows the app description. Undefined where that is no firmware block; throws where the block is
 * damaged.
 */
export const readFirmwareBlock = (custom: Uint8Array): Firmware | undefined => {
  if (custom.length < FIRMWARE_BLOCK || !startsWith(custom, MAGIC)) return undefined;
  if (custom[4] !== FORMAT) throw new Error(`firmware block of format ${custom[4]}, this reader knows ${FORMAT}`);
  const floor =
    (custom[FLOOR_AT] ?? 0) |
    ((custom[FLOOR_AT + 1] ?? 0) << 8) |
    ((custom[FLOOR_AT + 2] ?? 0) << 16) |
    ((custom[FLOOR_AT + 3] ?? 0) << 24);
  return {
    product: text(custom, PRODUCT_AT, "product"),
    version: text(custom, VERSION_AT, "version"),
    securityFloor: floor >>> 0,
  };
};

export const encodeFirmwareBlock = ({ product, version, securityFloor }: Firmware): Uint8Array => {
  const bytes = new Uint8Array(FIRMWARE_BLOCK);
  bytes.set(MAGIC);
  bytes[4] = FORMAT;
  putText(bytes, PRODUCT_AT, "product", product);
  putText(bytes, VERSION_AT, "version", version);
  for (let index = 0; index < 4; index++) bytes[FLOOR_AT + index] = securityFloor >>> (8 * index);
  return bytes;
};

/**
 * Reads product and version, for device, simulated board, cloud and command line. It takes an image's first sector, of
 * which IMAGE_FACTS bytes are enough. An image without a firmware block comes from another project: it throws, unless
 * `allowForeign`; then project name and version of the app description count.
 */
export const readFirmware = (firstSector: Uint8Array, allowForeign: boolean): Firmware => {
  const description = readAppDescription(firstSector);
  const block = readFirmwareBlock(description.custom);
  if (block !== undefined) return block;
  if (!allowForeign)
    throw new Error("image has no firmware block, so its product is unknown (allowForeign permits it)");
  return { product: description.project, version: description.version, securityFloor: 0 };
};

const text = (bytes: Uint8Array, at: number, name: string): string => {
  let value = "";
  for (let index = 0; index < TEXT; index++) {
    const byte = bytes[at + index] ?? 0;
    if (byte === 0) break;
    if (byte < 0x20 || byte > 0x7e) throw new Error(`firmware block: ${name} holds byte ${byte}`);
    value += String.fromCharCode(byte);
  }
  if (value.length === 0 || value.length >= TEXT)
    throw new Error(`firmware block: ${name} of ${value.length} characters, must be 1 to ${TEXT - 1}`);
  return value;
};

const putText = (bytes: Uint8Array, at: number, name: string, value: string): void => {
  if (!/^[\x20-\x7e]{1,31}$/.test(value))
    throw new Error(`${name} ${JSON.stringify(value)}: 1 to ${TEXT - 1} printable ASCII characters are expected`);
  for (let index = 0; index < value.length; index++) bytes[at + index] = value.charCodeAt(index);
};
