/**
 * The agent: the update job, its two connections and the ports, put together. It owns no decision; it hands events to the job
 * and carries out what the job answers, one event at a time, each entry from the outside guarded (a throw out of a socket
 * callback aborts the whole VM on a chip).
 */
import type { Ports } from "../ports";
import { SECTOR } from "../constants";
import type { DownloadOptions } from "../download/outputs";
import { isUnconfirmed } from "../job/boot-judgement";
import type { JobEffect, JobEvent, Notice, Question, Token } from "../job/effects";
import { UpdateJob } from "../job/job";
import { DEFAULT_POLICY } from "../job/policy";
import type { Policy } from "../job/policy";
import type { Offer, Task } from "../job/types";
import type { ModuleInstaller } from "../modules/installer";
import type { Incoming, Platform } from "../platforms/platform";
import { refusalOfSignature } from "../signature/check";
import { readPublicKey } from "../signature/keys";
import { earlier } from "../util/earlier";
import { BrokerLink } from "./broker-link";
import type { BrokerAddress } from "./broker-link";
import { Executor } from "./executor";
import { FileLink } from "./file-link";
import type { MqttLink } from "./link";

export interface AgentOptions {
  readonly ports: Ports;
  readonly platform: Platform;
  readonly policy?: Partial<Policy>;
  /** The agent's own connection to the broker ... */
  readonly broker?: BrokerAddress;
  /** ... or one that the application lends. One of the two is required. */
  readonly link?: MqttLink;
  /** How files are asked for: bytes at a time, and whether ThingsPanel's checksum of each range is looked at. */
  readonly download?: Pick<DownloadOptions, "range" | "crc16">;
  /** Who takes the modules that are not the firmware, by their names in offers. Others are refused. */
  readonly modules?: { readonly [name: string]: ModuleInstaller };
  /** What ended the last run (`Device.lastFault`): the report of a rollback says it, where it was the new firmware's. */
  readonly lastFault?: string | undefined;
  /** Everything worth watching. */
  onNotice?(notice: Notice): void;
  /** An offer wants to begin. Answer now or later, once. Default: accept. */
  onOffer?(offer: Offer, answer: (decision: "accept" | "reject") => void): void;
  /** The new image is proven and the chip would restart. Call `proceed` when it may. Default: at once. */
  onRestart?(task: Task, proceed: () => void): void;
  /** New firmware has reached the cloud: is the application well? Answer before the trial ends. Default: yes. */
  onHealthCheck?(answer: (ok: boolean, message?: string) => void): void;
}

/** Throws out of its constructor on options that can not work: no broker, a signing key that is none. */
export class OtaAgent {
  readonly #options: AgentOptions;
  readonly #policy: Policy;
  /** Points of the trusted keys; empty: no signature is asked for. */
  readonly #keys: readonly Uint8Array[];
  #job: UpdateJob | undefined;
  readonly #installers: ReadonlyMap<string, ModuleInstaller>;
  readonly #executor: Executor;
  readonly #file: FileLink;
  readonly #link: MqttLink;
  /** Set where the connection is our own: its deadlines are ours to keep. */
  readonly #broker: BrokerLink | undefined;
  readonly #events: JobEvent[] = [];
  #dispatching = false;
  #running = false;
  /** The connection to the broker was begun. */
  #started = false;
  /** The boot is judged when this fires: a trial does not wait for `start`. */
  #judging: number | undefined;
  #timer: { readonly handle: number; readonly at: number } | undefined;
  #asked = 0;

  constructor(options: AgentOptions) {
    const { ports, platform } = options;
    this.#policy = { ...DEFAULT_POLICY, ...options.policy };
    this.#keys = this.#policy.signingKeys.map(readPublicKey);
    const buffer = new Uint8Array(SECTOR);
    const shared = {
      network: ports.network,
      clock: ports.clock,
      random: () => ports.crypto.random(),
      enter: (callback: () => void) => this.enter(callback),
    };
    this.#options = options;
    this.#installers = new Map(Object.entries(options.modules ?? {}));
    this.#executor = new Executor(ports, buffer, this.#installers);
    this.#file = new FileLink({
      ...shared,
      settings: { ...options.download, allowHttp: this.#policy.allowHttp },
      buffer,
      dispatch: (event) => this.dispatch(event),
      log: (line) => this.log(line),
    });
    this.#broker =
      options.broker === undefined
        ? undefined
        : new BrokerLink({ ...shared, broker: options.broker, identity: () => platform.identity() });
    const link = options.link ?? this.#broker;
    if (link === undefined) throw new Error("OtaAgent: broker or link required");
    this.#link = link;
    // `start` may be waiting for a network that firmware on trial never brings up.
    if (isUnconfirmed(ports.boot.running())) this.#judging = ports.clock.set(() => this.judge(), 0);
  }

  /** Name of the job's state, for a screen or a test. */
  get state(): string {
    return this.#job?.state ?? "off";
  }

  /** Goes on with the job in hand and connects. Once. In a trial the boot was judged, and the deadline runs, since the agent was constructed. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.judge();
    this.enter(() =>
      this.#link.start(this.#options.platform.subscriptions, {
        up: () => this.enter(() => this.dispatch({ type: "link", up: true })),
        down: (reason) => this.enter(() => this.down(reason)),
        message: (topic, payload) => this.enter(() => this.incoming(this.#options.platform.parse(topic, payload))),
        acked: (token) => this.enter(() => this.dispatch({ type: "acked", token: token as Token })),
        warning: (message) => this.notify({ event: "warning", message }),
      }),
    );
  }

  /** Once, also when `start` comes later. */
  private judge(): void {
    if (this.#running) return;
    this.#running = true;
    this.forgetJudging();
    const { boot, flash, crypto } = this.#options.ports;
    this.enter(() => {
      const facts = {
        running: boot.running(),
        target: boot.target(),
        slotSize: flash.size,
        resetReason: boot.resetReason(),
        lastInvalid: boot.lastInvalid(),
        lastFault: this.#options.lastFault,
        stored: this.#executor.snapshot(),
      };
      const { platform } = this.#options;
      const capacityOf = (part: string): number | undefined => this.#installers.get(part)?.capacity;
      const trust =
        this.#keys.length === 0
          ? {}
          : {
              refusalOfSignature: (hash: Uint8Array, trailer: Uint8Array) =>
                refusalOfSignature(hash, trailer, this.#keys, crypto),
            };
      this.#job = new UpdateJob(
        { platform, policy: this.#policy, capacityOf, digest: (algorithm) => crypto.digest(algorithm), ...trust },
        facts,
      );
      this.dispatch({ type: "boot" });
    });
  }

  private forgetJudging(): void {
    if (this.#judging !== undefined) this.#options.ports.clock.clear(this.#judging);
    this.#judging = undefined;
  }

  /** Forgets which images were rolled back, refused or tried: the operator has mended what was wrong with them. */
  forget(): void {
    this.enter(() => this.dispatch({ type: "forget" }));
  }

  /** Closes both connections and forgets the timer. What is stored stays. */
  stop(): void {
    this.#running = false;
    this.#started = false;
    this.forgetJudging();
    this.#file.stop();
    this.#link.stop();
    if (this.#timer !== undefined) this.#options.ports.clock.clear(this.#timer.handle);
    this.#timer = undefined;
  }

  /* ---- entries from the outside ---- */

  private enter(callback: () => void): void {
    if (!this.#running) return;
    try {
      callback();
    } catch (error) {
      // A fault of ours must neither abort the VM nor stop the agent from listening.
      this.notify({ event: "warning", message: `internal error: ${(error as Error).message}` });
    }
    this.arm();
  }

  private incoming(incoming: Incoming): void {
    switch (incoming.kind) {
      case "offer":
        return this.dispatch({ type: "offer", offer: incoming.offer });
      case "refused":
        return this.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
      case "version-answer":
        if (!incoming.accepted)
          this.notify({ event: "warning", message: `version report refused: ${incoming.message}` });
        return;
      case "ignored":
        return this.log(`message ignored: ${incoming.reason}`);
    }
  }

  private down(reason: string): void {
    this.log(`mqtt: ${reason}`);
    this.dispatch({ type: "link", up: false });
  }

  /* ---- the job ---- */

  /** One event after the other: what happens while one is handled waits. Returns when all are done. */
  private dispatch(event: JobEvent): void {
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift())
        this.carryOut(this.#job?.handle(next, this.now()) ?? []);
    } finally {
      this.#dispatching = false;
      this.#events.length = 0;
    }
  }

  private carryOut(effects: readonly JobEffect[]): void {
    // By index: an iterator would stay in memory while a sector is stored.
    for (let index = 0; index < effects.length; index++) {
      const effect = effects[index]!;
      try {
        const answer = this.execute(effect);
        if (answer !== undefined) this.#events.push(answer);
      } catch (error) {
        // What stands behind it relied on it.
        this.#events.push({ type: "effect-failed", effect: effect.type, message: (error as Error).message });
        return;
      }
    }
  }

  private execute(effect: JobEffect): JobEvent | undefined {
    switch (effect.type) {
      case "download":
        this.#file.start(effect);
        return undefined;
      case "renew":
        this.#file.renew(effect.url);
        return undefined;
      case "stop-download":
        this.#file.stop();
        return undefined;
      case "report": {
        const message = this.#options.platform.encode(effect.report);
        if (message !== undefined) this.#link.publish(message, effect.token);
        return undefined;
      }
      case "ask":
        this.ask(effect.question, effect.task);
        return undefined;
      case "notify":
        this.notify(effect.notice);
        return undefined;
      case "yield":
        this.#options.ports.clock.set(() => this.enter(() => this.dispatch({ type: "turn" })), 0);
        return undefined;
      default:
        return this.#executor.execute(effect);
    }
  }

  /** Only the latest question of all may still be answered, and only once. */
  private ask(question: Question, task: Task): void {
    const number = ++this.#asked;
    const answer = (event: JobEvent): void => {
      if (number !== this.#asked) return;
      this.#asked++;
      this.enter(() => this.dispatch(event));
    };
    const { onOffer, onRestart, onHealthCheck } = this.#options;
    switch (question) {
      case "consent":
        if (onOffer === undefined) return answer({ type: "consent", decision: "accept" });
        return onOffer.call(this.#options, task as Offer, (decision) => answer({ type: "consent", decision }));
      case "restart":
        if (onRestart === undefined) return answer({ type: "restart" });
        return onRestart.call(this.#options, task, () => answer({ type: "restart" }));
      case "health":
        if (onHealthCheck === undefined) return answer({ type: "health", ok: true, message: "" });
        return onHealthCheck.call(this.#options, (ok, message) =>
          answer({ type: "health", ok, message: message ?? "no reason given" }),
        );
      case "install":
        try {
          return this.#executor.installer.finish((error) =>
            answer({ type: "install", ok: error === undefined, message: error?.message ?? "" }),
          );
        } catch (error) {
          return answer({ type: "install", ok: false, message: (error as Error).message });
        }
    }
  }

  private notify(notice: Notice): void {
    try {
      this.#options.onNotice?.(notice);
    } catch (error) {
      this.log(`onNotice: ${(error as Error).message}`);
    }
  }

  private log(line: string): void {
    this.#options.ports.log?.(line);
  }

  /* ---- time ---- */

  private now(): number {
    return this.#options.ports.clock.now();
  }

  /** One timer for all deadlines. A later one is left to fire early: the download's moves with every byte. */
  private arm(): void {
    if (!this.#running) return;
    const at = earlier(this.#file.deadline(), earlier(this.#job?.deadline(), this.#broker?.deadline()));
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    const { clock } = this.#options.ports;
    if (this.#timer !== undefined) clock.clear(this.#timer.handle);
    const handle = clock.set(() => this.tick(), Math.max(0, at - this.now()));
    this.#timer = { handle, at };
  }

  private tick(): void {
    this.#timer = undefined;
    this.enter(() => {
      this.#broker?.tick();
      this.#file.tick();
      this.dispatch({ type: "tick" });
    });
  }
}
