/**
 * The update job with its runner on a board in memory (flash with NOR rules, NVS, bootloader), without a network: the
 * test acts as the cloud (push, acknowledge) and as the file server (deliver). The whole agent over sockets is tested
 * elsewhere.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ResetReason } from "../../src/ports";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { nodeExpander } from "../../host-sim/board/node-expander";
import { buildImage } from "../../hal/model-chip/build-image";
import { JobRunner } from "../../src/agent/job-runner";
import type { JobHost } from "../../src/agent/job-runner";
import { SECTOR } from "../../src/constants";
import type { JobEffect, JobEvent, Notice, Question, Token } from "../../src/job/effects";
import type { UpdateJob } from "../../src/job/machine";
import { DEFAULT_POLICY } from "../../src/job/policy";
import type { Policy } from "../../src/job/policy";
import type { Offer } from "../../src/job/types";
import type { ModuleInstaller } from "../../src/modules/installer";
import type { PlatformRules, Report } from "../../src/platforms/platform";
import type { Recorder } from "../../src/recorder/recorder";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { Restart, restartingBoot } from "./restarting-boot";

export const RULES: PlatformRules = {
  versionReport: true,
  versionWhileBusy: true,
  renewable: true,
  resumeDelay: 30_000,
};

/** Its padding is its own: a sector that is left from another image must not pass for one of this. */
export function image(
  version: string,
  size = 24_000,
  options: Partial<Parameters<typeof buildImage>[0]> = {},
): Uint8Array {
  return buildImage({
    version,
    payload: new TextEncoder().encode(`firmware ${version}`),
    size,
    seed: `${version} ${size}`,
    ...options,
  });
}

export function offerOf(file: Uint8Array, version: string, change: Partial<Offer> = {}): Offer {
  const hex = createHash("md5").update(file).digest("hex");
  return {
    version,
    size: file.length,
    url: "http://files/fw.bin?sign=1",
    digest: { algorithm: "MD5", hex },
    ...change,
  };
}

export interface FixtureOptions {
  readonly factory?: Uint8Array;
  readonly policy?: Partial<Policy>;
  readonly rules?: Partial<PlatformRules>;
  /** Absent: no signature is asked for. */
  readonly refusalOfSignature?: (hash: Uint8Array, trailer: Uint8Array) => string | undefined;
  /** Default "tencent". */
  readonly platform?: string;
  /** Installers by the names of their modules, new ones for each start of the firmware. */
  readonly modules?: (board: MemoryBoard) => { readonly [name: string]: ModuleInstaller };
  /** Of each start of the firmware. */
  readonly recorder?: () => Recorder;
  /** Answers of the application; absent: yes, at once. */
  readonly answers?: { readonly consent?: boolean; readonly restart?: boolean; readonly health?: boolean | "silent" };
}

export class JobFixture {
  readonly board: MemoryBoard;
  readonly reports: { readonly report: Report; readonly token: Token | undefined }[] = [];
  readonly notices: Notice[] = [];
  /** Of failures, where there is a recorder. */
  readonly recordings: Uint8Array[] = [];
  /** What the job asked of the downloader, latest last. */
  readonly downloads: { url: string; offset: number; size: number; end?: number }[] = [];
  downloading = false;
  /** Milliseconds of the clock. */
  now = 0;
  answers: NonNullable<FixtureOptions["answers"]>;
  /** From the next start on. */
  policy: FixtureOptions["policy"];
  /** Sees each event, and what the job makes of it. */
  onHandled: ((event: JobEvent, effects: readonly JobEffect[]) => void) | undefined;
  readonly #options: FixtureOptions;
  #runner: JobRunner | undefined;

  constructor(options: FixtureOptions = {}) {
    this.#options = options;
    this.answers = options.answers ?? {};
    this.policy = options.policy;
    this.board = new MemoryBoard({
      factoryImage: options.factory ?? image("0.1.0"),
      table: partitionTableFor(4 << 20),
      expander: nodeExpander,
    });
    this.powerOn();
  }

  get state(): string {
    return this.#runner?.job?.state ?? "off";
  }
  get running(): { version: string; slot: string; state: string } {
    const { version, slot, state } = this.board.ports.boot.running();
    return { version, slot, state };
  }
  get job(): UpdateJob {
    if (this.#runner?.job === undefined) throw new Error("not powered");
    return this.#runner.job;
  }

  powerOn(reason: ResetReason = "power-on"): void {
    const result = this.board.powerOn(reason);
    if (result.bricked !== undefined) throw new Error(`bricked: ${result.bricked}`);
    const { flash, boot, store, retained } = this.board.ports;
    const ports = { flash, boot: restartingBoot(boot, this.board), store, retained, crypto: new NodeCrypto(() => 0.5) };
    const installers = new Map(Object.entries(this.#options.modules?.(this.board) ?? {}));
    const runner = new JobRunner(ports, new Uint8Array(SECTOR), installers, this.#host());
    this.#runner = runner;
    this.downloading = false;
    const platform = { name: this.#options.platform ?? "tencent", rules: { ...RULES, ...this.#options.rules } };
    const policy = { ...DEFAULT_POLICY, allowHttp: true, ...this.policy };
    const { refusalOfSignature } = this.#options;
    const trust = refusalOfSignature === undefined ? {} : { refusalOfSignature };
    this.#run(() => runner.boot({ platform, policy, ...trust }));
  }

  dispatch(event: JobEvent): void {
    this.#run(() => this.#runner?.dispatch(event));
  }

  /** Until the chip restarts, if it does; then the bootloader's choice starts. */
  #run(firmware: () => void): void {
    try {
      firmware();
    } catch (error) {
      if (!(error instanceof Restart)) throw error;
      this.powerOn("software");
    }
  }

  /** A connection, and the cloud's acknowledgement of what is reported at once, as proof that it is reached. */
  connect(acknowledge = true): void {
    const before = this.reports.length;
    this.dispatch({ type: "link", up: true });
    const reported = this.reports.slice(before).map(({ token }) => token);
    if (acknowledge)
      for (const token of ["version", "burning"] as const)
        if (reported.includes(token)) this.dispatch({ type: "acked", token });
  }
  disconnect(): void {
    this.dispatch({ type: "link", up: false });
  }
  push(offer: Offer): void {
    this.dispatch({ type: "offer", offer });
  }
  ack(token: Token): void {
    this.dispatch({ type: "acked", token });
  }
  /** Lets time pass up to the job's next deadline. */
  wait(): void {
    this.now = Math.max(this.now, this.job.deadline() ?? this.now);
    this.dispatch({ type: "tick" });
  }

  /** Acts as the file server from the offset that was asked for, up to `until` bytes; then `finished`. */
  deliver(file: Uint8Array, until = file.length): void {
    if (this.downloading) this.dispatch({ type: "total", size: file.length, validator: undefined });
    const { offset: from, end = file.length } = this.downloads.at(-1) ?? { offset: 0 };
    const download = this.downloads.length;
    const last = Math.min(end, until);
    for (let offset = from; offset < last && this.downloading && download === this.downloads.length; offset += SECTOR) {
      this.now += 50;
      this.dispatch({ type: "sector", offset, bytes: file.slice(offset, Math.min(offset + SECTOR, file.length)) });
    }
    if (download !== this.downloads.length) this.deliver(file, until);
    else if (until >= end && this.downloading) this.dispatch({ type: "finished" });
  }

  /** Both downloads that a job gets whose digest does not fit. */
  deliverTwice(file: Uint8Array): void {
    this.deliver(file);
    if (!this.downloading) throw new Error("the digest was expected to differ");
    this.deliver(file);
  }

  /** The whole way of a good update, from an idle device to `done` acknowledged. */
  update(file: Uint8Array, offer: Offer): void {
    this.connect();
    this.push(offer);
    this.deliver(file);
    this.ack("burning");
    this.connect();
    this.ack("outcome");
  }

  get outcomes(): string[] {
    return this.reports.flatMap(({ report }) =>
      report.kind !== "outcome"
        ? []
        : [report.outcome.kind === "done" ? "done" : `${report.outcome.cause}: ${report.outcome.message}`],
    );
  }

  #host(): JobHost {
    return {
      now: () => this.now,
      enter: (callback) => callback(),
      defer: (callback) => callback(),
      download: (request) => {
        this.downloads.push(request);
        this.downloading = true;
      },
      renew: (url) => {
        const { offset, size } = this.downloads.at(-1) ?? { offset: 0, size: 0 };
        this.downloads.push({ url, offset, size });
      },
      stopDownload: () => (this.downloading = false),
      report: (report, token) => this.reports.push({ report, token }),
      notify: (notice) => {
        assert.ok(!Object.isFrozen(notice), "an application may pass a notice to JSON.stringify on XS");
        this.notices.push(notice);
      },
      ask: (question, _task, answer) => this.#answer(question, answer),
      isGone: (error) => error instanceof PowerCut || error instanceof Restart,
      startRecorder: () => this.#options.recorder?.(),
      recorded: (recording) => this.recordings.push(recording),
      handled: (event, effects) => this.onHandled?.(event, effects),
    };
  }

  #answer(question: Exclude<Question, "install">, answer: (event: JobEvent) => void): void {
    const { consent, restart, health } = this.answers;
    switch (question) {
      case "consent":
        if (consent !== true) answer({ type: "consent", decision: consent === undefined ? "accept" : "reject" });
        return;
      case "restart":
        if (restart !== false) answer({ type: "restart" });
        return;
      case "health":
        if (health !== "silent") answer({ type: "health", ok: health ?? true, message: "sensor missing" });
    }
  }
}
