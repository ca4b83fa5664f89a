/**
 * The agent: the update job, its two connections and the ports, put together. It decides nothing; it hands events to
 * the job and is the job's host for what is not local. Each entry from the outside is guarded: a throw out of a socket
 * callback aborts the VM on a chip.
 */
import { SECTOR } from "../constants";
import { isUnconfirmed } from "../job/boot-table";
import type { Token } from "../job/effects";
import { DEFAULT_POLICY } from "../job/policy";
import type { Policy } from "../job/policy";
import type { Incoming } from "../platforms/platform";
import { refusalOfSignature } from "../signature/check";
import { readPublicKey } from "../signature/keys";
import { earlier } from "../util/earlier";
import { AgentHost } from "./agent-host";
import type { AgentOptions } from "./agent-options";
import { BrokerLink } from "./broker-link";
import { FileLink } from "./file-link";
import { JobRunner } from "./job-runner";
import type { MqttLink } from "./link";

/** The constructor throws on options that cannot work: no broker, a signing key that is none. */
export class OtaAgent {
  private readonly options: AgentOptions;
  private readonly policy: Policy;
  /** Points of the trusted keys; empty: no signature is asked for. */
  private readonly keys: readonly Uint8Array[];
  private readonly host: AgentHost;
  private readonly runner: JobRunner;
  private readonly file: FileLink;
  private readonly link: MqttLink;
  /** Set where the connection is our own: its deadlines are ours to keep. */
  private readonly broker: BrokerLink | undefined;
  private running = false;
  /** The connection to the broker was begun. */
  private started = false;
  /** The job decides what the boot means when this fires: a trial does not wait for `start`. */
  private bootTimer: number | undefined;
  private timer: { readonly handle: number; readonly at: number } | undefined;
  /** Why no connection can be tried yet, as `network` was told. */
  private missing: string | undefined;
  /** Of the trial, as it was told last. */
  private stage: string | undefined;

  constructor(options: AgentOptions) {
    const { ports, platform } = options;
    this.policy = { ...DEFAULT_POLICY, ...options.policy };
    this.keys = this.policy.signingKeys.map(readPublicKey);
    const buffer = new Uint8Array(SECTOR);
    const shared = {
      network: ports.network,
      clock: ports.clock,
      random: () => ports.crypto.random(),
      enter: (callback: () => void) => this.enter(callback),
    };
    this.options = options;
    this.host = new AgentHost(options, shared.enter);
    this.runner = new JobRunner(ports, buffer, new Map(Object.entries(options.modules ?? {})), this.host);
    this.file = new FileLink({
      ...shared,
      settings: { ...options.download, allowHttp: this.policy.allowHttp },
      buffer,
      dispatch: (event) => this.runner.dispatch(event),
      log: (line) => this.host.log(line),
    });
    this.broker =
      options.broker === undefined
        ? undefined
        : new BrokerLink({ ...shared, broker: options.broker, identity: () => platform.identity() });
    const link = options.link ?? this.broker;
    if (link === undefined) throw new Error("OtaAgent: broker or link required");
    this.link = link;
    this.host.connect(this.file, link);
    // `start` may be waiting for a network that firmware on trial never brings up.
    if (isUnconfirmed(ports.boot.running())) this.bootTimer = ports.clock.set(() => this.boot(), 0);
    ports.launcher?.take(this);
  }

  /** Longest trial of its firmware, s. */
  get trialSeconds(): number {
    return this.policy.trialSeconds;
  }

  /** Name of the job's state, for a screen or a test. */
  get state(): string {
    return this.runner.job?.state ?? "off";
  }

  /** Why no connection can be tried: "no address", "clock not set". Undefined: one can. */
  network(missing: string | undefined): void {
    this.missing = missing;
    this.enter(() => this.runner.dispatch({ type: "network", missing }));
  }

  /** Continues the job in hand and connects. Once. In a trial the deadline runs since the agent was constructed. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.boot();
    this.network(undefined);
    this.enter(() =>
      this.link.start(this.options.platform.subscriptions, {
        up: () => this.enter(() => this.runner.dispatch({ type: "link", up: true })),
        down: (reason) => this.enter(() => this.down(reason)),
        message: (topic, payload) => this.enter(() => this.incoming(this.options.platform.parse(topic, payload))),
        acked: (token) => this.enter(() => this.runner.dispatch({ type: "acked", token: token as Token })),
        warning: (message) => this.host.notify({ event: "warning", message }),
      }),
    );
  }

  /** Once, also when `start` comes later. */
  private boot(): void {
    if (this.running) return;
    this.running = true;
    this.cancelBootTimer();
    const { platform, lastFault, ports } = this.options;
    const trust =
      this.keys.length === 0
        ? {}
        : {
            refusalOfSignature: (hash: Uint8Array, trailer: Uint8Array) =>
              refusalOfSignature(hash, trailer, this.keys, ports.crypto),
          };
    this.enter(() => {
      this.runner.boot({ platform, policy: this.policy, lastFault: lastFault ?? ports.launcher?.lastFault, ...trust });
      this.runner.dispatch({ type: "network", missing: this.missing });
    });
  }

  private cancelBootTimer(): void {
    if (this.bootTimer !== undefined) this.options.ports.clock.clear(this.bootTimer);
    this.bootTimer = undefined;
  }

  /** Forgets which images were rolled back, refused or tried: the operator has mended what was wrong with them. */
  forget(): void {
    this.enter(() => this.runner.dispatch({ type: "forget" }));
  }

  /** Closes both connections and forgets the timer. What is stored stays. */
  stop(): void {
    this.running = false;
    this.started = false;
    this.stage = undefined;
    this.cancelBootTimer();
    this.file.stop();
    this.link.stop();
    if (this.timer !== undefined) this.options.ports.clock.clear(this.timer.handle);
    this.timer = undefined;
  }

  /* ---- entries from the outside ---- */

  private enter(callback: () => void): void {
    if (!this.running) return;
    try {
      callback();
    } catch (error) {
      // A fault of ours must neither abort the VM nor stop the agent from listening.
      this.host.notify({ event: "warning", message: `internal error: ${(error as Error).message}` });
    }
    this.tellTrial();
    this.arm();
  }

  /** What a trial waits for now, and how long it has left. */
  private tellTrial(): void {
    const trial = this.runner.job?.trial;
    if (trial?.stage === this.stage) return;
    this.stage = trial?.stage;
    const { launcher, clock } = this.options.ports;
    launcher?.stage(this.stage);
    if (trial === undefined) return;
    const secondsLeft = Math.max(0, Math.ceil((trial.until - clock.now()) / 1000));
    this.host.notify({ event: "trial", stage: trial.stage, secondsLeft });
  }

  private incoming(incoming: Incoming): void {
    switch (incoming.kind) {
      case "offer":
        return this.runner.dispatch({ type: "offer", offer: incoming.offer });
      case "refused":
        return this.runner.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
      case "version-answer":
        if (!incoming.accepted)
          this.host.notify({ event: "warning", message: `version report refused: ${incoming.message}` });
        return;
      case "ignored":
        return this.host.log(`message ignored: ${incoming.reason}`);
    }
  }

  private down(reason: string): void {
    this.host.log(`mqtt: ${reason}`);
    this.runner.dispatch({ type: "link", up: false, reason });
  }

  /* ---- time ---- */

  /** One timer for all deadlines. A later one is left to fire early: the download's moves with every byte. */
  private arm(): void {
    if (!this.running) return;
    const at = earlier(this.file.deadline(), earlier(this.runner.job?.deadline(), this.broker?.deadline()));
    if (at === undefined || (this.timer !== undefined && this.timer.at <= at)) return;
    const { clock } = this.options.ports;
    if (this.timer !== undefined) clock.clear(this.timer.handle);
    const handle = clock.set(() => this.tick(), Math.max(0, at - clock.now()));
    this.timer = { handle, at };
  }

  private tick(): void {
    this.timer = undefined;
    this.enter(() => {
      this.broker?.tick();
      this.file.tick();
      this.runner.dispatch({ type: "tick" });
    });
  }
}
