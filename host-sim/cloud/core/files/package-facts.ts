import { createHash } from "node:crypto";
import { verifyImage, type ReadImage } from "../../../../hal/model-chip/image-check";
import { readHeader } from "../../../../src/image/esp-image";
import { IMAGE_FACTS, readFirmware } from "../../../../src/image/firmware-block";
import { hasTrailer, readTrailer, TRAILER } from "../../../../src/signature/trailer";

/**
 * Facts of a file that is an application image. Empty for any other file, which may be offered too, to see it refused.
 */
export interface ImageFacts {
  readonly imageVersion?: string;
  /** Product from the firmware block, else the project name of the app description. */
  readonly project?: string;
  /** esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip?: number;
  /** Why a bootloader would not start it; absent if it would. */
  readonly problem?: string;
  /** A signature at the file's end. Whether its key is trusted, each device decides. */
  readonly signature?: SignatureFacts;
}

export type SignatureFacts =
  | {
      readonly form: "good";
      /** First bytes of the key's SHA-256 in hex; "" where the signature names none. */ readonly key: string;
    }
  | { readonly form: "bad"; readonly problem: string };

/** Never throws. `size`: bytes that `read` can give. */
export function readImageFacts(read: ReadImage, size: number): ImageFacts {
  return { ...imageFacts(read, size), ...signatureFacts(read, size) };
}

function imageFacts(read: ReadImage, size: number): ImageFacts {
  const head = new Uint8Array(Math.min(IMAGE_FACTS, size));
  try {
    read(0, head);
    const { version, product } = readFirmware(head, true);
    return { imageVersion: version, project: product, chip: readHeader(head).chip, ...verdict(read, size) };
  } catch {
    return {};
  }
}

function signatureFacts(read: ReadImage, size: number): Pick<ImageFacts, "signature"> {
  if (size < TRAILER) return {};
  const last = new Uint8Array(TRAILER);
  read(size - TRAILER, last);
  if (!hasTrailer(last)) return {};
  try {
    const { keyId } = readTrailer(last);
    return {
      signature: { form: "good", key: keyId.some((byte) => byte !== 0) ? Buffer.from(keyId).toString("hex") : "" },
    };
  } catch (error) {
    return { signature: { form: "bad", problem: (error as Error).message } };
  }
}

function verdict(read: ReadImage, size: number): Pick<ImageFacts, "problem"> {
  try {
    verifyImage(read, size, nodeSha256);
    return {};
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function nodeSha256(): { write(bytes: Uint8Array): void; close(): Uint8Array } {
  const hash = createHash("sha256");
  return { write: (bytes) => void hash.update(bytes), close: () => hash.digest() };
}
