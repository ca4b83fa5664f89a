/** What the two slots hold: the check that bootloader and application do, and the version and product of an image. */
import type { Digest } from "../../src/ports";
import { readSegments, verifyImage } from "./image-check";
import type { VerifiedImage } from "./image-check";
import { readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import type { FlashChip } from "./flash-chip";
import { PowerCut } from "./flash-chip";
import { sha256 } from "./sha256";
import type { Partition, PartitionTable } from "./partitions";

/** An image that would boot. */
export interface SlotImage extends VerifiedImage {
  readonly version: string;
  /** Product from the firmware block, else the project name of the app description. */
  readonly project: string;
}

export type SlotIndex = 0 | 1;

/** Results by content, shared between boards whose memory chips were forked from one another. */
export class VerifyCache {
  readonly #results = new Map<string, SlotImage | Error>();

  /** `stamp` names the content of the slot at `address`; see `FlashCells.stamp`. */
  get(address: number, stamp: number, verify: () => SlotImage): SlotImage {
    const key = `${address}:${stamp}`;
    let result = this.#results.get(key);
    if (result === undefined) {
      try {
        result = verify();
      } catch (error) {
        if (error instanceof PowerCut) throw error;
        result = error as Error;
      }
      if (this.#results.size >= 1024) this.#results.clear();
      this.#results.set(key, result);
    }
    if (result instanceof Error) throw result;
    return result;
  }
}

export interface SlotsOptions {
  /**
   * Remembers verdicts by content where the chip can name its content (memory). Without it every check reads the slot.
   */
  readonly cache?: VerifyCache;
  /** The host's native SHA-256, which is many times faster than the model's own. */
  readonly sha256?: () => Digest;
}

export class Slots {
  readonly partitions: readonly [Partition, Partition];
  readonly #chip: FlashChip;
  readonly #chipId: number;
  readonly #cache: VerifyCache | undefined;
  readonly #sha256: () => Digest;

  /** @param chipId esp_chip_id_t of this board: images for another chip do not boot */
  constructor(chip: FlashChip, table: PartitionTable, chipId: number, options: SlotsOptions = {}) {
    this.#chip = chip;
    this.partitions = table.slots;
    this.#chipId = chipId;
    this.#cache = options.cache;
    this.#sha256 = options.sha256 ?? sha256;
  }

  /**
   * Throws with the reason if the image would not boot. A chip also starts an image without an app description or with
   * a damaged firmware block; a board does not, because the agent installs neither.
   */
  verify(index: SlotIndex): SlotImage {
    const { address, size } = this.partitions[index];
    const stamp = this.#cache === undefined ? undefined : this.#chip.stamp(address, size);
    const verify = (): SlotImage => verifySlot(this.#chip, address, size, this.#chipId, this.#sha256);
    return stamp === undefined ? verify() : this.#cache!.get(address, stamp, verify);
  }

  /** `verify`, where the reason does not matter. A power cut is passed on. */
  boots(index: SlotIndex): SlotImage | undefined {
    try {
      return this.verify(index);
    } catch (error) {
      if (error instanceof PowerCut) throw error;
      return undefined;
    }
  }

  /** What a bootloader starts that does not validate: an image with a header for this chip and whole segments. */
  isStarted(index: SlotIndex): boolean {
    const { address, size } = this.partitions[index];
    try {
      return readSegments((offset, into) => this.#chip.read(address + offset, into), size).header.chip === this.#chipId;
    } catch (error) {
      if (error instanceof PowerCut) throw error;
      return false;
    }
  }
}

/**
 * The image at `address`, of a slot of `size` bytes. `chipId`: undefined takes an image for any chip. Throws with the
 * reason if it would not boot.
 */
export function verifySlot(
  flash: Pick<FlashChip, "read">,
  address: number,
  size: number,
  chipId: number | undefined,
  makeSha256: () => Digest,
): SlotImage {
  const read = (offset: number, into: Uint8Array): void => flash.read(address + offset, into);
  const first = new Uint8Array(Math.min(4096, size));
  read(0, first);
  // The chip is checked before anything else is read, as in esp_image_format.c.
  const { chip } = readHeader(first);
  if (chipId !== undefined && chip !== chipId) throw new Error(`ESP image for chip ${chip}, this is chip ${chipId}`);
  const { version, product } = readFirmware(first, true);
  return { ...verifyImage(read, size, makeSha256), version, project: product };
}
