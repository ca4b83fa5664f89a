/** Digest passes over flash: of the downloaded file, and of the running image when its own version is offered. */
import type { JobContext } from "./context";
import type { BootFacts, JobEffect } from "./effects";
import { HashPass } from "./hash-pass";
import { conclude, fail } from "./outcome";
import { Progress } from "./progress";
import { refusalOfImage } from "./policy";
import { activate, digestMatched } from "./sealing";
import type { Offer } from "./types";

/**
 * Everything is in flash: is it what was offered, and by whom was it made? `trials`: the image was proven before and its trial is
 * to be repeated after this many. What the store says of the past is not believed there either: who can write to the store must not
 * be able to start what nobody has signed.
 */
export function verify(context: JobContext, now: number, trials?: number): JobEffect[] {
  const { memory, options } = context;
  if (memory === undefined) return [];
  const { offer, head } = memory;
  const signed = options.refusalOfSignature === undefined ? undefined : options.digest("SHA256");
  if (offer.digest === undefined && signed === undefined) return proven(context, trials, now);
  if (head === undefined && trials === undefined) return fail(context, "flash", "the head of the image is lost", {});
  const digests = { whole: offer.digest === undefined ? undefined : options.digest(offer.digest.algorithm), signed };
  // For another trial the head is in flash, where it has to be right.
  const pass =
    offer.part === undefined
      ? new HashPass("target", offer.size, digests, trials === undefined ? head : undefined)
      : new HashPass("part", offer.size, digests);
  context.state = { name: "verifying", pass, trials };
  return [{ type: "notify", notice: { event: "state", state: "verifying" } }, ...readOn(context, now)];
}

function proven(context: JobContext, trials: number | undefined, now: number): JobEffect[] {
  return trials === undefined ? digestMatched(context, now) : activate(context, trials, now);
}

/** The offered version runs, and enough is known of the offer to compare the images. */
export const runsAlready = (offer: Offer, { running }: BootFacts): boolean =>
  offer.part === undefined && offer.version === running.version && offer.size > 0;

/** The offered version runs: with the same digest there is nothing to do, with another the offer is a mistake. */
export function checkRunning(context: JobContext, now: number): JobEffect[] {
  const { memory, options } = context;
  if (memory === undefined) return [];
  const { offer } = memory;
  if (offer.digest === undefined)
    return fail(
      context,
      "rejected",
      `version ${offer.version} runs already, and without a digest it can not be told from another image`,
      {},
    );
  context.state = {
    name: "checking",
    pass: new HashPass("running", offer.size, { whole: options.digest(offer.digest.algorithm) }),
  };
  return readOn(context, now);
}

export function hashBytes(context: JobContext, bytes: Uint8Array, now: number): JobEffect[] {
  const { state } = context;
  if (state.name !== "verifying" && state.name !== "checking") return [];
  state.pass.take(bytes);
  return readOn(context, now);
}

/** The next read of the pass, or what its end means. */
export function readOn(context: JobContext, now: number): JobEffect[] {
  const { state, memory } = context;
  if ((state.name !== "verifying" && state.name !== "checking") || memory === undefined) return [];
  const next = state.pass.next();
  if (next.length > 0) return next;
  const { version, digest, part } = memory.offer;
  const { whole, signed, trailer, first } = state.pass.close();
  const same = digest === undefined || whole === digest.hex;
  if (state.name === "checking") {
    if (same) return conclude(context, { kind: "done" });
    return fail(context, "rejected", `version ${version} runs already, with another digest; offer a new version`, {});
  }
  if (!same) {
    const why = `${digest.algorithm} of what is in flash is ${whole}`;
    return (
      downloadOnceMore(context, why, now) ?? fail(context, "digest-mismatch", why, { eraseHead: part === undefined })
    );
  }
  // Before the head is programmed: what nobody trusted has signed never becomes bootable.
  const unsigned = signed === undefined ? undefined : context.options.refusalOfSignature?.(signed, trailer);
  if (unsigned !== undefined) {
    // Without a digest the signature is what tells that the bytes are right.
    const again = digest === undefined ? downloadOnceMore(context, unsigned, now) : undefined;
    return again ?? fail(context, "signature", unsigned, { blame: true, eraseHead: part === undefined });
  }
  // Once more, of what is in flash and with what runs now: the first sector may be from before the last restart.
  const refusal =
    part === undefined
      ? refusalOfImage(first, memory.offer, context.facts.running, context.floor, context.options.policy)
      : undefined;
  if (refusal !== undefined) return fail(context, "rejected", refusal, { eraseHead: true });
  return proven(context, state.trials, now);
}

/**
 * What is in flash is not what was offered although the length is right: bytes were lost or mixed on the way (docs/MODDABLE.md, "The SDK's TCP
 * loses bytes"), or the offer is wrong. One more download tells. Undefined: this job has had it.
 */
function downloadOnceMore(context: JobContext, why: string, now: number): JobEffect[] | undefined {
  const { memory } = context;
  if (memory === undefined || memory.state.refetched) return undefined;
  const { url, size, digest, part } = memory.offer;
  context.state = { name: "downloading" };
  context.progress = new Progress(now);
  return [
    { type: "notify", notice: { event: "warning", message: `${why}; it is downloaded once more` } },
    ...(part === undefined ? ([{ type: "invalidate" }] as const) : []),
    ...memory.enter({ phase: "downloading", refetched: true }),
    ...memory.dropCheckpoint(),
    // The head may be in flash from before a cut, or from an earlier job of the image.
    ...(part === undefined ? ([{ type: "erase", sector: 0 }] as const) : []),
    ...context.progress.report(memory.offer, 0, now),
    { type: "download", url, offset: 0, size, validator: undefined, hasDigest: digest !== undefined },
  ];
}
