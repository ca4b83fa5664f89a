import type { ReadImage } from "../../../../hal/model-chip/image-check";
import { problemOfImage } from "../../../board/image-problem";
import { PARTS_MAX, headLengthOf, isContainer, readContainer } from "../../../../src/container/format";
import { readHeader } from "../../../../src/image/esp-image";
import { IMAGE_FACTS, readFirmware } from "../../../../src/image/firmware-block";
import { hasTrailer, readTrailer, TRAILER } from "../../../../src/signature/trailer";

/** Bytes of the longest head of a container. */
const HEAD_MAX = headLengthOf(PARTS_MAX, true);

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
  /** It is a container: what it makes, and what a device fetches of it. */
  readonly container?: ContainerFacts;
  /** A signature at the end of the file, or of a container's head. Whether its key is trusted, each device decides. */
  readonly signature?: SignatureFacts;
}

export interface ContainerFacts {
  /** Bytes of the file that it makes. */
  readonly image: number;
  /** SHA-256 of that file, hex; absent in a description of an older cloud. */
  readonly sha256?: string;
  /** `from`: version of the older image; absent: the part is the whole image, compressed. */
  readonly parts: readonly { readonly from?: string; readonly size: number }[];
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

/** What the image says of itself, whether it would boot or not; of a container, what its head says of the image. */
function claims(read: ReadImage, size: number): ImageFacts {
  const head = new Uint8Array(Math.min(Math.max(IMAGE_FACTS, HEAD_MAX), size));
  read(0, head);
  try {
    if (isContainer(head)) return containerFacts(head);
    const { version, product } = readFirmware(head, true);
    return { imageVersion: version, project: product, chip: readHeader(head).chip };
  } catch {
    return {};
  }
}

function containerFacts(head: Uint8Array): ImageFacts {
  const { version, product, chip, file, parts } = readContainer(head);
  return {
    imageVersion: version,
    project: product,
    chip,
    container: {
      image: file.length,
      sha256: Buffer.from(file.sha256).toString("hex"),
      parts: parts.map(({ base, length }) => ({ ...(base === undefined ? {} : { from: base.version }), size: length })),
    },
  };
}

/** Where the signature ends. */
function signedEnd(read: ReadImage, size: number): number {
  const head = new Uint8Array(Math.min(HEAD_MAX, size));
  read(0, head);
  try {
    return isContainer(head) ? readContainer(head).headLength : size;
  } catch {
    return size;
  }
}

function signatureFacts(read: ReadImage, size: number): Pick<ImageFacts, "signature"> {
  const end = signedEnd(read, size);
  if (end < TRAILER) return {};
  const last = new Uint8Array(TRAILER);
  read(end - TRAILER, last);
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
