/**
 * Which images may be installed: checks of an offer and of the image's first sector against the running firmware. A
 * refusal is one line that says what differs and, where there is one, which setting permits it.
 */
import type { Running } from "../ports";
import { ERASE_BLOCK, MAX_ATTEMPTS, REPEAT_BUDGET, TRIAL_SECONDS } from "../constants";
import { readHeader } from "../image/esp-image";
import { readFirmware } from "../image/firmware-block";
import type { Firmware } from "../image/firmware-block";
import { compareVersions } from "./versions";
import type { Offer } from "./types";

export interface Policy {
  /** Trial of new firmware, seconds. */
  readonly trialSeconds: number;
  /** Trials cut short by power loss before the job fails, 1 or more. */
  readonly maxAttempts: number;
  /** Installs of images that were confirmed here before, until time gives new ones. */
  readonly repeatBudget: number;
  /** KiB erased with one command, 64 or 4. All of the application stops meanwhile: 150 ms or 40 ms, 2 s or 0.4 s at worst. */
  readonly eraseBlock: number;
  /** Install a version that sorts before the running one. */
  readonly allowDowngrade: boolean;
  /** Accept an offer without a digest. */
  readonly allowNoDigest: boolean;
  /** Accept an image of another product, or without a firmware block. */
  readonly allowForeign: boolean;
  /** Accept a container of deltas. */
  readonly allowDelta: boolean;
  /** Public keys, PEM or hex. Once there is one, a file without a signature by one of them is refused. */
  readonly signingKeys: readonly string[];
  /** Download over plain http. */
  readonly allowHttp: boolean;
}

export const DEFAULT_POLICY: Policy = Object.freeze({
  trialSeconds: TRIAL_SECONDS,
  maxAttempts: MAX_ATTEMPTS,
  repeatBudget: REPEAT_BUDGET,
  eraseBlock: ERASE_BLOCK,
  allowDowngrade: false,
  allowNoDigest: false,
  allowForeign: false,
  allowDelta: true,
  signingKeys: Object.freeze([]) as readonly string[],
  allowHttp: false,
});

/** Two offers of one image: the same job. A size that one of them does not know does not tell them apart. */
export const sameImage = (a: Offer, b: Offer): boolean => {
  if (a.version !== b.version || a.component !== b.component) return false;
  if (a.size !== 0 && b.size !== 0 && a.size !== b.size) return false;
  if (a.digest === undefined || b.digest === undefined) return a.digest === b.digest && a.url === b.url;
  return a.digest.algorithm === b.digest.algorithm && a.digest.hex === b.digest.hex;
};

/** Reason to refuse an offer whose file could not be proven, or whose download is not protected. */
export const refusalOfMeans = (offer: Offer, policy: Policy): string | undefined => {
  // A signature proves a file as well as a digest does.
  if (offer.digest === undefined && !policy.allowNoDigest && policy.signingKeys.length === 0)
    return "the offer has no digest (allowNoDigest permits that)";
  if (offer.url.startsWith("http:") && !policy.allowHttp) return "plain http download refused (allowHttp permits it)";
  return undefined;
};

export const refusalOfDowngrade = (offer: Offer, running: Running, policy: Policy): string | undefined => {
  const older =
    offer.version !== running.version &&
    !policy.allowDowngrade &&
    compareVersions(offer.version, running.version) === "older";
  return older
    ? `version ${offer.version} is older than the running ${running.version} (allowDowngrade permits it)`
    : undefined;
};

/** The running version, in another image. */
export const refusalOfOther = (version: string): string =>
  `version ${version} runs already, with another digest; offer a new version`;

/**
 * Reason to refuse the image itself, from its first sector. `minimum`: lowest security version that may be installed.
 */
export const refusalOfImage = (
  firstSector: Uint8Array,
  offer: Offer,
  running: Running,
  minimum: number,
  policy: Policy,
): string | undefined => {
  try {
    const { chip } = readHeader(firstSector);
    if (chip !== running.chip) return otherChip(chip, running);
    return refusalOfFirmware(readFirmware(firstSector, policy.allowForeign), offer, running, minimum, policy);
  } catch (error) {
    return (error as Error).message;
  }
};

export const otherChip = (chip: number, running: Running): string =>
  `image is for chip ${chip}, this is chip ${running.chip}`;

/** What a first sector, or the head of a container, says of an image. */
export const refusalOfFirmware = (
  { product, version, securityFloor }: Firmware,
  offer: Offer,
  running: Running,
  minimum: number,
  policy: Policy,
): string | undefined => {
  if (product !== running.project && !policy.allowForeign)
    return `image is of product ${JSON.stringify(product)}, this is ${JSON.stringify(running.project)}`;
  if (version !== offer.version) return `version in the image is ${version}, offered was ${offer.version}`;
  if (securityFloor < minimum)
    return `security floor of the image is ${securityFloor}, this device has seen ${minimum}`;
  return undefined;
};
