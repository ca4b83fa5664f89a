/** The update job with its runner on some board. The test is the network, and says what each firmware is like. */
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { JobRunner } from "../../src/agent/job-runner";
import type { JobHost } from "../../src/agent/job-runner";
import { SECTOR } from "../../src/constants";
import type { JobEffect, JobEvent, Notice, Question, Token } from "../../src/job/effects";
import type { UpdateJob } from "../../src/job/machine";
import { DEFAULT_POLICY } from "../../src/job/policy";
import type { Offer } from "../../src/job/types";
import type { PlatformRules, Report } from "../../src/platforms/platform";
import type { ResetReason } from "../../src/ports";
import { Restart, restartingBoot } from "../job/restarting-boot";
import type { Board } from "./light-board";

export type Behaviour = "good" | "offline" | "unhealthy" | "throws";

/** A file that the cloud offers, with what its firmware does. */
export interface Image {
  readonly offer: Offer;
  readonly file: Uint8Array;
  readonly behaviour: Behaviour;
}

const POLICY = { ...DEFAULT_POLICY, allowHttp: true, allowDowngrade: true };

export class HostileDevice implements JobHost {
  readonly board: Board;
  readonly rules: PlatformRules;
  /** Awake milliseconds. */
  clock = 0;
  linkUp = false;
  onNotice: (notice: Notice) => void = () => undefined;
  /** A boot cycle begins; `reason` of its reset. */
  onStart: (reason: ResetReason) => void = () => undefined;
  /** The first sector of the job's image is about to be erased. */
  onInstall: () => void = () => undefined;
  /** Reports that wait for their PUBACK, newest last. */
  readonly unacknowledged = new Map<Token, Report>();
  readonly #imageOf: (url: string) => Image | undefined;
  readonly #runningImage: () => Image | undefined;
  #runner: JobRunner | undefined;
  #download: { readonly image: Image; offset: number } | undefined;

  constructor(
    board: Board,
    rules: PlatformRules,
    imageOf: (url: string) => Image | undefined,
    runningImage: () => Image | undefined,
  ) {
    this.board = board;
    this.rules = rules;
    this.#imageOf = imageOf;
    this.#runningImage = runningImage;
    this.powerOn("power-on");
  }

  get job(): UpdateJob {
    return this.#runner!.job!;
  }
  get state(): string {
    return this.job.state;
  }
  get version(): string {
    return this.board.ports.boot.running().version;
  }
  get #behaviour(): Behaviour {
    return this.#runningImage()?.behaviour ?? "good";
  }

  powerOn(reason: ResetReason): void {
    const { bricked } = this.board.powerOn(reason);
    if (bricked !== undefined) throw new Error(`nothing boots from ${bricked}`);
    this.linkUp = false;
    this.unacknowledged.clear();
    this.#download = undefined;
    this.onStart(reason);
    if (this.#behaviour === "throws") return this.powerOn("software");
    const { flash, boot, store } = this.board.ports;
    const ports = { flash, boot: restartingBoot(boot, this.board), store, crypto: new NodeCrypto(() => 0.5) };
    const runner = new JobRunner(ports, new Uint8Array(SECTOR), new Map(), this);
    this.#runner = runner;
    this.#run(() => runner.boot({ platform: { name: "tencent", rules: this.rules }, policy: POLICY }));
  }

  dispatch(event: JobEvent): void {
    this.#run(() => this.#runner!.dispatch(event));
  }

  #run(firmware: () => void): void {
    try {
      firmware();
    } catch (error) {
      if (!(error instanceof Restart)) throw error;
      this.powerOn("software");
    }
  }

  /** Firmware that never reaches the cloud stays without a link. */
  link(up: boolean): void {
    if (up && this.#behaviour === "offline") return;
    this.linkUp = up;
    this.dispatch({ type: "link", up });
    if (!up || !this.linkUp) return;
    // The session sends what it keeps.
    if (this.unacknowledged.has("burning")) this.acknowledge("burning");
    this.acknowledge("version");
  }

  acknowledge(token: Token): void {
    if (this.linkUp && this.unacknowledged.delete(token)) this.dispatch({ type: "acked", token });
  }

  /** One sector of the download, if there is one. False: there is none. */
  deliver(): boolean {
    const download = this.#download;
    if (download === undefined) return false;
    const { image, offset } = download;
    const { file } = image;
    this.clock += 100;
    if (offset >= file.length) {
      this.#download = undefined;
      this.dispatch({ type: "finished" });
      return true;
    }
    download.offset += SECTOR;
    this.dispatch({ type: "sector", offset, bytes: file.slice(offset, offset + SECTOR) });
    return true;
  }

  /** Time passes, with what the job does at its deadlines. */
  pass(milliseconds: number): void {
    for (const end = this.clock + milliseconds; this.clock < end;) {
      this.clock = Math.min(end, Math.max(this.clock, this.job.deadline() ?? end));
      this.dispatch({ type: "tick" });
    }
  }

  /* ---- the job's host ---- */

  now(): number {
    return this.clock;
  }
  enter(callback: () => void): void {
    callback();
  }
  defer(callback: () => void): void {
    callback();
  }
  download({ url, offset }: { readonly url: string; readonly offset: number }): void {
    const image = this.#imageOf(url);
    this.#download = image && { image, offset };
  }
  renew(): void {}
  stopDownload(): void {
    this.#download = undefined;
  }
  report(report: Report, token: Token | undefined): void {
    if (token !== undefined) this.unacknowledged.set(token, report);
  }
  notify(notice: Notice): void {
    this.onNotice(notice);
  }
  ask(question: Exclude<Question, "install">, _task: unknown, answer: (event: JobEvent) => void): void {
    if (question === "consent") answer({ type: "consent", decision: "accept" });
    else if (question === "restart") answer({ type: "restart" });
    else answer({ type: "health", ok: this.#behaviour !== "unhealthy", message: "sensor missing" });
  }
  handled(event: JobEvent, effects: readonly JobEffect[]): void {
    if (event.type === "sector" && event.offset === 0 && effects.some(({ type }) => type === "erase")) this.onInstall();
  }
  isGone(error: unknown): boolean {
    return error instanceof Restart || error instanceof PowerCut;
  }
}
