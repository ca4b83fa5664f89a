import { createHash } from "node:crypto";
import { readAppDescription, readHeader, verifyImage, type ReadImage } from "../../src/image/esp-image";

/** What a file says of itself as an application image. Empty for any other file, which may be offered too, to see it refused. */
export interface ImageFacts {
  readonly imageVersion?: string;
  readonly project?: string;
  /** esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip?: number;
  /** Why a bootloader would not start it; absent if it would. */
  readonly problem?: string;
  /** Bytes after the image's own end: room for a signature, or padding. */
  readonly trailer?: number;
}

/** Everything that is read of a file's beginning: header, first segment header, app description. */
const HEAD = 288;

/** Never throws. `size`: bytes that `read` can give. */
export function readImageFacts(read: ReadImage, size: number): ImageFacts {
  const head = new Uint8Array(Math.min(HEAD, size));
  try {
    read(0, head);
    const { version, project } = readAppDescription(head);
    return { imageVersion: version, project, chip: readHeader(head).chip, ...verdict(read, size) };
  } catch {
    return {};
  }
}

function verdict(read: ReadImage, size: number): Pick<ImageFacts, "problem" | "trailer"> {
  try {
    const { length } = verifyImage(read, size, nodeSha256);
    return { trailer: size - length };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function nodeSha256(): { write(bytes: Uint8Array): void; close(): Uint8Array } {
  const hash = createHash("sha256");
  return { write: (bytes) => void hash.update(bytes), close: () => hash.digest() };
}
