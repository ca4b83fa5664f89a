/**
 * What differs where the job is for a module: an installer takes the bytes in place of a slot, the digest of what it reads back is
 * followed by its `finish` in place of a boot, and nothing restarts.
 */
import { INSTALL_TIMEOUT } from "../constants";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { conclude, fail } from "./outcome";
import type { Offer } from "./types";

/** Bytes there is room for; undefined: nobody takes this module. */
export function capacityFor(context: JobContext, offer: Offer): number | undefined {
  const { options, facts } = context;
  return offer.part === undefined ? facts.slotSize : options.capacityOf?.(offer.part);
}

/** Tells the installer where writing goes on. Nothing for the firmware. */
export function open(context: JobContext): JobEffect[] {
  const { memory } = context;
  if (memory?.offer.part === undefined) return [];
  const { part, version, size } = memory.offer;
  return [{ type: "open-part", part, version, size, offset: memory.offset }];
}

/** All is stored and proven. Done once more after a cut in here. */
export function install(context: JobContext, now: number): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  context.state = { name: "installing", until: now + INSTALL_TIMEOUT };
  return [
    { type: "notify", notice: { event: "state", state: "installing" } },
    { type: "ask", question: "install", task: memory.offer },
  ];
}

/** The installer's answer. */
export function installed(context: JobContext, ok: boolean, message: string): JobEffect[] {
  if (context.state.name !== "installing") return [];
  return ok
    ? conclude(context, { kind: "done" })
    : fail(context, "rejected", `module ${context.memory?.offer.part}: ${message}`, {});
}
