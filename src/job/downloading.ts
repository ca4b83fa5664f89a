/** The download as the job sees it: sectors into flash, the checkpoint behind them, and URLs that expire. */
import { RENEWAL_TIMEOUT, URL_RENEWALS } from "../constants";
import { reportVersion } from "./cloud";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { fail } from "./outcome";
import { capacityFor, open } from "./part";
import { noRoom, refusalOfImage } from "./policy";
import { Progress } from "./progress";
import { SectorStore } from "./sector-store";
import { checkRunning, runsAlready, verify } from "./verifying";

/** Begins at the checkpoint, or goes straight on where everything is stored. */
export function download(context: JobContext, now: number): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  const { offer, offset } = memory;
  // Before the first byte of the slot changes, and after every power-on: something else may have written the entry.
  const effects: JobEffect[] = offer.part === undefined ? [{ type: "invalidate" }] : [];
  if (offset > 0) effects.push({ type: "notify", notice: { event: "resume", offset } });
  context.progress = new Progress(now);
  effects.push(...context.progress.report(offer, offset, now));
  if (memory.complete) return [...effects, ...open(context), ...verify(context, now)];
  context.state = { name: "downloading" };
  return [
    ...effects,
    {
      type: "download",
      url: offer.url,
      offset,
      size: offer.size,
      validator: memory.record.validator,
      hasDigest: offer.digest !== undefined,
    },
  ];
}

/** The server told the file's length. */
export function total(context: JobContext, size: number, validator: string | undefined, now: number): JobEffect[] {
  const { memory, facts } = context;
  if (memory === undefined || context.state.name !== "downloading") return [];
  const { offer } = memory;
  const room = noRoom(size, capacityFor(context, offer), offer);
  if (room !== undefined) return fail(context, "rejected", room, {});
  const effects = memory.learn(size, validator, context.leftFor(offer));
  if (offer.size > 0) return [...effects, ...open(context)];
  if (runsAlready(memory.offer, facts)) return [{ type: "stop-download" }, ...effects, ...checkRunning(context, now)];
  // With the size the checkpoint of an earlier job of the same image is known: go on from there.
  return memory.offset > 0
    ? [{ type: "stop-download" }, ...effects, ...download(context, now)]
    : [...effects, ...open(context)];
}

export function sector(context: JobContext, offset: number, bytes: Uint8Array): JobEffect[] {
  const { memory, facts, options } = context;
  if (memory === undefined || context.state.name !== "downloading" || offset !== memory.offset) return [];
  const part = memory.offer.part !== undefined;
  if (offset === 0 && !part) {
    const refusal = refusalOfImage(bytes, memory.offer, facts.running, context.floor, options.policy);
    if (refusal !== undefined) return fail(context, "rejected", refusal, {});
  }
  context.storing = new SectorStore(offset, bytes, part);
  return context.storing.effects();
}

/** The readback of the sector on its way: the checkpoint moves only when it is equal (invariant 4). */
export function sectorCompared(context: JobContext, equal: boolean, now: number): JobEffect[] {
  const { memory, storing } = context;
  if (memory === undefined || storing === undefined) return [];
  if (!equal)
    return (
      storing.repair() ??
      fail(context, "flash", `flash at 0x${storing.address.toString(16)} does not hold what is written`, {})
    );
  context.storing = undefined;
  return [
    ...memory.advance(storing.sector, storing.head),
    ...context.progress.report(memory.offer, memory.offset, now),
  ];
}

/** 401 or 403. A newer push may have brought a fresh URL already; else one is asked for. */
export function expired(context: JobContext, why: string, now: number): JobEffect[] {
  const { memory, freshUrl } = context;
  if (memory === undefined || context.state.name !== "downloading") return [];
  if (freshUrl !== undefined && freshUrl !== memory.offer.url) return renew(context, freshUrl);
  return askForUrl(context, why, now);
}

/** A version report makes the cloud push the pending task again, with a fresh URL. */
export function askForUrl(context: JobContext, why: string, now: number): JobEffect[] {
  const { rules } = context.options.platform;
  if (!rules.renewable) return fail(context, "url-expired", why, { keepCheckpoint: true });
  if (context.renewals >= URL_RENEWALS)
    return fail(context, "url-expired", `${why}; asked for a fresh URL ${context.renewals} times`, {
      keepCheckpoint: true,
    });
  context.renewals++;
  context.state = { name: "renewing", until: now + RENEWAL_TIMEOUT, why };
  return reportVersion(context);
}

/** Goes on at the checkpoint with another URL of the same image. */
export function renew(context: JobContext, url: string): JobEffect[] {
  if (context.memory === undefined) return [];
  context.state = { name: "downloading" };
  return [...context.memory.renew(url), { type: "renew", url }];
}
