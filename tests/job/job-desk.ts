/**
 * The update job on a real board in memory (flash with NOR rules, NVS, bootloader), with the network left out: the test plays the
 * cloud (push, acknowledge) and the file server (deliver). The whole agent over sockets is tested elsewhere.
 */
import { createHash } from "node:crypto";
import type { ResetReason } from "../../src/ports";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { buildImage } from "../../hal/model-chip/build-image";
import { Executor } from "../../src/agent/executor";
import type { LocalEffect } from "../../src/agent/executor";
import { SECTOR } from "../../src/constants";
import type { JobEffect, JobEvent, Notice, Token } from "../../src/job/effects";
import { UpdateJob } from "../../src/job/job";
import { DEFAULT_POLICY } from "../../src/job/policy";
import type { Policy } from "../../src/job/policy";
import type { Offer } from "../../src/job/types";
import type { ModuleInstaller } from "../../src/modules/installer";
import type { PlatformRules, Report } from "../../src/platforms/platform";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

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

export interface DeskOptions {
  readonly factory?: Uint8Array;
  readonly policy?: Partial<Policy>;
  readonly rules?: Partial<PlatformRules>;
  /** Absent: no signature is asked for. */
  readonly refusalOfSignature?: (hash: Uint8Array, trailer: Uint8Array) => string | undefined;
  /** Default "tencent". */
  readonly platform?: string;
  /** Installers by the names of their modules, new ones for each start of the firmware. */
  readonly modules?: (board: MemoryBoard) => { readonly [name: string]: ModuleInstaller };
  /** Answers of the application; absent: yes, at once. */
  readonly answers?: { readonly consent?: boolean; readonly restart?: boolean; readonly health?: boolean | "silent" };
}

export class JobDesk {
  readonly board: MemoryBoard;
  readonly reports: { readonly report: Report; readonly token: Token | undefined }[] = [];
  readonly notices: Notice[] = [];
  /** What the job asked of the downloader, latest last. */
  readonly downloads: { url: string; offset: number; size: number }[] = [];
  downloading = false;
  now = 0;
  answers: NonNullable<DeskOptions["answers"]>;
  readonly #options: DeskOptions;
  #job: UpdateJob | undefined;
  #executor: Executor | undefined;
  #queue: JobEvent[] = [];

  constructor(options: DeskOptions = {}) {
    this.#options = options;
    this.answers = options.answers ?? {};
    this.board = new MemoryBoard({
      factoryImage: options.factory ?? image("0.1.0"),
      table: partitionTableFor(4 << 20),
    });
    this.powerOn();
  }

  get state(): string {
    return this.#job?.state ?? "off";
  }
  get running(): { version: string; slot: string; state: string } {
    const { version, slot, state } = this.board.ports.boot.running();
    return { version, slot, state };
  }
  get job(): UpdateJob {
    if (this.#job === undefined) throw new Error("not powered");
    return this.#job;
  }

  powerOn(reason: ResetReason = "power-on"): void {
    const result = this.board.powerOn(reason);
    if (result.bricked !== undefined) throw new Error(`bricked: ${result.bricked}`);
    const { flash, boot, store } = this.board.ports;
    const crypto = new NodeCrypto(() => 0.5);
    const ports = { flash, boot, store, crypto, network: unused, clock: unused } as unknown as ConstructorParameters<
      typeof Executor
    >[0];
    const modules = new Map(Object.entries(this.#options.modules?.(this.board) ?? {}));
    this.#executor = new Executor(ports, new Uint8Array(SECTOR), modules);
    this.downloading = false;
    this.#queue = [];
    const facts = {
      running: boot.running(),
      target: boot.target(),
      slotSize: flash.size,
      resetReason: boot.resetReason(),
      lastInvalid: boot.lastInvalid(),
      stored: this.#executor.snapshot(),
    };
    const platform = { name: this.#options.platform ?? "tencent", rules: { ...RULES, ...this.#options.rules } };
    const capacityOf = (part: string): number | undefined => modules.get(part)?.capacity;
    const policy = { ...DEFAULT_POLICY, allowHttp: true, ...this.#options.policy };
    const { refusalOfSignature } = this.#options;
    const trust = refusalOfSignature === undefined ? {} : { refusalOfSignature };
    this.#job = new UpdateJob(
      { platform, policy, capacityOf, digest: (algorithm) => crypto.digest(algorithm), ...trust },
      facts,
    );
    this.dispatch({ type: "boot" });
  }

  dispatch(event: JobEvent): void {
    this.#queue.push(event);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const effect of this.job.handle(next, this.now)) {
        try {
          const answer = this.#carryOut(effect);
          if (answer !== undefined) this.#queue.push(answer);
        } catch (error) {
          if (error instanceof PowerCut) throw error;
          this.#queue.push({ type: "effect-failed", effect: effect.type, message: (error as Error).message });
          break;
        }
        if (this.board.restartWanted !== undefined) return this.powerOn("software");
      }
    }
  }

  /** A connection, and the cloud's acknowledgement of the version where one was reported. */
  connect(acknowledge = true): void {
    const before = this.reports.length;
    this.dispatch({ type: "link", up: true });
    if (acknowledge && this.reports.slice(before).some((each) => each.token === "version"))
      this.dispatch({ type: "acked", token: "version" });
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

  /** Plays the file server from the offset that was asked for, up to `until` bytes; then `finished`. */
  deliver(file: Uint8Array, until = file.length): void {
    if (this.downloading) this.dispatch({ type: "total", size: file.length, validator: undefined });
    const from = this.downloads.at(-1)?.offset ?? 0;
    for (let offset = from; offset < until && this.downloading; offset += SECTOR) {
      this.now += 50;
      this.dispatch({ type: "sector", offset, bytes: file.slice(offset, Math.min(offset + SECTOR, file.length)) });
    }
    if (until >= file.length && this.downloading) this.dispatch({ type: "finished" });
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

  /** Installers that answer later are tested with the whole agent. */
  #install(): JobEvent | undefined {
    let answer: JobEvent | undefined;
    this.#executor?.installer.finish(
      (error) => (answer = { type: "install", ok: error === undefined, message: error?.message ?? "" }),
    );
    return answer;
  }

  #carryOut(effect: JobEffect): JobEvent | undefined {
    switch (effect.type) {
      case "report":
        this.reports.push({ report: effect.report, token: effect.token });
        return undefined;
      case "notify":
        this.notices.push(effect.notice);
        return undefined;
      case "download":
        this.downloads.push(effect);
        this.downloading = true;
        return undefined;
      case "renew":
        this.downloads.push({
          url: effect.url,
          offset: this.downloads.at(-1)?.offset ?? 0,
          size: this.downloads.at(-1)?.size ?? 0,
        });
        return undefined;
      case "stop-download":
        this.downloading = false;
        return undefined;
      case "yield":
        return { type: "turn" };
      case "ask": {
        const { question } = effect;
        if (question === "consent")
          return this.answers.consent === undefined
            ? { type: "consent", decision: "accept" }
            : this.answers.consent
              ? undefined
              : { type: "consent", decision: "reject" };
        if (question === "install") return this.#install();
        if (question === "restart") return this.answers.restart === false ? undefined : { type: "restart" };
        return this.answers.health === "silent"
          ? undefined
          : { type: "health", ok: this.answers.health ?? true, message: "sensor missing" };
      }
      default:
        return this.#executor?.execute(effect as LocalEffect);
    }
  }
}

const unused = new Proxy({}, { get: () => () => assertUnreachable() });
function assertUnreachable(): never {
  throw new Error("the job reached for the network or the clock");
}
