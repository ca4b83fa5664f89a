/**
 * Beginning of Espressif's application image.
 *
 *   header (24) | segment header (8) + data, up to 16 times | 0..15 bytes, XOR checksum: up to a multiple of 16 | SHA-256 (32)
 *
 * Sources: ESP-IDF esp_app_format.h (esp_image_header_t, esp_image_segment_header_t) and esp_app_desc.h
 * (esp_app_desc_t); esptool documentation, "Firmware Image Format". Numbers are little-endian. A chip checks the rest
 * of the image natively (esp_image_verify); in JavaScript that is hal/model-chip/image-check.ts.
 *
 * Whatever the bytes, these functions return or throw an `Error` that says what is wrong. Each length is compared with
 * what there is before it is used.
 */
import { frozen } from "../util/frozen";

/** ESP_IMAGE_HEADER_MAGIC. */
export const IMAGE_MAGIC = 0xe9;
/** sizeof(esp_image_header_t). */
export const IMAGE_HEADER = 24;
/** sizeof(esp_image_segment_header_t). */
export const SEGMENT_HEADER = 8;
/** ESP_IMAGE_MAX_SEGMENTS. */
const MAX_SEGMENTS = 16;
/** The app description is the first thing in the first segment. */
export const DESCRIPTION_OFFSET = IMAGE_HEADER + SEGMENT_HEADER;
/** sizeof(esp_app_desc_t). A project's own data (ESP-IDF: "custom app description") follows it in the same segment. */
export const DESCRIPTION_LENGTH = 256;
/** ESP_APP_DESC_MAGIC_WORD. */
export const DESCRIPTION_MAGIC = 0xabcd5432;

export interface ImageHeader {
  /** 1..16. */
  readonly segments: number;
  /** esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip: number;
  /** A SHA-256 stands at the image's end. */
  readonly hashAppended: boolean;
}

export interface AppDescription {
  /** 1..31 characters of printable ASCII. */
  readonly version: string;
  readonly project: string;
  /** For ESP-IDF's own anti-rollback. */
  readonly secureVersion: number;
  /** The bytes after the description that belong to the first segment and were given: a view, not a copy. */
  readonly custom: Uint8Array;
}

/** What is given for firmware by mistake, by its first two bytes. */
const MISTAKES: Readonly<Record<number, string>> = frozen({
  0x1f8b: "gzip",
  0x504b: "zip",
  0x7f45: "an ELF file",
  0xefbb: "text",
  0xffff: "erased flash",
});

const mistakenFor = (bytes: Uint8Array): string => {
  const kind = MISTAKES[(bytes[0]! << 8) | bytes[1]!];
  if (kind !== undefined) return ` (${kind})`;
  return bytes.subarray(0, 16).every((byte) => byte >= 0x09 && byte < 0x7f) ? " (text)" : "";
};

/** `bytes`: at least the image's first 24. */
export const readHeader = (bytes: Uint8Array): ImageHeader => {
  if (bytes.length < IMAGE_HEADER) throw new Error(`not an ESP image: ${bytes.length} bytes`);
  if (bytes[0] !== IMAGE_MAGIC)
    throw new Error(
      `not an ESP image: it begins with ${hexByte(bytes[0]!)}, not ${hexByte(IMAGE_MAGIC)}${mistakenFor(bytes)}`,
    );
  const segments = bytes[1]!;
  if (segments === 0 || segments > MAX_SEGMENTS)
    throw new Error(`ESP image: ${segments} segments, must be 1 to ${MAX_SEGMENTS}`);
  return { segments, chip: bytes[12]! | (bytes[13]! << 8), hashAppended: bytes[23] !== 0 };
};

/** `bytes`: the image from its beginning, at least 288 bytes of it. Throws where there is no description. */
export const readAppDescription = (bytes: Uint8Array): AppDescription => {
  readHeader(bytes);
  const end = DESCRIPTION_OFFSET + DESCRIPTION_LENGTH;
  if (bytes.length < end) throw new Error(`ESP image: no room for an app description in ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segmentEnd = DESCRIPTION_OFFSET + view.getUint32(IMAGE_HEADER + 4, true);
  if (segmentEnd < end || view.getUint32(DESCRIPTION_OFFSET, true) !== DESCRIPTION_MAGIC) {
    // A bootloader has none, and a flash image of most chips begins with one.
    throw new Error("ESP image: no app description (a bootloader?)");
  }
  return {
    secureVersion: view.getUint32(DESCRIPTION_OFFSET + 4, true),
    version: text(bytes, DESCRIPTION_OFFSET + 16, "version"),
    project: text(bytes, DESCRIPTION_OFFSET + 48, "project name"),
    custom: bytes.subarray(end, Math.min(segmentEnd, bytes.length)),
  };
};

/** A field of 32 bytes, ended by a zero byte. */
const text = (bytes: Uint8Array, offset: number, what: string): string => {
  let value = "";
  for (let index = 0; index < 32; index++) {
    const code = bytes[offset + index]!;
    if (code === 0) {
      if (value === "") throw new Error(`ESP image: empty ${what}`);
      return value;
    }
    if (code < 0x20 || code > 0x7e) throw new Error(`ESP image: the ${what} is not text`);
    value += String.fromCharCode(code);
  }
  throw new Error(`ESP image: the ${what} has no end`);
};

export const hexByte = (value: number): string => {
  return `0x${value < 16 ? "0" : ""}${value.toString(16)}`;
};
