/**
 * The update job: from an offer to its one terminal outcome. Events in, effects out; the driver (agent/) does what they say.
 * This file is the one switch; each part of the story has a file of its own:
 *
 *   idle -> consent -> [checking] -> downloading -> verifying -> sealing -> burning -> restart -> (the chip restarts)
 *           offers.ts  verifying.ts  downloading.ts verifying.ts sealing.ts
 *                                       a module: -> installing -> reporting -> idle          part.ts
 *   boot -> trial -> reporting -> idle                  any failure -> reporting -> idle
 *   boot-judgement.ts  trial.ts  outcome.ts, cloud.ts
 *
 * Order inside a list of effects matters: what a step needs to be remembered stands before the step. Where an effect fails, the
 * driver drops those behind it and says so.
 */
import { earlier } from "../util/earlier";
import { INSTALL_TIMEOUT, RENEWAL_TIMEOUT, REREPORT } from "../constants";
import { judgeBoot } from "./boot-judgement";
import type { Judgement } from "./boot-judgement";
import { askAgain, linkUp, reportVersion } from "./cloud";
import { JobContext } from "./context";
import type { JobOptions } from "./context";
import { askForUrl, download, expired, sector, sectorCompared, total } from "./downloading";
import type { BootFacts, JobEffect, JobEvent, Token } from "./effects";
import { consented, offered } from "./offers";
import { conclude, fail, finishFailure, refuse, say, waitingOutcome } from "./outcome";
import { KEY_REFUSED } from "./refused";
import type { JobMemory } from "./memory";
import { capacityFor, installed, open } from "./part";
import { refusalOfOffer } from "./policy";
import { activate, askRestart, headCompared, verified } from "./sealing";
import { countTrial, giveUp, health, raiseFloor, reached, startTrial, trialOver } from "./trial";
import type { Task } from "./types";
import { checkRunning, hashBytes, readOn, runsAlready, verify } from "./verifying";

export class UpdateJob {
  readonly #context: JobContext;

  constructor(options: JobOptions, facts: BootFacts) {
    this.#context = new JobContext(options, facts);
  }

  /** Name of the state, for people. */
  get state(): string {
    return this.#context.state.name;
  }
  /** The job in hand, if any. */
  get task(): Task | undefined {
    return this.#context.memory?.offer;
  }

  /** When `tick` is wanted next. */
  deadline(): number | undefined {
    const { state, owed, budgets, askAgainAt } = this.#context;
    const own = "until" in state ? state.until : state.name === "idle" ? askAgainAt : undefined;
    return earlier(earlier(owed.deadline(), budgets.deadline()), own);
  }

  handle(event: JobEvent, now: number): JobEffect[] {
    const context = this.#context;
    if (context.state.name === "leaving" && event.type !== "effect-failed") return [];
    switch (event.type) {
      case "boot":
        return [...this.boot(now), ...this.takeWaiting(now)];
      case "offer":
        return offered(context, event.offer, now);
      case "refused":
        return refuse(context, event.task, event.outcome, now);
      case "link":
        context.linkUp = event.up;
        context.versionReported = false;
        context.askAgainAt = event.up && context.options.platform.rules.renewable ? now + REREPORT : undefined;
        return event.up ? linkUp(context) : [];
      case "acked":
        return this.acked(event.token, now);
      case "total":
        return total(context, event.size, event.validator, now);
      case "sector":
        return sector(context, event.offset, event.bytes);
      case "compared":
        return context.state.name === "sealing"
          ? headCompared(context, event.equal)
          : sectorCompared(context, event.equal, now);
      case "start-over":
        return context.memory === undefined
          ? []
          : [
              ...context.memory.dropCheckpoint(),
              { type: "notify", notice: { event: "warning", message: event.reason } },
            ];
      case "rewind":
        return context.state.name === "downloading" && context.memory !== undefined
          ? [...context.memory.rewind(event.offset), ...open(context)]
          : [];
      case "finished":
        return context.state.name === "downloading" ? verify(context, now) : [];
      case "expired":
        return expired(context, event.message, now);
      case "download-failed":
        return context.state.name === "downloading"
          ? fail(context, event.cause, event.message, { keepCheckpoint: event.cause !== "rejected" })
          : [];
      case "bytes":
        return hashBytes(context, event.bytes, now);
      case "turn":
        return readOn(context, now);
      case "verified":
        return verified(context, event.length, now);
      case "effect-failed":
        return this.effectFailed(event.effect, event.message);
      case "consent":
        return [...consented(context, event.decision, now), ...this.takeKept(now)];
      case "install":
        return installed(context, event.ok, event.message);
      case "restart":
        return context.state.name === "restart" ? activate(context, context.memory?.state.trials ?? 0, now) : [];
      case "health":
        return [...health(context, event.ok, event.message, now), ...this.takeKept(now)];
      case "forget":
        context.refused.forget();
        return [{ type: "delete", key: KEY_REFUSED }, ...context.budgets.forget()];
      case "tick":
        return [...context.owed.store(now), ...context.budgets.store(now), ...this.tick(now)];
    }
  }

  private boot(now: number): JobEffect[] {
    const context = this.#context;
    const memory = context.restore();
    context.budgets.start(now);
    // Before the verdict: a trial that has ended counts for it.
    return [...countTrial(context, now), ...this.judge(memory, now)];
  }

  private judge(memory: JobMemory | undefined, now: number): JobEffect[] {
    const context = this.#context;
    const { facts, options, budgets } = context;
    const blamed = memory !== undefined && context.refused.causeOf(memory.offer.digest) === "rolled-back";
    const attempts = memory !== undefined && budgets.usedUp(memory.offer) ? 0 : options.policy.maxAttempts;
    const verdict = judgeBoot(memory, facts, options.platform.name, attempts, blamed);
    if (verdict.kind === "trial") return startTrial(context, verdict.ofJob, now);
    // Firmware that a power cut kept from raising the floor, or that was flashed over the wire.
    if (memory === undefined || verdict.kind === "idle") return raiseFloor(context);
    const rolledBack: JobEffect[] =
      memory.state.phase === "trial" && memory.record.slot === facts.target
        ? [{ type: "notify", notice: { event: "rollback", version: memory.offer.version } }]
        : [];
    switch (verdict.kind) {
      case "drop":
        context.memory = undefined;
        return [
          ...memory.forget(false),
          { type: "notify", notice: { event: "warning", message: `stored job dropped: ${verdict.why}` } },
          ...(verdict.unconfirmed === true ? startTrial(context, false, now) : []),
        ];
      case "report":
        if (verdict.goBack === true) return [{ type: "rollback" }, ...say(context, verdict.outcome)];
        return [...rolledBack, ...finishFailure(context, verdict.outcome), ...say(context, verdict.outcome)];
      case "rolled-back":
        return [
          ...rolledBack,
          ...fail(context, "rolled-back", verdict.message, { blame: verdict.blame, keepCheckpoint: !verdict.blame }),
        ];
      case "try-again":
      case "seal":
      case "resume":
        return this.goOn(verdict, memory, now);
    }
  }

  /** The job in the store goes on, if what runs now would still take it: something else may have been flashed meanwhile. */
  private goOn(
    verdict: Extract<Judgement, { kind: "try-again" | "seal" | "resume" }>,
    memory: JobMemory,
    now: number,
  ): JobEffect[] {
    const context = this.#context;
    const { facts, options } = context;
    const refusal = refusalOfOffer(memory.offer, facts.running, capacityFor(context, memory.offer), options.policy);
    if (refusal !== undefined)
      return fail(context, "rejected", refusal, { eraseHead: memory.offer.part === undefined });
    // From the digest on: it costs half a second, and nothing then rests on what was true before the cut.
    if (verdict.kind === "try-again") return verify(context, now, verdict.trials);
    if (verdict.kind === "seal" || memory.complete) return [...open(context), ...verify(context, now)];
    // The cut came while it was looked whether the offered image is the running one.
    if (runsAlready(memory.offer, facts)) return checkRunning(context, now);
    context.state = { name: "waiting", until: now + options.platform.rules.resumeDelay };
    return [];
  }

  private acked(token: Token, now: number): JobEffect[] {
    const context = this.#context;
    switch (token) {
      case "version":
        return reached(context);
      case "burning":
        return context.state.name === "burning" ? askRestart(context) : [];
      case "outcome":
        return context.state.name === "reporting" ? this.over(now) : [];
      case "refused":
        return context.owed.answered();
    }
  }

  /** The one terminal outcome has arrived: the job is over. */
  private over(now: number): JobEffect[] {
    const context = this.#context;
    const { memory } = context;
    if (memory === undefined) return [];
    const keep = waitingOutcome(context)?.kind === "fail" && memory.offset > 0;
    context.letGo(keep);
    context.state = { name: "idle" };
    return [...memory.forget(keep), ...(context.versionReported ? [] : reportVersion(context)), ...this.takeKept(now)];
  }

  /** The offer that waited when the power went. */
  private takeWaiting(now: number): JobEffect[] {
    const { owed, state } = this.#context;
    return owed.offer === undefined || state.name === "leaving" ? [] : offered(this.#context, owed.offer, now);
  }

  /** The latest offer that came while none could be taken. */
  private takeKept(now: number): JobEffect[] {
    const context = this.#context;
    const { kept } = context;
    if (kept === undefined || context.state.name !== "idle") return [];
    context.kept = undefined;
    return offered(context, kept, now);
  }

  private tick(now: number): JobEffect[] {
    const context = this.#context;
    const { state } = context;
    if (state.name === "idle") return askAgain(context, now);
    if (!("until" in state) || now < state.until) return [];
    switch (state.name) {
      case "waiting":
        return download(context, now);
      case "renewing":
        if (context.linkUp) return askForUrl(context, state.why, now);
        // Without a connection nobody can answer: that is no renewal used up.
        context.state = { ...state, until: now + RENEWAL_TIMEOUT };
        return [];
      case "burning":
        return askRestart(context);
      case "trial":
        return trialOver(context, state.asked);
      case "installing":
        return installed(context, false, `not installed within ${INSTALL_TIMEOUT / 60_000} min`);
    }
  }

  private effectFailed(effect: JobEffect["type"], message: string): JobEffect[] {
    const context = this.#context;
    const warning: JobEffect = { type: "notify", notice: { event: "warning", message: `${effect}: ${message}` } };
    const waiting = waitingOutcome(context);
    switch (effect) {
      case "put-number":
      case "put-bytes":
      case "delete":
        // Firmware that gives itself up goes, noted down or not: the old one sees that its trial has failed.
        if (context.state.name === "leaving" && context.memory?.outcome !== undefined)
          return [warning, { type: "rollback" }, { type: "reboot", slot: context.facts.target }];
        // An outcome that can not be stored is still said.
        return waiting === undefined
          ? [warning, ...fail(context, "flash", `store: ${message}`, {})]
          : [warning, ...say(context, waiting)];
      case "erase":
      case "write":
      case "compare":
      case "read":
      case "invalidate":
        return waiting === undefined
          ? fail(context, "flash", message, { eraseHead: context.state.name === "sealing" })
          : [warning, ...conclude(context, waiting)];
      case "open-part":
        return fail(context, "rejected", message, { keepCheckpoint: true });
      case "verify":
      case "activate":
        return fail(context, "rejected", message, { blame: true, eraseHead: true });
      case "download":
        return fail(context, "download", message, { keepCheckpoint: true });
      case "confirm":
        return giveUp(context, `confirm: ${message}`, false);
      case "rollback":
        return [warning, { type: "reboot", slot: context.facts.target }];
      default:
        return [warning];
    }
  }
}
