/**
 * The update job with its runner, without a network: the cloud and the file server hand over events instead of bytes.
 * This is the fastest device under test; agent-device.ts has the connections and their faults.
 */
import { Wake } from "../../../src/agent/sleep";
import { JobRunner } from "../../../src/agent/job-runner";
import type { JobHost } from "../../../src/agent/job-runner";
import { REREPORT, SECTOR } from "../../../src/constants";
import type { JobEffect, JobEvent, Question, Token } from "../../../src/job/effects";
import type { UpdateJob } from "../../../src/job/machine";
import { DEFAULT_POLICY } from "../../../src/job/policy";
import type { Policy } from "../../../src/job/policy";
import type { Offer } from "../../../src/job/types";
import type { Report } from "../../../src/platforms/platform";
import type { Boot } from "../../../src/ports";
import type { Recorder } from "../../../src/recorder/recorder";
import { PowerCut } from "../../../hal/model-chip/flash-chip";
import { NodeCrypto } from "../../../host-sim/board/node-crypto";
import { heardOf } from "./cloud-side";
import { PROBE_STEPS } from "./device";
import type { Device, Surroundings } from "./device";
import { Restart, restartingBoot } from "../../job/restarting-boot";
import { checkDownload, noteServed } from "../checks/download-checks";
import { connected, checkReport } from "../checks/report-checks";
import type { Connection } from "../checks/report-checks";
import { ASLEEP, Sleeps } from "./sleeps";
import { rulesOf } from "./platforms";
import { servedOf } from "./push";
import type { Push } from "./push";
import type { SimulationState } from "./simulation-state";

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

export class JobDevice implements Device, JobHost {
  readonly #with: Surroundings;
  readonly #onHandled: ((event: JobEvent, effects: readonly JobEffect[], name: string) => void) | undefined;
  readonly #runner: JobRunner;
  readonly #rules;
  /** On their way to the device. */
  #inbox: Incoming[] = [];
  /** QoS 1 messages without PUBACK, as the MQTT session keeps them. */
  readonly #kept = new Map<Token, Report>();
  #connection: Connection | undefined;
  #sentTokens = new Set<Token>();
  #download: Download | undefined;
  #refused = false;
  /** Firmware that is offline has a network after all. */
  #networkBack = false;
  readonly #boot: Boot;
  readonly #sleeps: Sleeps;
  readonly #wake = new Wake({}, true, -Infinity);
  /** `sleeps`: seed of a device that sleeps. `startRecorder`: as of JobHost. `onHandled`: sees each event, what the job makes of it, and the state that follows. */
  constructor(
    surroundings: Surroundings,
    onHandled?: (event: JobEvent, effects: readonly JobEffect[], name: string) => void,
    sleeps = 0,
    readonly startRecorder = (): Recorder | undefined => undefined,
  ) {
    this.#with = surroundings;
    this.#onHandled = onHandled;
    const { simulation, monitor } = surroundings;
    const { flash, boot, store } = monitor.ports;
    this.#rules = rulesOf(simulation.scenario.platform);
    this.#boot = restartingBoot(boot, simulation.board);
    this.#sleeps = new Sleeps(simulation, sleeps);
    const ports = { flash, boot: this.#boot, store, crypto: new NodeCrypto(() => 0.5) };
    this.#runner = new JobRunner(ports, new Uint8Array(SECTOR), new Map(), this);
  }

  get state(): string {
    return this.#runner.job?.state ?? "idle";
  }

  get #job(): UpdateJob {
    return this.#runner.job!;
  }

  start(): void {
    const platform = { name: this.#with.simulation.scenario.platform.split("-", 1)[0]!, rules: this.#rules };
    this.#run(() => this.#runner.boot({ platform, policy: POLICY }));
  }

  step(): boolean {
    const { simulation, cycle } = this.#with;
    if (this.#sleeps.step() && this.#maySleep) return this.#sleep();
    const message = this.#inbox.shift();
    if (message !== undefined) {
      const what = message.kind === "acked" ? `PUBACK of ${message.token}` : `offer of ${message.offer.version}`;
      if (cycle.message(what, () => undefined)) this.#deliver(message);
      return !cycle.stopped;
    }
    if (this.#connection === undefined && this.#mayConnect) return this.#connect();
    if (this.#download !== undefined) return this.#serve(this.#download);
    const deadline = this.#job.deadline();
    // That an idle job will ask again is no sign that something is still going on.
    const asksAgain = this.#job.state === "idle" && deadline !== undefined && deadline >= simulation.now + REREPORT / 2;
    if (deadline !== undefined && !asksAgain) {
      simulation.now = Math.max(simulation.now, deadline);
      this.#dispatch({ type: "tick" });
      return !cycle.stopped;
    }
    const away = this.#awayUntil;
    if (away !== undefined) {
      simulation.now = away;
      return true;
    }
    if (this.state === "idle" && simulation.restarts()) return true;
    const offer = this.#connection === undefined ? undefined : simulation.operate();
    if (typeof offer === "number") {
      simulation.now = offer;
      return true;
    }
    if (offer !== undefined) this.#inbox.push({ kind: "offer", offer });
    return offer !== undefined;
  }

  answers(): boolean {
    // A stuck bit of a boot entry can keep firmware that is offline: it has its outcome to deliver before it answers.
    this.#networkBack = true;
    for (let steps = 0; steps < PROBE_STEPS && this.state === "reporting" && this.step(); steps++);
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

  get #awayUntil(): number | undefined {
    const { cloud, now } = this.#with.simulation;
    return cloud.awayUntil(this.#job.state, now);
  }

  get #maySleep(): boolean {
    return this.#wake.maySleep(this.#job.name, false, this.#with.simulation.now) > 0;
  }

  #sleep(): boolean {
    this.#dispatch({ type: "sleep", seconds: ASLEEP });
    // A trial at its bounds rolls back instead.
    if (!this.#with.cycle.stopped && this.#maySleep) this.#run(() => this.#boot.sleep(ASLEEP));
    return !this.#with.cycle.stopped;
  }

  get #mayConnect(): boolean {
    const { simulation, cycle } = this.#with;
    if ((cycle.behaviour === "offline" && !this.#networkBack) || this.#awayUntil !== undefined) return false;
    // A late link comes when the job has gone on by itself as far as it can.
    const { state } = this.#job;
    return (
      simulation.scenario.lateLink !== true ||
      simulation.ledger.cuts === 0 ||
      !(state === "waiting" || state === "downloading" || state === "burning")
    );
  }

  #connect(): boolean {
    const { simulation, monitor, cycle } = this.#with;
    if (!cycle.message("connection", () => undefined)) return false;
    this.#connection = connected(monitor);
    this.#sentTokens.clear();
    if (!this.#rules.versionReport) monitor.reached = true;
    this.#dispatch({ type: "link", up: true });
    if (cycle.stopped) return false;
    // What the session keeps goes out again.
    for (const [token, report] of this.#kept)
      if (!this.#sentTokens.has(token) && !this.#publish(report, token)) return false;
    const offers = [
      simulation.cloud.offer(),
      this.state === "trial" ? simulation.cloud.inTrial(monitor.running.version) : undefined,
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
    const { simulation, monitor } = this.#with;
    if (message.kind === "offer") {
      const job = this.#job.task;
      monitor.otherOffered ||= job !== undefined && job.version !== message.offer.version;
      return this.#dispatch({ type: "offer", offer: message.offer });
    }
    const kept = this.#kept.get(message.token);
    // The acknowledgement of something that was replaced since.
    if (kept === undefined || JSON.stringify(kept) !== message.text) return;
    if (simulation.scenario.losesAcks === true && !simulation.cloud.lostAcks.has(kept.kind)) {
      simulation.cloud.lostAcks.add(kept.kind);
      return this.#disconnect();
    }
    this.#kept.delete(message.token);
    const { proof = "version" } = this.#rules;
    if (message.token === "version" || (message.token === proof && this.state === "trial")) monitor.reached = true;
    if (message.token === "outcome") simulation.ledger.acknowledged = true;
    this.#dispatch({ type: "acked", token: message.token });
  }

  #serve(download: Download): boolean {
    const { simulation, monitor, cycle } = this.#with;
    const { push } = download;
    const file = servedOf(push);
    if (!download.announced) {
      download.announced = true;
      this.#dispatch({ type: "total", size: file.length, validator: undefined });
    } else if (download.offset >= simulation.cloud.goneAt(push.offer.version)) {
      this.#download = undefined;
      this.#dispatch({ type: "download-failed", cause: "not-found", message: "status 404" });
    } else if (download.offset < file.length) {
      const { offset } = download;
      const end = Math.min(offset + SECTOR, file.length);
      simulation.now += SECTOR_TIME;
      noteServed(monitor, push, end);
      const offer = simulation.cloud.served(push.offer.version, end, monitor.running.version);
      if (offer !== undefined) this.#inbox.push({ kind: "offer", offer });
      download.offset = end;
      this.#dispatch({ type: "sector", offset, bytes: file.slice(offset, end) });
    } else {
      this.#download = undefined;
      this.#dispatch({ type: "finished" });
    }
    return !cycle.stopped;
  }

  #dispatch(event: JobEvent): void {
    this.#run(() => this.#runner.dispatch(event));
  }

  /** Until the chip restarts or loses its power, if it does. */
  #run(firmware: () => void): void {
    if (this.#with.simulation.board.restartWanted !== undefined) return;
    try {
      firmware();
    } catch (error) {
      if (!this.isGone(error)) throw error;
    }
  }

  /* ---- the job's host ---- */

  now(): number {
    return this.#with.simulation.now;
  }
  enter(callback: () => void): void {
    callback();
  }
  defer(callback: () => void): void {
    callback();
  }
  download({ url, offset }: { readonly url: string; readonly offset: number }): void {
    this.#begin(url, offset);
  }
  renew(url: string): void {
    this.#begin(url, this.#download?.offset ?? 0);
  }
  stopDownload(): void {
    this.#download = undefined;
  }
  report(report: Report, token: Token | undefined): void {
    if (!this.#publish(report, token)) throw new PowerCut();
  }
  notify(): void {}
  ask(question: Exclude<Question, "install">, _task: unknown, answer: (event: JobEvent) => void): void {
    const { monitor, cycle } = this.#with;
    if (question === "consent") return answer({ type: "consent", decision: "accept" });
    if (question === "restart") return answer({ type: "restart" });
    if (cycle.behaviour === "mute") return;
    monitor.healthy = cycle.behaviour !== "unhealthy";
    answer({ type: "health", ok: monitor.healthy, message: "sensor missing" });
  }
  isGone(error: unknown): boolean {
    return this.#with.cycle.stopped || error instanceof Restart;
  }
  handled(event: JobEvent, effects: readonly JobEffect[]): void {
    // The records were read, and nothing is changed yet.
    if (event.type === "boot") this.#with.monitor.checkStart();
    this.#onHandled?.(event, effects, this.#job.name);
    this.#with.simulation.ledger.expect("bounded", effects.length <= 24, () => `${effects.length} effects at once`);
  }

  #begin(url: string, offset: number): void {
    const { simulation, monitor } = this.#with;
    const push = simulation.scenario.pushes.find(({ offer }) => offer.url === url);
    if (push === undefined)
      return simulation.ledger.violate("resume of the same image", `a download of ${url}, which nobody offered`);
    checkDownload(monitor, push, offset, 0);
    this.#download = { push, offset, announced: false };
  }

  /** False: the power went. */
  #publish(report: Report, token: Token | undefined): boolean {
    const { monitor, cycle } = this.#with;
    if (token !== undefined) this.#kept.set(token, report);
    const connection = this.#connection;
    if (token === "refused") this.#refused = true;
    if (connection === undefined) return true;
    const heard = heardOf(report);
    let answer: Offer | undefined;
    const arrive = (simulation: SimulationState, judged: Connection): void => {
      checkReport(simulation, monitor, judged, heard);
      answer = simulation.cloud.heard(heard);
    };
    if (report.kind === "outcome" && report.task.version === "9.9.9") return true;
    if (!cycle.message(`${report.kind} report`, (simulation) => arrive(simulation, { ...connection }))) return false;
    arrive(this.#with.simulation, connection);
    if (token !== undefined) {
      this.#sentTokens.add(token);
      this.#inbox.push({ kind: "acked", token, text: JSON.stringify(report) });
    }
    if (answer !== undefined) this.#inbox.push({ kind: "offer", offer: answer });
    return true;
  }
}
