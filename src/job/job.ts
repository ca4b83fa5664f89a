/**
 * The update job: from an offer to its one terminal outcome. Events in, effects out; the driver (agent/) does what they say.
 * Everything that decides about an update is in this folder, and this file is its one switch:
 *
 *   idle -> [consent] -> [checking] -> downloading -> verifying -> sealing -> burning -> restart -> (reboot)
 *   (boot of the new firmware) trial -> reporting -> idle          any failure -> reporting -> idle
 *
 * Order inside a list of effects matters: the record of a step stands before the step that needs it (`tests/powercut`).
 */
import type { Digest, DigestAlgorithm } from "../../hal/ports";
import { BURNING_ACK, HEAD, MESSAGE_MAX, RENEWAL_TIMEOUT, SECTOR_REPAIRS, URL_RENEWALS } from "../constants";
import type { PlatformRules } from "../platforms/platform";
import { truncateUtf8 } from "../util/utf8";
import { judgeBoot } from "./boot-judgement";
import type { BootFacts, JobEffect, JobEvent, Token } from "./effects";
import { HashPass } from "./hash-pass";
import { JobMemory } from "./memory";
import { refusalOfImage, refusalOfOffer, sameImage } from "./policy";
import type { Policy } from "./policy";
import { Progress } from "./progress";
import { KEY_REFUSED, RefusedImages } from "./refused";
import { SectorStore } from "./sector-store";
import type { Cause, Offer, Outcome, Task } from "./types";

type State =
  | { readonly name: "off" }
  | { readonly name: "idle" }
  /** The application was asked; nothing is stored or erased before it agrees. */
  | { readonly name: "consent"; readonly offer: Offer }
  /** The offered version already runs: is it the same image? */
  | { readonly name: "checking"; readonly pass: HashPass }
  /** Found at power-on: a fresh push is better than the stored URL, but not waited for for ever. */
  | { readonly name: "waiting"; readonly until: number }
  | { readonly name: "downloading" }
  | { readonly name: "renewing"; readonly until: number; readonly why: string }
  | { readonly name: "verifying"; readonly pass: HashPass }
  | { readonly name: "sealing"; readonly repairs: number }
  | { readonly name: "burning"; readonly until: number }
  | { readonly name: "restart" }
  /** The chip is about to restart: nothing counts any more. */
  | { readonly name: "leaving" }
  | { readonly name: "trial"; readonly until: number; readonly asked: boolean; readonly ofJob: boolean }
  | { readonly name: "reporting" };

export interface JobOptions {
  readonly platform: { readonly name: string; readonly rules: PlatformRules };
  readonly policy: Policy;
  digest(algorithm: DigestAlgorithm): Digest;
}

/** What a failed job leaves behind. */
interface Aftermath {
  /** Never try this image again. */
  readonly blame?: boolean;
  /** What is in flash counts for the next job of the same image. */
  readonly keepCheckpoint?: boolean;
  /** The slot must not stay bootable. */
  readonly eraseHead?: boolean;
}

export class UpdateJob {
  readonly #options: JobOptions;
  #state: State = { name: "off" };
  #facts: BootFacts | undefined;
  #refused = new RefusedImages(undefined);
  #memory: JobMemory | undefined;
  /** Checkpoint in the store that no job owns: one of the same image adopts it. */
  #left: { offset: number | undefined; head: Uint8Array | undefined } = { offset: undefined, head: undefined };
  /** Latest offer that came while it could not be taken. */
  #kept: Offer | undefined;
  /** The URL of the latest push; the stored one may be older. */
  #freshUrl: string | undefined;
  #renewals = 0;
  /** The file changed while it was downloaded, so a wrong digest deserves one clean try. */
  #mixed = false;
  #storing: SectorStore | undefined;
  #progress = new Progress(0);
  #keepCheckpoint = false;
  #linkUp = false;
  #versionReported = false;

  constructor(options: JobOptions) {
    this.#options = options;
  }

  /** Name of the state, for people. */
  get state(): string {
    return this.#state.name;
  }
  /** The job in hand, if any. */
  get task(): Task | undefined {
    return this.#memory?.offer;
  }

  #downloading(): boolean {
    return this.#state.name === "downloading" || this.#state.name === "renewing";
  }

  /** When `tick` is wanted next. */
  deadline(): number | undefined {
    const state = this.#state;
    return "until" in state ? state.until : undefined;
  }

  handle(event: JobEvent, now: number): JobEffect[] {
    if (this.#state.name === "leaving" && event.type !== "effect-failed") return [];
    switch (event.type) {
      case "boot":
        return this.#boot(event.facts, now);
      case "offer":
        return this.#offer(event.offer, now);
      case "refused":
        return [{ type: "report", token: "refused", report: { kind: "outcome", task: event.task, outcome: event.outcome } }, ...noticeOf(event.task, event.outcome)];
      case "link":
        return this.#link(event.up);
      case "acked":
        return this.#acked(event.token, now);
      case "total":
        return this.#total(event.size, event.validator, now);
      case "sector":
        return this.#sector(event.offset, event.bytes);
      case "compared":
        return this.#compared(event.equal, now);
      case "start-over":
        return this.#memory === undefined ? [] : [...this.#memory.dropCheckpoint(), { type: "notify", notice: { event: "warning", message: event.reason } }];
      case "changed":
        this.#mixed = true;
        return [];
      case "finished":
        return this.#state.name === "downloading" ? this.#verify() : [];
      case "expired":
        return this.#expired(event.message, now);
      case "download-failed":
        return this.#downloading() ? this.#fail(event.cause, event.message, { keepCheckpoint: event.cause !== "rejected" }) : [];
      case "bytes":
        return this.#bytes(event.bytes);
      case "turn":
        return this.#hashOn();
      case "verified":
        return this.#verified(event.length, now);
      case "effect-failed":
        return this.#effectFailed(event.effect, event.message);
      case "consent":
        return this.#consent(event.decision, now);
      case "restart":
        return this.#state.name === "restart" ? this.#activate(this.#memory?.state.trials ?? 0) : [];
      case "health":
        return this.#health(event.ok, event.message);
      case "tick":
        return this.#tick(now);
    }
  }

  /* ---- power-on ---- */

  #boot(facts: BootFacts, now: number): JobEffect[] {
    this.#facts = facts;
    this.#refused = new RefusedImages(facts.stored.refused);
    this.#left = { offset: facts.stored.offset, head: facts.stored.head };
    const memory = JobMemory.restore(facts.stored);
    this.#memory = memory;
    const verdict = judgeBoot(memory, facts, this.#options.platform.name, this.#options.policy.maxAttempts);
    this.#state = { name: "idle" };
    if (verdict.kind === "trial") return this.#startTrial(verdict.ofJob, now);
    if (memory === undefined || verdict.kind === "idle") return [];
    const wasTried: JobEffect[] =
      memory.state.phase === "trial" && memory.record.slot === facts.target ? [{ type: "notify", notice: { event: "rollback", version: memory.offer.version } }] : [];
    switch (verdict.kind) {
      case "drop":
        this.#memory = undefined;
        return [...memory.forget(false), { type: "notify", notice: { event: "warning", message: `stored job dropped: ${verdict.why}` } }];
      case "report":
        return [...(verdict.outcome.kind === "fail" ? wasTried : []), ...this.#report(verdict.outcome)];
      case "rolled-back":
        return [...wasTried, ...this.#fail("rolled-back", verdict.message, { blame: verdict.blame, keepCheckpoint: !verdict.blame })];
      case "try-again":
        return this.#activate(verdict.trials);
      case "seal":
        return this.#seal(0);
      case "resume":
        if (memory.complete) return this.#verify();
        this.#state = { name: "waiting", until: now + this.#options.platform.rules.resumeDelay };
        return [];
    }
  }

  /* ---- offers: the table of design section 2.2 ---- */

  #offer(offer: Offer, now: number): JobEffect[] {
    const facts = this.#facts;
    if (facts === undefined) return [];
    const memory = this.#memory;
    if (memory !== undefined && sameImage(memory.offer, offer)) return this.#pushedAgain(memory, offer, now);
    // The running firmware has to prove itself first, and an outcome that waits is owed to the cloud: latest offer kept.
    if (this.#state.name === "trial" || this.#state.name === "reporting") {
      this.#kept = offer;
      return [];
    }
    if (this.#state.name === "consent" && sameImage(this.#state.offer, offer)) {
      this.#state = { name: "consent", offer };
      return [];
    }
    const refusal = refusalOfOffer(offer, facts.running, facts.slotSize, this.#options.policy);
    if (refusal !== undefined) return this.#refuse(offer, refusal);
    const blamed = this.#refused.causeOf(offer.digest);
    if (blamed !== undefined) return this.#refuse(offer, `this image was ${blamed === "rolled-back" ? "rolled back" : "refused"} before; it is not tried again`);
    const notice: JobEffect = { type: "notify", notice: { event: "offer", version: offer.version, size: offer.size } };
    this.#state = { name: "consent", offer };
    return [...this.#supersede(), notice, { type: "ask", question: "consent", task: offer }];
  }

  /** Another image is pushed while one is in hand: the old one goes without a word. */
  #supersede(): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    this.#left = memory.checkpoint;
    this.#memory = undefined;
    this.#storing = undefined;
    return [{ type: "stop-download" }, ...memory.forget(true)];
  }

  #refuse(offer: Offer, message: string): JobEffect[] {
    const outcome: Outcome = { kind: "fail", cause: "rejected", message: truncateUtf8(message, MESSAGE_MAX) };
    return [{ type: "report", token: "refused", report: { kind: "outcome", task: offer, outcome } }, ...noticeOf(offer, outcome)];
  }

  #consent(decision: "accept" | "reject", now: number): JobEffect[] {
    if (this.#state.name !== "consent") return [];
    const { offer } = this.#state;
    this.#state = { name: "idle" };
    return decision === "accept" ? this.#begin(offer, now) : this.#refuse(offer, "declined by the application");
  }

  #begin(offer: Offer, now: number): JobEffect[] {
    const facts = this.#facts;
    if (facts === undefined) return [];
    const { memory, effects } = JobMemory.begin({ platform: this.#options.platform.name, slot: facts.target, offer }, this.#left);
    this.#memory = memory;
    this.#freshUrl = offer.url;
    this.#renewals = 0;
    this.#mixed = false;
    if (offer.version === facts.running.version && offer.size > 0) return [...effects, ...this.#checkRunning(memory)];
    return [...effects, ...this.#download(now)];
  }

  /** The same image again: take the URL, otherwise nothing new. */
  #pushedAgain(memory: JobMemory, offer: Offer, now: number): JobEffect[] {
    this.#freshUrl = offer.url;
    if (this.#state.name === "waiting") {
      const url = offer.url === memory.offer.url ? [] : memory.renew(offer.url);
      return [{ type: "notify", notice: { event: "offer", version: offer.version, size: memory.offer.size } }, ...url, ...this.#download(now)];
    }
    if (this.#state.name !== "renewing") return [];
    this.#state = { name: "downloading" };
    return [...memory.renew(offer.url), { type: "renew", url: offer.url }];
  }

  /* ---- the offered version runs already ---- */

  #checkRunning(memory: JobMemory): JobEffect[] {
    const { offer } = memory;
    if (offer.digest === undefined) return this.#fail("rejected", `version ${offer.version} runs already, and without a digest it can not be told from another image`, {});
    this.#state = { name: "checking", pass: new HashPass("running", offer.size, this.#options.digest(offer.digest.algorithm)) };
    return this.#hashOn();
  }

  /* ---- download ---- */

  #download(now: number): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    const { offer, offset } = memory;
    const resume: JobEffect[] = offset > 0 ? [{ type: "notify", notice: { event: "resume", offset } }] : [];
    // Before the first byte of the slot changes, and after every power-on: something else may have written the entry.
    const effects: JobEffect[] = [{ type: "invalidate" }, ...resume];
    this.#progress = new Progress(now);
    effects.push(...this.#progressReport(now));
    if (memory.complete) return [...effects, ...this.#verify()];
    this.#state = { name: "downloading" };
    return [...effects, { type: "download", url: offer.url, offset, size: offer.size, validator: memory.record.validator, hasDigest: offer.digest !== undefined }];
  }

  #total(size: number, validator: string | undefined, now: number): JobEffect[] {
    const { memory, facts } = { memory: this.#memory, facts: this.#facts };
    if (memory === undefined || facts === undefined || this.#state.name !== "downloading") return [];
    if (size > facts.slotSize) return this.#fail("rejected", `image of ${size} bytes does not fit the slot of ${facts.slotSize}`, {});
    const known = memory.offer.size > 0;
    const effects = memory.learn(size, validator, this.#left);
    if (known) return effects;
    if (memory.offer.version === facts.running.version) return [{ type: "stop-download" }, ...effects, ...this.#checkRunning(memory)];
    // With the size the checkpoint of an earlier job of the same image is known: go on from there.
    return memory.offset > 0 ? [{ type: "stop-download" }, ...effects, ...this.#download(now)] : effects;
  }

  #sector(offset: number, bytes: Uint8Array): JobEffect[] {
    const { memory, facts } = { memory: this.#memory, facts: this.#facts };
    if (memory === undefined || facts === undefined || this.#state.name !== "downloading" || offset !== memory.offset) return [];
    if (offset === 0) {
      const refusal = refusalOfImage(bytes, memory.offer, facts.running, this.#options.policy);
      if (refusal !== undefined) return this.#fail("rejected", refusal, {});
    }
    this.#storing = new SectorStore(offset, bytes);
    return this.#storing.effects();
  }

  #compared(equal: boolean, now: number): JobEffect[] {
    if (this.#state.name === "sealing") return this.#headCompared(equal);
    const { memory, storing } = { memory: this.#memory, storing: this.#storing };
    if (memory === undefined || storing === undefined) return [];
    if (!equal) return storing.repair() ?? this.#fail("flash", `flash at 0x${storing.address.toString(16)} does not hold what is written`, {});
    this.#storing = undefined;
    this.#renewals = 0;
    return [...memory.advance(storing.sector, storing.head), ...this.#progressReport(now)];
  }

  #progressReport(now: number): JobEffect[] {
    const memory = this.#memory;
    const percent = memory === undefined ? undefined : this.#progress.due(memory.offset, memory.offer.size, now);
    if (memory === undefined || percent === undefined) return [];
    const task = memory.offer;
    return [
      { type: "report", report: { kind: "progress", task, percent } },
      { type: "notify", notice: { event: "state", state: "downloading", percent } },
    ];
  }

  /* ---- expired URL ---- */

  #expired(message: string, now: number): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined || this.#state.name !== "downloading") return [];
    if (this.#freshUrl !== undefined && this.#freshUrl !== memory.offer.url) return [...memory.renew(this.#freshUrl), { type: "renew", url: this.#freshUrl }];
    return this.#askForUrl(message, now);
  }

  #askForUrl(why: string, now: number): JobEffect[] {
    if (!this.#options.platform.rules.renewable) return this.#fail("url-expired", why, { keepCheckpoint: true });
    if (this.#renewals >= URL_RENEWALS) return this.#fail("url-expired", `${why}; asked for a fresh URL ${this.#renewals} times`, { keepCheckpoint: true });
    this.#renewals++;
    this.#state = { name: "renewing", until: now + RENEWAL_TIMEOUT, why };
    return this.#reportVersion();
  }

  /* ---- digest of what is in flash ---- */

  #verify(): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    const { offer, head } = memory;
    if (offer.digest === undefined) return this.#digestMatched();
    if (head === undefined) return this.#fail("flash", "the head of the image is lost", {});
    this.#state = { name: "verifying", pass: new HashPass("target", offer.size, this.#options.digest(offer.digest.algorithm), head) };
    return [{ type: "notify", notice: { event: "state", state: "verifying" } }, ...this.#hashOn()];
  }

  #bytes(bytes: Uint8Array): JobEffect[] {
    const state = this.#state;
    if (state.name !== "verifying" && state.name !== "checking") return [];
    state.pass.take(bytes);
    return this.#hashOn();
  }

  #hashOn(): JobEffect[] {
    const state = this.#state;
    const memory = this.#memory;
    if ((state.name !== "verifying" && state.name !== "checking") || memory === undefined) return [];
    const next = state.pass.next();
    if (next.length > 0) return next;
    const hex = state.pass.close();
    const same = hex === memory.offer.digest?.hex;
    if (state.name === "checking") {
      if (same) return this.#conclude({ kind: "done" });
      return this.#fail("rejected", `version ${memory.offer.version} runs already, with another digest; offer a new version`, {});
    }
    if (same) return this.#digestMatched();
    if (!this.#mixed) return this.#fail("digest-mismatch", `${memory.offer.digest?.algorithm} of what is in flash is ${hex}`, {});
    // The server's file changed on the way and the parts do not fit: one clean try.
    this.#mixed = false;
    this.#state = { name: "downloading" };
    const { url, size } = memory.offer;
    return [...memory.dropCheckpoint(), { type: "download", url, offset: 0, size, validator: undefined, hasDigest: true }];
  }

  /* ---- seal: head, image check, boot choice ---- */

  #digestMatched(): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    return [...memory.enter({ phase: "sealing" }), ...this.#seal(0)];
  }

  /** Programs the head: always, also where it reads right after a cut, since a torn program may read right by chance. */
  #seal(repairs: number): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    const { head, offer } = memory;
    if (head === undefined) return this.#fail("flash", "the head of the image is lost", {});
    const burning: JobEffect[] =
      repairs > 0
        ? []
        : [
            { type: "report", token: "burning", report: { kind: "burning", task: offer } },
            { type: "notify", notice: { event: "state", state: "burning" } },
          ];
    this.#state = { name: "sealing", repairs };
    return [...burning, { type: "write", offset: 0, bytes: head }, { type: "compare", offset: 0, bytes: head, erased: 0 }];
  }

  #headCompared(equal: boolean): JobEffect[] {
    if (this.#state.name !== "sealing") return [];
    if (equal) return [{ type: "verify" }];
    const repairs = this.#state.repairs + 1;
    return repairs <= SECTOR_REPAIRS ? this.#seal(repairs) : this.#fail("flash", `flash at 0x0 does not hold the first ${HEAD} bytes`, { eraseHead: true });
  }

  #verified(length: number, now: number): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined || this.#state.name !== "sealing") return [];
    if (length > memory.offer.size) return this.#fail("rejected", `image of ${length} bytes is longer than the file of ${memory.offer.size}`, { blame: true, eraseHead: true });
    this.#state = { name: "burning", until: now + BURNING_ACK };
    return [];
  }

  #askRestart(): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    this.#state = { name: "restart" };
    return [{ type: "ask", question: "restart", task: memory.offer }];
  }

  #activate(trials: number): JobEffect[] {
    const { memory, facts } = { memory: this.#memory, facts: this.#facts };
    if (memory === undefined || facts === undefined) return [];
    this.#state = { name: "leaving" };
    return [
      ...memory.enter({ phase: "trial", trials, activations: memory.state.activations + 1 }),
      { type: "activate" },
      { type: "notify", notice: { event: "reboot", slot: facts.target } },
      { type: "reboot", slot: facts.target },
    ];
  }

  /* ---- trial of new firmware ---- */

  #startTrial(ofJob: boolean, now: number): JobEffect[] {
    this.#state = { name: "trial", until: now + this.#options.policy.trialSeconds * 1000, asked: false, ofJob };
    if (!ofJob) this.#memory = undefined;
    return [{ type: "notify", notice: { event: "state", state: "trial" } }];
  }

  /** The cloud is reached: now the application's own health check. */
  #reached(): JobEffect[] {
    const state = this.#state;
    const facts = this.#facts;
    if (state.name !== "trial" || state.asked || facts === undefined) return [];
    this.#state = { ...state, asked: true };
    return [{ type: "ask", question: "health", task: this.#memory?.offer ?? { version: facts.running.version } }];
  }

  #health(ok: boolean, message: string): JobEffect[] {
    const { state, memory, facts } = { state: this.#state, memory: this.#memory, facts: this.#facts };
    if (state.name !== "trial" || !state.asked || facts === undefined) return [];
    if (!ok) return this.#giveUp(`health check failed: ${message}`, true);
    const confirmed: JobEffect[] = [{ type: "confirm" }, { type: "notify", notice: { event: "confirmed", version: facts.running.version } }];
    if (!state.ofJob || memory === undefined) {
      this.#state = { name: "idle" };
      return confirmed;
    }
    // Confirmed first, said second: a cut in between repeats the trial of firmware that stays anyway.
    return [...confirmed, ...memory.enter({ phase: "confirmed" }), ...this.#report({ kind: "done" })];
  }

  /** The new firmware fails its trial: it leaves the reason for the old one to report, and goes. */
  #giveUp(message: string, blame: boolean): JobEffect[] {
    const { memory } = { memory: this.#memory };
    this.#state = { name: "leaving" };
    const outcome: Outcome = { kind: "fail", cause: "rolled-back", message: truncateUtf8(message, MESSAGE_MAX) };
    const left = memory === undefined ? [] : [...(blame ? this.#remember(memory.offer, "rolled-back") : []), ...memory.conclude(outcome)];
    return [...left, { type: "rollback" }, { type: "reboot", slot: this.#facts?.target ?? "" }];
  }

  /* ---- outcome ---- */

  #fail(cause: Cause, text: string, after: Aftermath): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined || this.#state.name === "reporting") return [];
    this.#storing = undefined;
    this.#keepCheckpoint = after.keepCheckpoint === true;
    const effects: JobEffect[] = [{ type: "stop-download" }];
    if (after.blame === true) effects.push(...this.#remember(memory.offer, cause));
    if (!this.#keepCheckpoint) effects.push(...memory.dropCheckpoint());
    // Before the outcome is stored: a cut in between comes here again, and no cut leaves a refused slot with its head.
    if (after.eraseHead === true) effects.push({ type: "erase", sector: 0 });
    return [...effects, ...this.#conclude({ kind: "fail", cause, message: truncateUtf8(text, MESSAGE_MAX) })];
  }

  #conclude(outcome: Outcome): JobEffect[] {
    const memory = this.#memory;
    return memory === undefined ? [] : [...memory.conclude(outcome), ...this.#report(outcome)];
  }

  #report(outcome: Outcome): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    this.#state = { name: "reporting" };
    return [{ type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } }, ...noticeOf(memory.offer, outcome)];
  }

  #remember(offer: Offer, cause: Cause): JobEffect[] {
    const bytes = this.#refused.remember(offer.digest, cause);
    return bytes === undefined ? [] : [{ type: "put-bytes", key: KEY_REFUSED, bytes }];
  }

  /* ---- cloud ---- */

  /** A connection: what is owed goes out, a waiting `fail` before the version (else the cloud pushes again), `done` after it. */
  #link(up: boolean): JobEffect[] {
    this.#linkUp = up;
    this.#versionReported = false;
    if (!up) return [];
    const outcome = this.#state.name === "reporting" ? this.#waitingOutcome() : [];
    if (outcome.length > 0 && this.#memory?.state.phase !== "confirmed" && this.#memory?.outcome?.kind !== "done") return outcome;
    return [...this.#reportVersion(), ...outcome, ...(this.#options.platform.rules.versionReport ? [] : this.#reached())];
  }

  #waitingOutcome(): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    const outcome = memory.outcome ?? { kind: "done" as const };
    return [{ type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } }];
  }

  #reportVersion(): JobEffect[] {
    const facts = this.#facts;
    const { rules } = this.#options.platform;
    if (facts === undefined || !this.#linkUp || !rules.versionReport) return [];
    const runsTarget = this.#memory?.record.slot === facts.running.slot;
    if (this.#memory !== undefined && !rules.versionWhileBusy && !runsTarget) return [];
    this.#versionReported = true;
    return [{ type: "report", token: "version", report: { kind: "version", version: facts.running.version } }];
  }

  #acked(token: Token, now: number): JobEffect[] {
    switch (token) {
      case "version":
        return this.#reached();
      case "burning":
        return this.#state.name === "burning" ? this.#askRestart() : [];
      case "outcome":
        return this.#state.name === "reporting" ? this.#acknowledged(now) : [];
      case "refused":
        return [];
    }
  }

  /** The one terminal outcome has arrived: the job is over. */
  #acknowledged(now: number): JobEffect[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    const done = memory.outcome === undefined || memory.outcome.kind === "done";
    const keep = !done && (this.#keepCheckpoint || memory.offset > 0);
    this.#left = keep ? memory.checkpoint : { offset: undefined, head: undefined };
    this.#memory = undefined;
    this.#state = { name: "idle" };
    const effects = [...memory.forget(keep), ...(this.#versionReported ? [] : this.#reportVersion())];
    const kept = this.#kept;
    this.#kept = undefined;
    return kept === undefined ? effects : [...effects, ...this.#offer(kept, now)];
  }

  /* ---- time, and effects that did not work ---- */

  #tick(now: number): JobEffect[] {
    const state = this.#state;
    if (!("until" in state) || now < state.until) return [];
    switch (state.name) {
      case "waiting":
        return this.#download(now);
      case "renewing":
        // Without a connection nobody can answer: that is no renewal used up.
        if (!this.#linkUp) {
          this.#state = { ...state, until: now + RENEWAL_TIMEOUT };
          return [];
        }
        return this.#askForUrl(state.why, now);
      case "burning":
        return this.#askRestart();
      case "trial":
        return this.#giveUp(state.asked ? "health check did not answer in time" : `cloud not reached within ${this.#options.policy.trialSeconds} s`, state.asked);
    }
  }

  /** The driver dropped the effects behind the one that failed. */
  #effectFailed(effect: JobEffect["type"], message: string): JobEffect[] {
    const warning: JobEffect = { type: "notify", notice: { event: "warning", message: `${effect}: ${message}` } };
    switch (effect) {
      case "put-number":
      case "put-bytes":
      case "delete":
        // An outcome that can not be stored is still said.
        return this.#state.name === "reporting" ? [warning, ...this.#waitingOutcome()] : [warning, ...this.#fail("flash", `store: ${message}`, {})];
      case "erase":
      case "write":
      case "compare":
      case "read":
      case "invalidate":
        return this.#state.name === "reporting" ? [warning, ...this.#conclude(this.#memory?.outcome ?? { kind: "fail", cause: "flash", message })] : this.#fail("flash", message, { eraseHead: this.#state.name === "sealing" });
      case "verify":
      case "activate":
        return this.#fail("rejected", message, { blame: true, eraseHead: true });
      case "download":
        return this.#fail("download", message, { keepCheckpoint: true });
      case "confirm":
        return this.#giveUp(`confirm: ${message}`, false);
      case "rollback":
        return [warning, { type: "reboot", slot: this.#facts?.target ?? "" }];
      default:
        return [warning];
    }
  }
}

function noticeOf(task: Task, outcome: Outcome): JobEffect[] {
  const notice =
    outcome.kind === "done"
      ? ({ event: "state", state: "done" } as const)
      : ({ event: "state", state: "fail", cause: outcome.cause, message: outcome.message, version: task.version } as const);
  return [{ type: "notify", notice }];
}
