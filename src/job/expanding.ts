/**
 * A container becomes the image, sector by sector from the front of the slot, while its compressed bytes lie in the
 * tail and the running image is read. Nothing is fetched. A block is decoded without any other, so a power cut costs one
 * block at most.
 */
import { BLOCK, blocksIn } from "../container/format";
import { SECTOR, SECTOR_REPAIRS } from "../constants";
import { startsWith } from "../util/bytes";
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { fail } from "./outcome";
import { to } from "./states";
import type { Expanding, Reporting, Step, Verifying } from "./states";
import { placeOf } from "./staged";
import { eraseLengthIn } from "./target";
import { digestReadBack, verify } from "./verify";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;

const ceil = (value: number): number => Math.ceil(value / SECTOR) * SECTOR;

/** Other firmware may have been flashed since the part was chosen. */
export const baseFound = (
  context: JobContext,
  state: Expanding,
  { image }: Event<"running-image">,
): Step<Expanding | Reporting> => {
  const { job } = state;
  const { base, part, file } = job.container!;
  const right = base.length === 0 || (image?.length === base.length && startsWith(base.id, image.id));
  if (!right)
    return fail(context, job, "rejected", "the container's part is for another image than the running one", {
      discard: true,
    });
  const length = 4 * blocksIn(file.length);
  const offset = placeOf(job.container!, part.offset + part.length - length);
  return to(state, [{ type: "read", from: "target", offset, length }]);
};

/** The lengths of the compressed blocks stand at the end of the part. */
export const lengthsRead = (
  context: JobContext,
  state: Expanding,
  { bytes }: Event<"bytes">,
  now: number,
): Step<Expanding | Verifying | Reporting> => {
  const { job } = state;
  const { part, file } = job.container!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengths: number[] = [];
  let end = 0;
  let fits = true;
  for (let block = 0; block < blocksIn(file.length); block++) {
    fits &&= ceil(Math.min((block + 1) * BLOCK, file.length)) <= placeOf(job.container!, part.offset + end);
    end += lengths[block] = view.getUint32(4 * block, true);
  }
  if (!fits || end !== part.length - bytes.length)
    return fail(context, job, "rejected", "the container's part is damaged", { deny: "file", discard: true });
  return makeNext(context, { ...state, lengths, at: Math.floor(job.offset / BLOCK) * BLOCK }, now);
};

/** The next sector, or what follows when all are made. */
const makeNext = (context: JobContext, state: Expanding, now: number): Step<Expanding | Verifying | Reporting> => {
  const { job, at } = state;
  const { size } = job;
  // What a container makes always has a digest.
  if (at >= size) return verify(context, job, now) as Step<Verifying | Reporting>;
  const effects: JobEffect[] = [{ type: "expand", length: Math.min(SECTOR, size - at) }];
  if (at % BLOCK === 0)
    effects.unshift({
      type: "expand-begin",
      oldLength: job.container!.base.length,
      offset: placeOfBlock(state),
      length: state.lengths![at / BLOCK]!,
      start: at,
      size: Math.min(BLOCK, size - at),
    });
  return to(state, effects);
};

/** Of the block that is decoded, in the slot. What lies before it is needed no more. */
const placeOfBlock = ({ job, at, lengths }: Expanding): number => {
  let offset = placeOf(job.container!, job.container!.part.offset);
  for (let block = Math.floor(at / BLOCK); block > 0; block--) offset += lengths![block - 1]!;
  return offset;
};

export const expanded = (
  context: JobContext,
  state: Expanding,
  { bytes }: Event<"expanded">,
  now: number,
): Step<Expanding | Verifying | Reporting> => {
  const { job, at } = state;
  // The beginning of a block that a power cut has interrupted: these sectors are in flash.
  if (at < job.offset) return makeNext(context, { ...state, at: at + bytes.length }, now);
  const sector = at / SECTOR;
  const left = Math.ceil(job.size / SECTOR) - sector;
  const erase = sector < job.erasedTo ? 0 : eraseLengthIn(context, sector, left, placeOfBlock(state));
  job.erasedTo = Math.max(job.erasedTo, sector + erase);
  return to({ ...state, bytes, repairs: 0 }, job.target.store(sector, bytes, erase));
};

/** The readback of a sector. */
export const sectorExpanded = (
  context: JobContext,
  state: Expanding,
  { equal }: Event<"compared">,
  now: number,
): Step<Expanding | Reporting> => {
  const { job, progress, at, bytes, repairs } = state;
  if (bytes === undefined) return to(state, []);
  if (!equal && repairs < SECTOR_REPAIRS)
    return to({ ...state, repairs: repairs + 1 }, job.target.store(at / SECTOR, bytes, 1));
  if (!equal)
    return fail(context, job, "flash", `flash at 0x${at.toString(16)} does not hold what is written`, {
      discard: true,
    });
  digestReadBack(context, job, at, bytes);
  const effects = job.advance(bytes).concat(progress.report(job, now), { type: "yield" });
  return to({ ...state, bytes: undefined, at: at + bytes.length }, effects);
};

/** Sockets and the watchdog were served. */
export const expandOn = (
  context: JobContext,
  state: Expanding,
  _event: unknown,
  now: number,
): Step<Expanding | Verifying | Reporting> =>
  state.lengths === undefined || state.bytes !== undefined ? to(state, []) : makeNext(context, state, now);
