/** The running image is known: the part of the container that it needs is chosen, and staged in the tail of the slot. */
import { partsFor } from "../container/format";
import { startsWith } from "../util/bytes";
import { refuseContainer } from "./alternative";
import type { JobContext } from "./context";
import { startDownload, store } from "./download";
import type { JobEffect, JobEvent } from "./effects";
import { conclude, fail } from "./outcome";
import { refusalOfOther } from "./policy";
import { before, to } from "./states";
import type { Choosing, Downloading, Idle, Reporting, Step, Storing } from "./states";
import { namesOf, refusalByNames, stagedIn } from "./staged";
import type { Staged } from "./staged-codec";
import { FIRMWARE } from "./target";

const STOP: JobEffect = Object.freeze({ type: "stop-download" });

export const chosen = (
  context: JobContext,
  { job, progress, container, bytes }: Choosing,
  { image }: Extract<JobEvent, { type: "running-image" }>,
  now: number,
): Step<Downloading | Storing | Idle | Reporting> => {
  const { facts, options } = context;
  const { version } = facts.running;
  if (image !== undefined && startsWith(container.image, image.id))
    return before([STOP], conclude(job, { kind: "done" }));
  if (container.version === version) return fail(context, job, "rejected", refusalOfOther(version), {});
  const names = namesOf(job.offer, container.file);
  const history = refusalByNames(context, names, now);
  if (history !== undefined) return fail(context, job, "rejected", history, {});
  const parts = partsFor(container, image);
  const all = options.refusalOfSignature === undefined;
  const staged = parts.map((part) => stagedIn(container, part, facts.slotSize, all)).find((one) => one !== undefined);
  if (staged === undefined) {
    const why =
      parts.length === 0
        ? `the container has no part for ${version} and no compressed image`
        : `the container and the image of ${container.file.length} bytes do not fit the slot of ${facts.slotSize}`;
    return refuseContainer(context, job, "rejected", why);
  }
  const effects = job.stage(staged).concat(FIRMWARE.installs(context, names[0], now), job.eraseFront());
  if (!isWhole(staged, container.length)) return before([STOP, ...effects], startDownload(job, now));
  const storing: Storing = { name: "storing", job, progress, bytes, repairs: 0 };
  return to(storing, effects.concat(store(context, job, bytes)));
};

const isWhole = ({ from, length }: Staged, container: number): boolean => from === 0 && length === container;
