import type { ReadImage } from "../../../../hal/model-chip/image-check";
import { problemOfImage } from "../../../board/image-problem";
import { readHeader } from "../../../../src/image/esp-image";
import { IMAGE_FACTS, readFirmware } from "../../../../src/image/firmware-block";
import { hasTrailer, readTrailer, TRAILER } from "../../../../src/signature/trailer";

/**
 * Facts of a file. Any other file than an application image may be offered too, to see it refused, or for a module.
 */
export interface ImageFacts {
  readonly imageVersion?: string;
  /** Product from the firmware block, else the project name of the app description. */
  readonly project?: string;
  /** esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip?: number;
  /** Why a bootloader would not start it, or what it is in place of an application image; absent if it would. */
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
  const problem = problemOfImage(read, size);
  return { ...claims(read, size), ...(problem === undefined ? {} : { problem }) };
}

/** What the image says of itself, whether it would boot or not. */
function claims(read: ReadImage, size: number): ImageFacts {
  const head = new Uint8Array(Math.min(IMAGE_FACTS, size));
  read(0, head);
  try {
    const { version, product } = readFirmware(head, true);
    return { imageVersion: version, project: product, chip: readHeader(head).chip };
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
