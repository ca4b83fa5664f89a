/** Offers: the table of design section 2.2, from the push to the beginning of a job. */
import type { JobContext } from "./context";
import { download, renew } from "./downloading";
import type { JobEffect } from "./effects";
import { JobMemory } from "./memory";
import { failure, refuse } from "./outcome";
import { capacityFor } from "./part";
import { refusalOfOffer, sameImage } from "./policy";
import { PART } from "./record";
import type { Offer } from "./types";
import { checkRunning, runsAlready } from "./verifying";

export function offered(context: JobContext, offer: Offer, now: number): JobEffect[] {
  const { state, memory } = context;
  if (memory !== undefined && sameImage(memory.offer, offer))
    return [...context.owed.settled(offer), ...pushedAgain(context, memory, offer, now)];
  // The running firmware has to prove itself first, an outcome that waits is owed to the cloud, an installer is not interrupted.
  if (state.name === "trial" || state.name === "reporting" || state.name === "installing")
    return keep(context, offer, now);
  if (state.name === "consent" && sameImage(state.offer, offer)) {
    context.state = { name: "consent", offer };
    return [];
  }
  const refusal = refusalOf(context, offer, now);
  if (refusal !== undefined) return answerNo(context, offer, refusal, now);
  // A newer image supersedes an older one of the same module. Different modules have nothing against each other: one after the other.
  const inHand = memory?.offer ?? (state.name === "consent" ? state.offer : undefined);
  if (inHand !== undefined && inHand.part !== offer.part) return keep(context, offer, now);
  context.state = { name: "consent", offer };
  return [
    ...context.owed.waits(offer, now),
    ...supersede(context),
    { type: "notify", notice: { event: "offer", version: offer.version, size: offer.size } },
    { type: "ask", question: "consent", task: offer },
  ];
}

/** Its turn comes later. The latest counts; but a stale or a bad one does not push out one that would be taken. */
function keep(context: JobContext, offer: Offer, now: number): JobEffect[] {
  const refusal =
    context.kept === undefined || refusalOf(context, context.kept, now) !== undefined
      ? undefined
      : refusalOf(context, offer, now);
  if (refusal !== undefined) return answerNo(context, offer, refusal, now);
  context.kept = offer;
  return context.owed.waits(offer, now);
}

function refusalOf(context: JobContext, offer: Offer, now: number): string | undefined {
  const { facts, options, budgets } = context;
  return (
    refusalOfOffer(offer, facts.running, capacityFor(context, offer), options.policy) ??
    refusalOfBlamed(context, offer) ??
    (runsAlready(offer, facts) ? undefined : budgets.refusalOf(offer, facts.running.version, now))
  );
}

function answerNo(context: JobContext, offer: Offer, refusal: string, now: number): JobEffect[] {
  return [...context.owed.settled(offer), ...refuse(context, offer, failure("rejected", refusal), now)];
}

/** Only firmware is remembered: what a module does with its bytes is not ours to judge. */
function refusalOfBlamed(context: JobContext, offer: Offer): string | undefined {
  const blamed = offer.part === undefined ? context.refused.causeOf(offer.digest) : undefined;
  return blamed === undefined
    ? undefined
    : `this image was ${blamed === "rolled-back" ? "rolled back" : "refused"} before; it is not tried again`;
}

/** Another image is pushed while one is in hand: the old one goes without a word. */
function supersede(context: JobContext): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  context.letGo(true);
  context.storing = undefined;
  return [{ type: "stop-download" }, ...memory.forget(true)];
}

/** The application's answer. */
export function consented(context: JobContext, decision: "accept" | "reject", now: number): JobEffect[] {
  if (context.state.name !== "consent") return [];
  const { offer } = context.state;
  context.state = { name: "idle" };
  if (decision === "accept") return begin(context, offer, now);
  return [
    ...context.owed.settled(offer),
    ...refuse(context, offer, failure("rejected", "declined by the application"), now),
  ];
}

function begin(context: JobContext, offer: Offer, now: number): JobEffect[] {
  const { facts, options } = context;
  const slot = offer.part === undefined ? facts.target : PART;
  const { memory, effects } = JobMemory.begin({ platform: options.platform.name, slot, offer }, context.leftFor(offer));
  effects.push(...context.owed.settled(offer));
  context.memory = memory;
  context.freshUrl = offer.url;
  context.renewals = 0;
  if (runsAlready(offer, facts)) return [...effects, ...checkRunning(context, now)];
  return [...effects, ...download(context, now)];
}

/** The same image again: take the URL, otherwise nothing new. */
function pushedAgain(context: JobContext, memory: JobMemory, offer: Offer, now: number): JobEffect[] {
  context.freshUrl = offer.url;
  if (context.state.name === "renewing") return renew(context, offer.url);
  if (context.state.name !== "waiting") return [];
  const url = offer.url === memory.offer.url ? [] : memory.renew(offer.url);
  return [
    { type: "notify", notice: { event: "offer", version: offer.version, size: memory.offer.size } },
    ...url,
    ...download(context, now),
  ];
}
