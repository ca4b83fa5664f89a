/** Where the bytes of a container lie in the slot: in its tail, until they are expanded from its front on. */
import { SECTOR } from "../constants";
import type { Container, Part } from "../container/format";
import type { JobEffect } from "./effects";
import { identityOf } from "./job-codecs";
import type { JobRecord } from "./job-codecs";
import type { Checkpoint } from "./records";
import { FIRMWARE, eraseLengthIn } from "./target";
import type { Surroundings, Target } from "./target";
import type { Staged } from "./staged-codec";
import type { Offer, OfferDigest } from "./types";
import { toHex } from "../util/hex";

/**
 * What is in the slot in the end, as plain offers of it would say: first as on the platform of `offer`. By that, denylist
 * and budgets know it, whichever way it comes.
 */
export const namesOf = (offer: Offer, file: Staged["file"]): [Offer, Offer] => {
  const sha256 = imageOf(offer, file);
  const md5: Offer = { ...sha256, digest: { algorithm: "MD5", hex: toHex(file.md5) } };
  return offer.digest?.algorithm === "MD5" ? [md5, sha256] : [sha256, md5];
};

/** The same, by the digest that proves it. */
export const imageOf = (offer: Offer, { length, sha256 }: Staged["file"]): Offer => ({
  ...offer,
  size: length,
  digest: { algorithm: "SHA256", hex: toHex(sha256) },
});

/** Why the image is not tried (again) now, by any of its names. */
export const refusalByNames = (around: Surroundings, names: readonly Offer[], now: number): string | undefined =>
  names.map((name) => FIRMWARE.refusalByHistory(around, name, now)).find((why) => why !== undefined);

/** The checkpoint `left` claims the whole image that the container of `record` makes. */
export const isMade = (record: JobRecord, { file }: Staged, left: Checkpoint): boolean => {
  const identity = identityOf({ ...record, offer: imageOf(record.offer, file) });
  return (
    FIRMWARE.header.decode(identity, left.header) !== undefined &&
    FIRMWARE.offset.decode(identity, left.offset) === Math.ceil(file.length / SECTOR)
  );
};

/**
 * Undefined: the slot is too small. `all`: of the container; otherwise only the sectors with the part in them, of which
 * the head tells the digest.
 */
export const stagedIn = (
  { length, file, image }: Container,
  { offset, length: partLength, sha256, base, room }: Part,
  slotSize: number,
  all: boolean,
): Staged | undefined => {
  const from = all ? 0 : Math.floor(offset / SECTOR) * SECTOR;
  const end = all ? length : Math.min(length, Math.ceil((offset + partLength) / SECTOR) * SECTOR);
  const at = slotSize - Math.ceil((end - from) / SECTOR) * SECTOR;
  if (file.length > slotSize || at < 0 || at + offset - from < room) return undefined;
  return {
    from,
    length: end - from,
    at,
    part: { offset, length: partLength, sha256 },
    base: base ?? { id: new Uint8Array(32), length: 0 },
    file,
    image,
  };
};

/** Where a byte of the container lies in the slot. */
export const placeOf = ({ at, from }: Staged, offset: number): number => at + offset - from;

/** The tail of the slot, while a container is fetched. Nothing of it is held back: it is no image. */
export const tailOf = ({ at, length }: Staged): Target => ({
  ...FIRMWARE,
  heldBack: 0,
  proven: "expand",
  refusalOfImage: () => undefined,
  installs: () => [],
  eraseLength: (around, _offer, sector) =>
    eraseLengthIn(around, at / SECTOR + sector, Math.ceil(length / SECTOR) - sector),
  store(sector, bytes, erase) {
    const offset = at + sector * SECTOR;
    const stored: JobEffect[] = [
      { type: "write", offset, bytes },
      { type: "compare", offset, bytes, erased: 0 },
    ];
    if (erase === 0) return stored;
    return [{ type: "erase", sector: offset / SECTOR, ...(erase === 1 ? {} : { block: true }) }, ...stored];
  },
});

/** What of the staged bytes is proven before anything is decoded, and by which digest. */
export const stagedProof = (
  { options }: Pick<Surroundings, "options">,
  { container, offer }: { readonly container: Staged | undefined; readonly offer: Offer },
): { readonly start: number; readonly length: number; readonly digest: OfferDigest } => {
  const { part, length, at } = container!;
  // The part's digest counts where the head that has it was signed, or where the platform has none.
  if (options.refusalOfSignature === undefined && offer.digest !== undefined && length === offer.size)
    return { start: at, length, digest: offer.digest };
  const digest = { algorithm: "SHA256", hex: toHex(part.sha256) } as const;
  return { start: placeOf(container!, part.offset), length: part.length, digest };
};
