/** Offers: the table of design section 2.2, from the push to the beginning of a job. */
import type { JobContext } from "./context";
import { download, renew } from "./downloading";
import type { JobEffect } from "./effects";
import { JobMemory } from "./memory";
import { failure, refuse } from "./outcome";
import { refusalOfOffer, sameImage } from "./policy";
import type { Offer } from "./types";
import { checkRunning } from "./verifying";

export function offered(context: JobContext, offer: Offer, now: number): JobEffect[] {
  const { state, memory, facts, options } = context;
  if (memory !== undefined && sameImage(memory.offer, offer)) return pushedAgain(context, memory, offer, now);
  // The running firmware has to prove itself first, and an outcome that waits is owed to the cloud: latest offer kept.
  if (state.name === "trial" || state.name === "reporting") {
    context.kept = offer;
    return [];
  }
  if (state.name === "consent" && sameImage(state.offer, offer)) {
    context.state = { name: "consent", offer };
    return [];
  }
  const refusal = refusalOfOffer(offer, facts.running, facts.slotSize, options.policy);
  if (refusal !== undefined) return refuse(offer, failure("rejected", refusal));
  const blamed = context.refused.causeOf(offer.digest);
  if (blamed !== undefined) return refuse(offer, failure("rejected", `this image was ${blamed === "rolled-back" ? "rolled back" : "refused"} before; it is not tried again`));
  context.state = { name: "consent", offer };
  return [
    ...supersede(context),
    { type: "notify", notice: { event: "offer", version: offer.version, size: offer.size } },
    { type: "ask", question: "consent", task: offer },
  ];
}

/** Another image is pushed while one is in hand: the old one goes without a word. */
function supersede(context: JobContext): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  context.left = memory.checkpoint;
  context.memory = undefined;
  context.storing = undefined;
  return [{ type: "stop-download" }, ...memory.forget(true)];
}

/** The application's answer. */
export function consented(context: JobContext, decision: "accept" | "reject", now: number): JobEffect[] {
  if (context.state.name !== "consent") return [];
  const { offer } = context.state;
  context.state = { name: "idle" };
  return decision === "accept" ? begin(context, offer, now) : refuse(offer, failure("rejected", "declined by the application"));
}

function begin(context: JobContext, offer: Offer, now: number): JobEffect[] {
  const { facts, options } = context;
  const { memory, effects } = JobMemory.begin({ platform: options.platform.name, slot: facts.target, offer }, context.left);
  context.memory = memory;
  context.freshUrl = offer.url;
  context.renewals = 0;
  context.mixed = false;
  if (offer.version === facts.running.version && offer.size > 0) return [...effects, ...checkRunning(context)];
  return [...effects, ...download(context, now)];
}

/** The same image again: take the URL, otherwise nothing new. */
function pushedAgain(context: JobContext, memory: JobMemory, offer: Offer, now: number): JobEffect[] {
  context.freshUrl = offer.url;
  if (context.state.name === "renewing") return renew(context, offer.url);
  if (context.state.name !== "waiting") return [];
  const url = offer.url === memory.offer.url ? [] : memory.renew(offer.url);
  return [{ type: "notify", notice: { event: "offer", version: offer.version, size: memory.offer.size } }, ...url, ...download(context, now)];
}
