/**
 * Makes application images in Espressif's format out of JavaScript: what `xs-ota image` writes and the simulated board
 * boots.
 *
 *   segment 0  read-only data: app description as in every image of mcconfig, then the firmware block
 *   segment 1  code: one instruction, an endless loop. A real chip that is given such an image by mistake does nothing, and its watchdog ends it
 *   segment 2  the payload: length u32, the packed script (host-sim/board/firmware/packed-script.ts), filler up to the wanted size
 *
 * Segment 2 has an address below 0x10000000, which the bootloader checks but neither loads nor maps
 * (esp_image_format.c, should_load). The same inputs give the same bytes.
 */
import {
  DESCRIPTION_LENGTH,
  DESCRIPTION_MAGIC,
  IMAGE_HEADER,
  IMAGE_MAGIC,
  SEGMENT_HEADER,
} from "../../src/image/esp-image";
import { encodeFirmwareBlock } from "../../src/image/firmware-block";
import { concat, setText, setU16, setU32, u32 } from "./bytes";
import { fillerOf } from "./filler";
import { sha256 } from "./sha256";
import { CHECKSUM_BLOCK, CHECKSUM_SEED, IMAGE_HASH, readSegments } from "./image-check";
import type { ReadImage } from "./image-check";

const PRODUCT = "xs-ota-board";
/**
 * What the app description says in every image of mcconfig, which builds each app as this ESP-IDF project. Simulated
 * images say the same, so that a reader which takes product or version from there fails in a test.
 */
const MCCONFIG = { product: "xs_esp32", version: "1" } as const;
/** Marks the segment with the bundle: "JS" and a version of this layout. */
const PAYLOAD_ADDRESS = 0x0a534a01;
/**
 * Where each chip maps read-only data and runs code (soc/soc.h: SOC_DROM_LOW, SOC_IRAM_LOW). The offset in the file
 * must agree with the address modulo 64 KiB.
 */
const MEMORY: Readonly<Record<number, { readonly data: number; readonly code: number; readonly riscv: boolean }>> = {
  0: { data: 0x3f400000, code: 0x40080000, riscv: false },
  5: { data: 0x3c000000, code: 0x40380000, riscv: true },
  9: { data: 0x3c000000, code: 0x40378000, riscv: false },
  13: { data: 0x42800000, code: 0x40800000, riscv: true },
};
/** `j .` on Xtensa (3 bytes, padded) and on RISC-V. */
const ENDLESS = { xtensa: [0x06, 0xff, 0xff, 0x00], riscv: [0x6f, 0x00, 0x00, 0x00] } as const;

export interface ImageOptions {
  /** 1..31 printable ASCII characters. */
  readonly version: string;
  /** The JavaScript bundle. */
  readonly payload: Uint8Array;
  /** 1..31 printable ASCII characters; default "xs-ota-board". */
  readonly product?: string;
  /** Of the firmware block; default 0. */
  readonly securityFloor?: number;
  /** esp_chip_id_t; default 0, ESP32. */
  readonly chip?: number;
  readonly secureVersion?: number;
  /**
   * Follows the app description in its segment, in place of the firmware block. Product and version are in the app
   * description then: somebody else's image.
   */
  readonly custom?: Uint8Array;
  /** Exact length of the file, bytes. Default: the smallest. */
  readonly size?: number;
  /**
   * Padding is the same for the same seed. Default: the product, because most of a firmware is the same from one
   * version to the next.
   */
  readonly seed?: string;
}

/** Throws an Error in words for a user: a size below the minimum names the minimum. */
export function buildImage(options: ImageOptions): Uint8Array {
  const {
    version,
    payload,
    product = PRODUCT,
    chip = 0,
    secureVersion = 0,
    securityFloor = 0,
    seed = product,
  } = options;
  const described = options.custom === undefined ? MCCONFIG : { product, version };
  const custom = options.custom ?? encodeFirmwareBlock({ product, version, securityFloor });
  const memory = MEMORY[chip];
  if (memory === undefined) throw new Error(`chip ${chip}: images can be made for ${Object.keys(MEMORY).join(", ")}`);

  const description = concat([describe(described, secureVersion, payload), custom, zeros(custom.length)]);
  const code = Uint8Array.from(memory.riscv ? ENDLESS.riscv : ENDLESS.xtensa);
  const fixed =
    IMAGE_HEADER + 3 * SEGMENT_HEADER + description.length + code.length + 4 + payload.length + (-payload.length & 3);
  const minimum = blocks(fixed) + IMAGE_HASH;
  const size = options.size ?? minimum;
  if (!Number.isInteger(size) || size < minimum)
    throw new Error(`size ${size}: this image has at least ${minimum} bytes`);

  const tail = size % CHECKSUM_BLOCK;
  // The last word before the block that holds the checksum: nothing but padding and that byte may follow the segments.
  const room = size - tail - IMAGE_HASH - 1 - fixed;
  // Taken by its place in the file, so that a longer payload does not shift it.
  const filler = fillerOf(seed);
  const body = concat([u32(payload.length), payload, zeros(payload.length), filler(fixed, fixed + room - (room % 4))]);

  const unpadded = concat([
    header(memory.code, chip),
    ...segment(memory.data + IMAGE_HEADER + SEGMENT_HEADER, description),
    ...segment(memory.code, code),
    ...segment(PAYLOAD_ADDRESS, body),
  ]);
  const padding = new Uint8Array(blocks(unpadded.length) - unpadded.length);
  padding[padding.length - 1] = checksum([description, code, body]);
  const hashed = concat([unpadded, padding]);
  return concat([hashed, hashOf(hashed), filler(size - tail, size)]);
}

/**
 * The bundle in an image. `limit`: bytes that `read` can give. Throws an Error where there is none. Does not verify the
 * image.
 */
export function readPayload(read: ReadImage, limit: number): Uint8Array {
  const found = readSegments(read, limit).segments.find((segment) => segment.address === PAYLOAD_ADDRESS);
  if (found === undefined || found.length < 4) throw new Error("ESP image: no JavaScript in it");
  const size = new Uint8Array(4);
  read(found.offset, size);
  const count = new DataView(size.buffer).getUint32(0, true);
  if (count > found.length - 4)
    throw new Error(`ESP image: ${count} bytes of JavaScript in a segment of ${found.length}`);
  const payload = new Uint8Array(count);
  read(found.offset + 4, payload);
  return payload;
}

/** `readPayload` of a file's bytes. */
export function extractPayload(image: Uint8Array): Uint8Array {
  return readPayload((offset, into) => into.set(image.subarray(offset, offset + into.length)), image.length);
}

/** esp_image_header_t: DIO, 40 MHz, 4 MB, any chip revision, SHA-256 appended. */
function header(entry: number, chip: number): Uint8Array {
  const bytes = new Uint8Array(IMAGE_HEADER);
  bytes[0] = IMAGE_MAGIC;
  bytes[1] = 3;
  bytes[2] = 0x02;
  bytes[3] = 0x20;
  setU32(bytes, 4, entry);
  bytes[8] = 0xee;
  setU16(bytes, 12, chip);
  setU16(bytes, 17, 0xffff);
  bytes[23] = 1;
  return bytes;
}

/** esp_app_desc_t. No build time in it: it would make every build another file. */
function describe(
  { product, version }: { readonly product: string; readonly version: string },
  secureVersion: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(DESCRIPTION_LENGTH);
  setU32(bytes, 0, DESCRIPTION_MAGIC);
  setU32(bytes, 4, secureVersion);
  setText(bytes, 16, field("version", version));
  setText(bytes, 48, field("product", product));
  setText(bytes, 112, "v6.0");
  bytes.set(hashOf(payload), 144);
  // log2 of the 64 KiB page of the flash cache
  bytes[180] = 16;
  return bytes;
}

function field(what: string, text: string): string {
  if (!/^[\x20-\x7e]{1,31}$/.test(text)) throw new Error(`${what} "${text}": 1 to 31 printable ASCII characters`);
  return text;
}

function segment(address: number, data: Uint8Array): [Uint8Array, Uint8Array] {
  return [concat([u32(address), u32(data.length)]), data];
}

function checksum(segments: readonly Uint8Array[]): number {
  let sum = CHECKSUM_SEED;
  for (const data of segments) for (const byte of data) sum ^= byte;
  return sum;
}

/** Length with the checksum byte, in whole blocks. */
function blocks(unpadded: number): number {
  return Math.ceil((unpadded + 1) / CHECKSUM_BLOCK) * CHECKSUM_BLOCK;
}

/** What is missing to a multiple of 4. */
function zeros(count: number): Uint8Array {
  return new Uint8Array(-count & 3);
}

function hashOf(bytes: Uint8Array): Uint8Array {
  const hash = sha256();
  hash.write(bytes);
  return hash.close();
}
