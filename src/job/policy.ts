/**
 * Who may be installed: the table of offers (design section 2.2) and the checks of an image against the running firmware.
 * Each refusal is one line that says what differs and, where there is one, which setting allows it.
 */
import type { Running } from "../ports";
import { MAX_ATTEMPTS, REPEAT_BUDGET, TRIAL_SECONDS } from "../constants";
import { readHeader } from "../image/esp-image";
import { readFirmware } from "../image/firmware-block";
import { compareVersions } from "./versions";
import type { Offer } from "./types";

export interface Policy {
  /** Trial of new firmware, seconds. */
  readonly trialSeconds: number;
  /** Trials cut short by power loss before the job fails. */
  readonly maxAttempts: number;
  /** Installs of images that were confirmed here before, until time gives new ones. */
  readonly repeatBudget: number;
  /** Install a version that sorts before the running one. */
  readonly allowDowngrade: boolean;
  /** Take an offer that names no digest. */
  readonly allowNoDigest: boolean;
  /** Take an image of another product, or without a firmware block. */
  readonly allowForeign: boolean;
  /** Public keys, PEM or hex. Once there is one, a file without a signature by one of them is refused. */
  readonly signingKeys: readonly string[];
  /** Download over plain http. */
  readonly allowHttp: boolean;
}

export const DEFAULT_POLICY: Policy = Object.freeze({
  trialSeconds: TRIAL_SECONDS,
  maxAttempts: MAX_ATTEMPTS,
  repeatBudget: REPEAT_BUDGET,
  allowDowngrade: false,
  allowNoDigest: false,
  allowForeign: false,
  signingKeys: Object.freeze([]) as readonly string[],
  allowHttp: false,
});

/** Two offers of one image: the same job. A size that one of them does not know does not tell them apart. */
export function sameImage(a: Offer, b: Offer): boolean {
  if (a.version !== b.version || a.part !== b.part) return false;
  if (a.size !== 0 && b.size !== 0 && a.size !== b.size) return false;
  if (a.digest === undefined || b.digest === undefined) return a.digest === b.digest && a.url === b.url;
  return a.digest.algorithm === b.digest.algorithm && a.digest.hex === b.digest.hex;
}

/**
 * Reason to refuse an offer from what it says alone, before anything is asked of the network or of flash. `capacity`: bytes there
 * is room for; undefined where nobody takes the module.
 */
export function refusalOfOffer(
  offer: Offer,
  running: Running,
  capacity: number | undefined,
  policy: Policy,
): string | undefined {
  const room = noRoom(offer.size, capacity, offer);
  if (room !== undefined) return room;
  if (offer.digest === undefined && !provableWithoutDigest(policy))
    return "the offer has no digest (allowNoDigest permits that)";
  if (offer.url.startsWith("http:") && !policy.allowHttp) return "plain http download refused (allowHttp permits it)";
  if (offer.part !== undefined) return undefined;
  if (
    offer.version !== running.version &&
    !policy.allowDowngrade &&
    compareVersions(offer.version, running.version) === "older"
  )
    return `version ${offer.version} is older than the running ${running.version} (allowDowngrade permits it)`;
  return undefined;
}

/** Whether something else than the offer's digest may vouch for what is in flash. */
function provableWithoutDigest(policy: Policy): boolean {
  return policy.allowNoDigest || policy.signingKeys.length > 0;
}

/** Why `size` bytes can not be stored. */
export function noRoom(size: number, capacity: number | undefined, { part }: Offer): string | undefined {
  if (capacity === undefined) return `this device has no module ${JSON.stringify(part)}`;
  if (size <= capacity) return undefined;
  return part === undefined
    ? `image of ${size} bytes does not fit the slot of ${capacity}`
    : `${size} bytes do not fit module ${part}, which takes ${capacity}`;
}

/** Reason to refuse the image itself, from its first sector. `floor`: lowest security floor that may be installed. */
export function refusalOfImage(
  firstSector: Uint8Array,
  offer: Offer,
  running: Running,
  floor: number,
  policy: Policy,
): string | undefined {
  try {
    const { chip } = readHeader(firstSector);
    if (chip !== running.chip) return `image is for chip ${chip}, this is chip ${running.chip}`;
    const { product, version, securityFloor } = readFirmware(firstSector, policy.allowForeign);
    if (product !== running.project && !policy.allowForeign)
      return `image is of product ${JSON.stringify(product)}, this is ${JSON.stringify(running.project)}`;
    if (version !== offer.version) return `version in the image is ${version}, offered was ${offer.version}`;
    if (securityFloor < floor) return `security floor of the image is ${securityFloor}, this device has seen ${floor}`;
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
