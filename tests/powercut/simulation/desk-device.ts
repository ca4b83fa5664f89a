/**
 * The update job with its executor, and the network left out: the cloud and the file server hand over events instead of bytes. The
 * quickest device to search with; the connections and their troubles are agent-device.ts's.
 */
import { Executor } from "../../../src/agent/executor";
import type { LocalEffect } from "../../../src/agent/executor";
import { REREPORT, SECTOR } from "../../../src/constants";
import type { JobEffect, JobEvent, Token } from "../../../src/job/effects";
import { UpdateJob } from "../../../src/job/job";
import { DEFAULT_POLICY } from "../../../src/job/policy";
import type { Policy } from "../../../src/job/policy";
import type { Offer } from "../../../src/job/types";
import type { Report } from "../../../src/platforms/platform";
import { NodeCrypto } from "../../../host-sim/board/node-crypto";
import type { Heard } from "./cloud-side";
import type { Device, Surroundings } from "./device";
import { judgeDownload, judgeServed } from "../checks/fetch-watch";
import { connected, judgeReport } from "../checks/report-watch";
import type { Connection } from "../checks/report-watch";
import { rulesOf } from "./stories";
import type { Push } from "./stories";
import type { World } from "./world";

export const POLICY: Policy = { ...DEFAULT_POLICY, allowHttp: true };

/** Time that a sector takes on the way, ms. */
const SECTOR_TIME = 50;

type Incoming =
  | { readonly kind: "acked"; readonly token: Token; readonly text: string }
  | { readonly kind: "offer"; readonly offer: Offer };

interface Download {
  readonly push: Push;
  offset: number;
  announced: boolean;
}

export class DeskDevice implements Device {
  readonly #with: Surroundings;
  readonly #onHandled: ((event: JobEvent, effects: readonly JobEffect[]) => void) | undefined;
  readonly #job: UpdateJob;
  readonly #executor: Executor;
  readonly #rules;
  #events: JobEvent[] = [];
  /** On their way to the device. */
  #inbox: Incoming[] = [];
  /** QoS 1 messages without PUBACK, as the MQTT session keeps them. */
  readonly #kept = new Map<Token, Report>();
  #connection: Connection | undefined;
  #sentTokens = new Set<Token>();
  #download: Download | undefined;
  #refused = false;

  /** `onHandled`: sees what the job makes of each event. */
  constructor(surroundings: Surroundings, onHandled?: (event: JobEvent, effects: readonly JobEffect[]) => void) {
    this.#with = surroundings;
    this.#onHandled = onHandled;
    const { world, watch } = surroundings;
    const { flash, boot } = watch.ports;
    const crypto = new NodeCrypto(() => 0.5);
    this.#rules = rulesOf(world.story.platform);
    // The job reaches for neither of the two.
    this.#executor = new Executor(
      { ...watch.ports, crypto, network: { connect: unused }, clock: { now: unused, set: unused, clear: unused } },
      new Uint8Array(SECTOR),
    );
    const stored = this.#executor.snapshot();
    const facts = {
      running: boot.running(),
      target: boot.target(),
      slotSize: flash.size,
      resetReason: boot.resetReason(),
      lastInvalid: boot.lastInvalid(),
      stored,
    };
    const platform = { name: world.story.platform.split("-", 1)[0]!, rules: this.#rules };
    this.#job = new UpdateJob({ platform, policy: POLICY, digest: (algorithm) => crypto.digest(algorithm) }, facts);
    watch.judgeStart();
  }

  get state(): string {
    return this.#job.state;
  }

  start(): void {
    this.#dispatch({ type: "boot" });
  }

  step(): boolean {
    const { world, life } = this.#with;
    const message = this.#inbox.shift();
    if (message !== undefined) {
      const what = message.kind === "acked" ? `PUBACK of ${message.token}` : `offer of ${message.offer.version}`;
      if (life.message(what, () => undefined)) this.#deliver(message);
      return !life.stopped;
    }
    if (this.#connection === undefined && this.#mayConnect) return this.#connect();
    if (this.#download !== undefined) return this.#serve(this.#download);
    const deadline = this.#job.deadline();
    // That an idle job will ask again is no sign that something is still going on.
    const asksAgain = this.#job.state === "idle" && deadline !== undefined && deadline >= world.now + REREPORT / 2;
    if (deadline !== undefined && !asksAgain) {
      world.now = Math.max(world.now, deadline);
      this.#dispatch({ type: "tick" });
      return !life.stopped;
    }
    const offer = this.#connection === undefined ? undefined : world.cloud.operate(world.now);
    if (typeof offer === "number") {
      world.now = offer;
      return true;
    }
    if (offer !== undefined) this.#inbox.push({ kind: "offer", offer });
    return offer !== undefined;
  }

  answers(): boolean {
    this.#refused = false;
    this.#dispatch({
      type: "offer",
      offer: {
        version: "9.9.9",
        size: 64 << 20,
        url: "http://files/probe",
        digest: { algorithm: "MD5", hex: "f".repeat(32) },
      },
    });
    return this.#refused;
  }

  get #mayConnect(): boolean {
    const { world, life } = this.#with;
    if (life.behaviour === "offline") return false;
    // A late link comes when the job has gone on by itself as far as it can.
    const { state } = this.#job;
    return (
      world.story.lateLink !== true ||
      world.ledger.cuts === 0 ||
      !(state === "waiting" || state === "downloading" || state === "burning")
    );
  }

  #connect(): boolean {
    const { world, watch, life } = this.#with;
    if (!life.message("connection", () => undefined)) return false;
    this.#connection = connected(watch);
    this.#sentTokens.clear();
    if (!this.#rules.versionReport) watch.reached = true;
    this.#dispatch({ type: "link", up: true });
    if (life.stopped) return false;
    // What the session keeps goes out again.
    for (const [token, report] of this.#kept)
      if (!this.#sentTokens.has(token) && !this.#publish(report, token)) return false;
    const offers = [
      world.cloud.offer(),
      this.state === "trial" ? world.cloud.inTrial(watch.running.version) : undefined,
    ];
    for (const offer of offers) if (offer !== undefined) this.#inbox.push({ kind: "offer", offer });
    return true;
  }

  #disconnect(): void {
    this.#connection = undefined;
    this.#inbox = [];
    this.#dispatch({ type: "link", up: false });
  }

  #deliver(message: Incoming): void {
    const { world, watch } = this.#with;
    if (message.kind === "offer") {
      const job = this.#job.task;
      watch.otherOffered ||= job !== undefined && job.version !== message.offer.version;
      return this.#dispatch({ type: "offer", offer: message.offer });
    }
    const kept = this.#kept.get(message.token);
    // The acknowledgement of something that was replaced since.
    if (kept === undefined || JSON.stringify(kept) !== message.text) return;
    if (world.story.losesAcks === true && !world.cloud.lostAcks.has(kept.kind)) {
      world.cloud.lostAcks.add(kept.kind);
      return this.#disconnect();
    }
    this.#kept.delete(message.token);
    if (message.token === "version") watch.reached = true;
    if (message.token === "outcome") world.ledger.acknowledged = true;
    this.#dispatch({ type: "acked", token: message.token });
  }

  #serve(download: Download): boolean {
    const { world, watch, life } = this.#with;
    const { push } = download;
    const { file } = push;
    if (!download.announced) {
      download.announced = true;
      this.#dispatch({ type: "total", size: file.length, validator: undefined });
    } else if (download.offset < file.length) {
      const { offset } = download;
      const end = Math.min(offset + SECTOR, file.length);
      world.now += SECTOR_TIME;
      judgeServed(watch, push, end);
      const offer = world.cloud.served(push.offer.version, end, watch.running.version);
      if (offer !== undefined) this.#inbox.push({ kind: "offer", offer });
      download.offset = end;
      this.#dispatch({ type: "sector", offset, bytes: file.slice(offset, end) });
    } else {
      this.#download = undefined;
      this.#dispatch({ type: "finished" });
    }
    return !life.stopped;
  }

  #dispatch(event: JobEvent): void {
    const { world, life } = this.#with;
    this.#events.push(event);
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const effects = this.#job.handle(next, world.now);
      this.#onHandled?.(next, effects);
      world.ledger.expect("bounded", effects.length <= 24, () => `${effects.length} effects at once`);
      for (const effect of effects) {
        try {
          const answer = this.#carryOut(effect);
          if (answer !== undefined) this.#events.push(answer);
        } catch (error) {
          if (life.stopped) return;
          this.#events.push({ type: "effect-failed", effect: effect.type, message: (error as Error).message });
          break;
        }
        if (life.stopped || world.board.restartWanted !== undefined) return;
      }
    }
  }

  #carryOut(effect: JobEffect): JobEvent | undefined {
    switch (effect.type) {
      case "report":
        this.#publish(effect.report, effect.token);
        return undefined;
      case "notify":
        return undefined;
      case "download":
        this.#begin(effect.url, effect.offset);
        return undefined;
      case "renew":
        this.#begin(effect.url, this.#download?.offset ?? 0);
        return undefined;
      case "stop-download":
        this.#download = undefined;
        return undefined;
      case "yield":
        return { type: "turn" };
      case "ask":
        return this.#ask(effect.question);
      default:
        return this.#executor.execute(effect as LocalEffect);
    }
  }

  #ask(question: Extract<JobEffect, { type: "ask" }>["question"]): JobEvent | undefined {
    const { watch, life } = this.#with;
    if (question === "consent") return { type: "consent", decision: "accept" };
    if (question === "restart") return { type: "restart" };
    if (question === "install" || life.behaviour === "mute") return undefined;
    watch.healthy = life.behaviour !== "unhealthy";
    return { type: "health", ok: watch.healthy, message: "sensor missing" };
  }

  #begin(url: string, offset: number): void {
    const { world, watch } = this.#with;
    const push = world.story.pushes.find(({ offer }) => offer.url === url);
    if (push === undefined)
      return world.ledger.violate("resume of the same image", `a download of ${url}, which nobody offered`);
    judgeDownload(watch, push, offset, 0);
    this.#download = { push, offset, announced: false };
  }

  /** False: the power went. */
  #publish(report: Report, token: Token | undefined): boolean {
    const { watch, life } = this.#with;
    if (token !== undefined) this.#kept.set(token, report);
    const connection = this.#connection;
    if (token === "refused") this.#refused = true;
    if (connection === undefined) return true;
    const heard = heardOf(report);
    let answer: Offer | undefined;
    const arrive = (world: World, judged: Connection): void => {
      judgeReport(world, watch, judged, heard);
      answer = world.cloud.heard(heard);
    };
    if (report.kind === "outcome" && report.task.version === "9.9.9") return true;
    if (!life.message(`${report.kind} report`, (world) => arrive(world, { ...connection }))) return false;
    arrive(this.#with.world, connection);
    if (token !== undefined) {
      this.#sentTokens.add(token);
      this.#inbox.push({ kind: "acked", token, text: JSON.stringify(report) });
    }
    if (answer !== undefined) this.#inbox.push({ kind: "offer", offer: answer });
    return true;
  }
}

function heardOf(report: Report): Heard {
  switch (report.kind) {
    case "version":
      return { kind: "version", version: report.version };
    case "progress":
      return { kind: "progress", percent: report.percent, version: report.task.version };
    case "burning":
      return { kind: "burning", version: report.task.version };
    case "outcome": {
      const { outcome, task } = report;
      if (outcome.kind === "done")
        return { kind: "outcome", done: true, cause: undefined, message: "", version: task.version };
      return { kind: "outcome", done: false, cause: outcome.cause, message: outcome.message, version: task.version };
    }
  }
}

function unused(): never {
  throw new Error("the job reached for the network or the clock");
}
