/** What an application image says of itself, in words. */
import { problemOfImage } from "../board/image-problem";
import { readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import { unsigned } from "./signing/firmware-file";

/** Throws one line where no bootloader would start `file`. */
export function describeImage(file: Uint8Array): string {
  const read = (offset: number, into: Uint8Array): void => into.set(file.subarray(offset, offset + into.length));
  const problem = problemOfImage(read, file.length);
  if (problem !== undefined) throw new Error(`not a container, and ${problem}`);
  const { version, product, securityFloor } = readFirmware(file, true);
  const floor = securityFloor > 0 ? `, security floor ${securityFloor}` : "";
  const signature = unsigned(file) === file ? "not signed" : "signed";
  return `image of firmware ${version}, product ${product}, chip ${readHeader(file).chip}${floor}, ${file.length} bytes, ${signature}\n`;
}
