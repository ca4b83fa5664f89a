/**
 * Targets of an update: where the bytes of a job go, and what that changes for the job. The firmware goes into the
 * inactive slot and is started; a component goes to its installer, which makes use of it without a restart. A further
 * kind of target is one more object of this interface.
 */
import { ERASE_BLOCK_LEAST, HEAD, SECTOR } from "../constants";
import { frozen } from "../util/frozen";
import type { Budgets } from "./budgets";
import type { Denylist } from "./denylist";
import type { BootFacts, JobEffect, JobOptions } from "./effects";
import { COMPONENT_SLOT } from "./job-codecs";
import { refusalOfDowngrade, refusalOfImage, refusalOfMeans } from "./policy";
import { RECORDS, stagedCheckpointIn } from "./records";
import type { Checkpoint, HeaderRecord, OffsetRecord, Snapshot } from "./records";
import type { Offer } from "./types";

/** What a target may look at. */
export interface Surroundings {
  readonly facts: BootFacts;
  readonly options: JobOptions;
  readonly denylist: Denylist;
  readonly budgets: Budgets;
  /** Anti-rollback counter: the lowest security version that may be installed. */
  readonly minimumSecurityVersion: number;
}

export interface Target {
  readonly name: "firmware" | "component";
  /** Records of the checkpoint. */
  readonly offset: OffsetRecord;
  readonly header: HeaderRecord;
  /** Undefined: the target erases by itself. */
  readonly erased: (typeof RECORDS)["firmwareErased"] | undefined;
  /** Bytes at the start of the image that stay erased until the image is proven. */
  readonly heldBack: number;
  /**
   * What follows when the bytes are proven: the image's header is committed and the chip restarts, the installer makes
   * use of them, or the container is expanded.
   */
  readonly proven: "commit" | "install" | "expand";
  /** In the job record; "": the label of the slot that can be written. */
  readonly slot: string;
  checkpointIn(stored: Snapshot): Checkpoint;
  /** Why `size` bytes cannot be stored; undefined: there is room. */
  refusalOfSize(around: Surroundings, offer: Offer, size: number): string | undefined;
  refusalOfVersion(around: Surroundings, offer: Offer): string | undefined;
  /** Why this image is not tried (again) now, from what is remembered of it. */
  refusalByHistory(around: Surroundings, offer: Offer, now: number): string | undefined;
  refusalOfImage(around: Surroundings, offer: Offer, firstSector: Uint8Array): string | undefined;
  /** The first sector is about to change: what that counts for. */
  installs(around: Surroundings, offer: Offer, now: number): JobEffect[];
  /** The offered version runs already, and enough is known of the offer to compare the images. */
  runs(around: Surroundings, offer: Offer): boolean;
  /** Before the first byte changes. */
  prepare(): JobEffect[];
  /** Before writing begins at `offset`, or goes on there. */
  open(offer: Offer, offset: number): JobEffect[];
  /** Sectors to erase together before `sector` is written: a block where that pays, else one. */
  eraseLength(around: Surroundings, offer: Offer, sector: number): number;
  /**
   * Stores one sector and reads it back; before that `erase` sectors from it on are erased. `bytes` must stay unchanged
   * until then.
   */
  store(sector: number, bytes: Uint8Array, erase: number): JobEffect[];
  /** Nothing of the image stays usable. */
  discard(): JobEffect[];
  /** The job failed, and what is stored counts for nothing. */
  abort(offer: Offer): JobEffect[];
}

/**
 * Sectors to erase together before `sector` of the slot is written: a block where it begins there, ends before `end` and
 * `left` sectors, the ones still to come, make it worth while.
 */
export const eraseLengthIn = (
  { facts, options }: Surroundings,
  sector: number,
  left: number,
  end = facts.slotSize,
): number => {
  const { blockSectors } = facts;
  const fits = sector % blockSectors === 0 && (sector + blockSectors) * SECTOR <= end;
  return fits && left >= ERASE_BLOCK_LEAST && options.policy.eraseBlock > 4 ? blockSectors : 1;
};

const nothing = (): undefined => undefined;
const none = (): JobEffect[] => [];

export const FIRMWARE: Target = frozen<Target>({
  name: "firmware",
  offset: RECORDS.firmwareOffset,
  header: RECORDS.firmwareHeader,
  erased: RECORDS.firmwareErased,
  // A half-written slot must not boot: the first bytes hold the image's magic number.
  heldBack: HEAD,
  proven: "commit",
  slot: "",
  checkpointIn(stored) {
    const { firmwareOffset, firmwareHeader, firmwareErased, staged } = stored;
    // Without a header nothing counts but sectors of a container.
    if (firmwareHeader === undefined) return stagedCheckpointIn(stored);
    return { offset: firmwareOffset, header: firmwareHeader, erased: firmwareErased, staged };
  },
  refusalOfSize: ({ facts }, _offer, size) =>
    size <= facts.slotSize ? undefined : `image of ${size} bytes does not fit the slot of ${facts.slotSize}`,
  refusalOfVersion: ({ facts, options }, offer) => refusalOfDowngrade(offer, facts.running, options.policy),
  refusalByHistory(around, offer, now) {
    const cause = around.denylist.causeOf(offer.digest);
    if (cause !== undefined)
      return `this image was ${cause === "rolled-back" ? "rolled back" : "refused"} before; it is not tried again`;
    const { budgets, facts } = around;
    return FIRMWARE.runs(around, offer) ? undefined : budgets.refusalOf(offer, facts.running.version, now);
  },
  refusalOfImage({ facts, options, minimumSecurityVersion }, offer, firstSector) {
    const refusal = refusalOfImage(firstSector, offer, facts.running, minimumSecurityVersion, options.policy);
    return observed(options, refusal);
  },
  installs: ({ budgets }, offer, now) => budgets.installs(offer, now),
  runs: ({ facts }, offer) => offer.version === facts.running.version && offer.size > 0,
  prepare: () => [{ type: "invalidate" }],
  open: none,
  eraseLength: (around, { size }, sector) => eraseLengthIn(around, sector, Math.ceil(size / SECTOR) - sector),
  store(sector, bytes, erase) {
    const erased = sector === 0 ? HEAD : 0;
    const offset = sector * SECTOR + erased;
    const body = bytes.subarray(erased);
    const stored: JobEffect[] = [
      { type: "write", offset, bytes: body },
      { type: "compare", offset, bytes: body, erased },
    ];
    if (erase === 0) return stored;
    return [erase === 1 ? { type: "erase", sector } : { type: "erase", sector, block: true }, ...stored];
  },
  discard: () => [{ type: "erase", sector: 0 }],
  abort: none,
});

/** Its own installer decides what it takes: versions, denylist and budgets are the firmware's alone. */
export const COMPONENT: Target = frozen<Target>({
  name: "component",
  offset: RECORDS.componentOffset,
  header: RECORDS.componentHeader,
  erased: undefined,
  heldBack: 0,
  proven: "install",
  slot: COMPONENT_SLOT,
  checkpointIn: ({ componentOffset, componentHeader }) => ({
    offset: componentOffset,
    header: componentHeader,
  }),
  refusalOfSize({ options }, { component = "" }, size) {
    const capacity = options.capacityOf?.(component);
    if (capacity === undefined) return `this device has no module ${JSON.stringify(component)}`;
    return size <= capacity ? undefined : `${size} bytes do not fit module ${component}, which takes ${capacity}`;
  },
  refusalOfVersion: nothing,
  refusalByHistory: nothing,
  refusalOfImage: nothing,
  installs: none,
  runs: () => false,
  prepare: none,
  eraseLength: () => 1,
  open: ({ component = "", version, size }, offset) => [{ type: "open-component", component, version, size, offset }],
  store(sector, bytes) {
    const offset = sector * SECTOR;
    return [
      { type: "write", offset, bytes },
      { type: "compare", offset, bytes, erased: 0 },
    ];
  },
  discard: none,
  abort: ({ component = "" }) => [{ type: "abort-component", component }],
});

/** What was found in bytes of a file; see JobOptions. */
export const observed = <T>({ observe }: JobOptions, found: T): T => (observe === undefined ? found : observe(found));

export const targetOf = ({ component }: Offer): Target => (component === undefined ? FIRMWARE : COMPONENT);

/** Reason to refuse an offer from what it says alone, before anything is asked of the network or of flash. */
export const refusalOfOffer = (around: Surroundings, offer: Offer): string | undefined => {
  const target = targetOf(offer);
  return (
    target.refusalOfSize(around, offer, offer.size) ??
    refusalOfMeans(offer, around.options.policy) ??
    target.refusalOfVersion(around, offer)
  );
};
