/**
 * A reader of application images written from Espressif's description ("Firmware Image Format" in esptool's
 * documentation, esp_image_header_t and esp_app_desc_t in ESP-IDF's headers), sharing nothing with src/image.
 */
import { createHash } from "node:crypto";

export interface ReadImage {
  readonly segments: { address: number; data: Buffer }[];
  readonly entry: number;
  readonly chip: number;
  readonly version: string;
  readonly project: string;
  readonly secureVersion: number;
  /** Bytes up to and with the SHA-256. */
  readonly length: number;
  readonly problems: string[];
}

export function readEspImage(file: Buffer): ReadImage {
  const problems: string[] = [];
  const check = (right: boolean, problem: string): void => void (right || problems.push(problem));
  check(file[0] === 0xe9, "magic");
  const segments: { address: number; data: Buffer }[] = [];
  let at = 24;
  for (let index = 0; index < file[1]!; index++) {
    const [address, length] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    check(length % 4 === 0, `segment ${index} is not a multiple of 4`);
    segments.push({ address, data: file.subarray(at + 8, at + 8 + length) });
    // Flash is mapped in pages of 64 KiB: offset in the file and address must agree within a page.
    if (address >= 0x3c000000 && address < 0x40000000)
      check((at + 8) % 0x10000 === address % 0x10000, `segment ${index} cannot be mapped`);
    at += 8 + length;
  }
  let checksum = 0xef;
  for (const { data } of segments) for (const byte of data) checksum ^= byte;
  at += 15 - (at % 16);
  check(file[at] === checksum, "checksum");
  at += 1;
  check(file[23] === 1, "no SHA-256 appended");
  const hash = createHash("sha256").update(file.subarray(0, at)).digest();
  check(hash.equals(file.subarray(at, at + 32)), "SHA-256");

  const description = segments[0]!.data;
  check(description.readUInt32LE(0) === 0xabcd5432, "no app description");
  const text = (offset: number): string => description.toString("latin1", offset, description.indexOf(0, offset));
  return {
    segments,
    entry: file.readUInt32LE(4),
    chip: file.readUInt16LE(12),
    version: text(16),
    project: text(48),
    secureVersion: description.readUInt32LE(4),
    length: at + 32,
    problems,
  };
}
