/**
 * The agent: the update job, its two connections and the ports, put together. It decides nothing; it hands events to
 * the job and is the job's host for what is not local. Each entry from the outside is guarded: a throw out of a socket
 * callback aborts the VM on a chip.
 */
import { SECTOR, SECTOR_SURPLUS, SLEEP_CLOSE } from "../constants";
import { isUnconfirmed } from "../job/boot-table";
import { DEFAULT_POLICY } from "../job/policy";
import type { Policy } from "../job/policy";
import { installersOf } from "../modules/installers";
import type { CloudLink } from "../platforms/platform";
import { signatureCheck } from "../signature/trust";
import type { SignatureCheck } from "../signature/trust";
import { earlier } from "../util/earlier";
import { AgentHost } from "./agent-host";
import type { AgentOptions } from "./agent-options";
import type { ByteSource, SourceOptions } from "./byte-source";
import { CloudListener } from "./cloud-listener";
import { FileLink } from "./file-link";
import { JobRunner } from "./job-runner";
import type { Timed } from "../protocol/driver";
import { SourceByScheme } from "./source-by-scheme";
import { Wake } from "./sleep";

/** The constructor throws on options that cannot work: no broker, no key, an option of a feature that was left out. */
export class OtaAgent {
  private readonly options: AgentOptions;
  private readonly policy: Policy;
  /** Undefined: no signature is asked for. */
  private readonly refusalOfSignature: SignatureCheck | undefined;
  private readonly host: AgentHost;
  private readonly runner: JobRunner;
  private readonly file: ByteSource;
  private readonly link: CloudLink;
  private readonly listener: CloudListener;
  private running = false;
  /** The connection to the broker was begun. */
  private started = false;
  /** The job decides what the boot means when this fires: a trial does not wait for `start`. */
  private bootTimer: number | undefined;
  /** What the link was told last, ms. */
  private reconnectWithin: number | undefined;
  private timer: { readonly handle: number; readonly at: number } | undefined;
  /** Why no connection can be tried yet, as `network` was told. */
  private missing: string | undefined;
  /** Calls of `enter` inside of each other. */
  private depth = 0;
  /** Of the trial, as it was told last. */
  private stage: string | undefined;
  private readonly wake: Wake;
  /** Seconds that the application wants to sleep. */
  private sleepSeconds: number | undefined;

  constructor(options: AgentOptions) {
    const { ports, platform } = options;
    this.policy = { ...DEFAULT_POLICY, ...options.policy };
    this.refusalOfSignature = signatureCheck(this.policy.signingKeys, ports.crypto);
    const buffer = new Uint8Array(SECTOR + SECTOR_SURPLUS);
    const shared = {
      network: ports.network,
      clock: ports.clock,
      random: () => ports.crypto.random(),
      enter: (callback: () => void, link?: Timed) => this.enter(callback, link),
    };
    this.options = options;
    this.host = new AgentHost(options, shared.enter);
    this.runner = new JobRunner(ports, buffer, installersOf(options.modules), this.host);
    const sink: SourceOptions = {
      random: shared.random,
      dispatch: (event) => {
        this.runner.dispatch(event);
        if (event.type === "sector") this.wake.sector(event.bytes.length, ports.clock.now());
      },
      log: (line, idle) => this.listener.say(line, idle),
    };
    const running = ports.boot.running();
    const { allowHttp } = this.policy;
    const file = new FileLink({ ...shared, ...sink, platform, settings: { ...options.download, allowHttp }, buffer });
    this.link = platform.link({ ...shared, broker: options.broker, mqtt: options.link, allowHttp, running });
    const other = this.link.source?.(sink);
    this.file = other === undefined ? file : new SourceByScheme(file, other);
    this.host.connect(this.file, this.link);
    this.wake = new Wake(options.wake ?? {}, platform.rules.versionReport, ports.clock.now());
    const { host, runner, wake, link } = this;
    this.listener = new CloudListener({ clock: ports.clock, host, runner, wake, link });
    // `start` may be waiting for a network that firmware on trial never brings up.
    if (isUnconfirmed(running)) this.bootTimer = ports.clock.set(() => this.boot(), 0);
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
    this.enter(() => {
      this.link.start(this.listener);
    }, this.link);
  }

  /** Once, also when `start` comes later. */
  private boot(): void {
    if (this.running) return;
    this.running = true;
    this.cancelBootTimer();
    const { refusalOfSignature } = this;
    const { platform, lastFault, ports } = this.options;
    const trust = refusalOfSignature === undefined ? {} : { refusalOfSignature };
    const options = { platform, policy: this.policy, withoutAddress: !this.started, ...trust };
    this.enter(() => {
      this.runner.boot({ ...options, lastFault: lastFault ?? ports.launcher?.lastFault });
      if (this.missing !== undefined) this.runner.dispatch({ type: "network", missing: this.missing });
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

  /**
   * Seconds that a battery device may sleep now. 0: not now, the agent is at work and the wake's budget is not used up.
   * A number: so long at most, because a trial waits for its cloud. Infinity: as long as the application likes.
   */
  maySleep(): number {
    const { job } = this.runner;
    return this.wake.maySleep(job?.name, this.file.fetching, this.options.ports.clock.now());
  }

  /**
   * The application needs this wake no more. The agent goes on with what it has in hand, until there is nothing more to
   * do or the wake's budget (`AgentOptions.wake`) is used up. Then it finishes the sector in hand, stores and reports
   * what it must, closes its connections and calls `Boot.sleep`: the device sleeps until `seconds` from then, or less
   * where `maySleep` says so. A restart into new firmware comes first; the application calls this at every start. The
   * latest call counts. Throws where `seconds` is not above 0.
   */
  sleepUntil(seconds: number): void {
    if (!(seconds > 0 && seconds < Infinity)) throw new Error("sleepUntil: a number of seconds above 0");
    this.sleepSeconds = seconds;
    this.file.sleeps = true;
    this.settle(seconds);
    this.arm();
  }

  /** Closes both connections and forgets the timer. What is stored stays. */
  stop(): void {
    this.sleepSeconds = undefined;
    this.running = this.started = false;
    this.stage = undefined;
    this.options.ports.launcher?.release(this);
    this.cancelBootTimer();
    this.file.stop();
    this.link.stop();
    if (this.timer !== undefined) this.options.ports.clock.clear(this.timer.handle);
    this.timer = undefined;
  }

  /** `link`: whose deadline may change although nobody else is concerned. */
  private enter(callback: () => void, link?: Timed): void {
    if (!this.running) return;
    this.depth++;
    try {
      callback();
      if (this.sleepSeconds !== undefined) this.settle(this.sleepSeconds);
    } catch (error) {
      // A fault of ours must neither abort the VM nor stop the agent from listening.
      this.host.notify({ event: "warning", message: `internal error: ${(error as Error).message}` });
    }
    const { moved } = this.runner;
    // An answer may come from inside of the question.
    if (--this.depth === 0 && moved) this.follow();
    if (moved || link !== undefined) this.arm(moved ? undefined : link);
  }

  /** What depends on the job alone. */
  private follow(): void {
    this.runner.moved = false;
    this.tellTrial();
    this.setUrgency();
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

  /* ---- sleep ---- */

  /** Sleeps if the application wants to and the agent may. */
  private settle(wanted: number): void {
    const { file, wake } = this;
    const now = this.options.ports.clock.now();
    if (wake.fetchEnds(now)) file.drain();
    const most = this.maySleep();
    if (most > 0 && (!file.fetching || wake.cutsOff(now))) this.leave(Math.ceil(Math.min(wanted, most)));
  }

  private leave(seconds: number): void {
    const { clock } = this.options.ports;
    this.runner.dispatch({ type: "sleep", seconds });
    // A trial that has reached its bounds rolls back instead.
    if (this.maySleep() === 0) return;
    this.stop();
    // The broker is told, or it would push to a device that does not listen: that costs nothing but this moment.
    this.timer = { handle: clock.set(() => this.sleep(seconds), SLEEP_CLOSE), at: 0 };
  }

  private sleep(seconds: number): void {
    this.timer = undefined;
    this.host.notify({ event: "sleep", seconds });
    try {
      this.options.ports.boot.sleep(seconds);
    } catch (error) {
      // In a trial that could not be armed again the sleep would take the firmware away.
      this.host.notify({ event: "warning", message: `stays awake: ${(error as Error).message}` });
      this.start();
    }
  }

  /* ---- time ---- */

  /**
   * One timer for all deadlines. A later one is left to fire early: the download's moves with every byte. `link`: the only
   * one whose deadline may have changed.
   */
  private arm(link?: Timed): void {
    const sleeps = this.sleepSeconds !== undefined;
    if (!this.running && !sleeps) return;
    let at =
      link === undefined
        ? earlier(this.file.deadline(), earlier(this.runner.job?.deadline(), this.link.deadline()))
        : link.deadline();
    const { clock } = this.options.ports;
    if (sleeps) at = earlier(at, this.wake.deadline(clock.now()));
    const { timer } = this;
    if (at === undefined || (timer !== undefined && timer.at <= at)) return;
    if (timer !== undefined) clock.clear(timer.handle);
    const handle = clock.set(() => this.tick(), Math.max(0, at - clock.now()));
    this.timer = { handle, at };
  }

  /** How soon a lost connection is made again depends on what the job has in hand. */
  private setUrgency(): void {
    const within = this.runner.job?.reconnectWithin;
    if (within === undefined || within === this.reconnectWithin) return;
    this.reconnectWithin = within;
    this.link.urgency(within);
  }

  private tick(): void {
    this.timer = undefined;
    this.enter(() => {
      this.link.tick();
      this.file.tick();
      const { job } = this.runner;
      // Nearly always the timer was a link's.
      if (job !== undefined && (job.deadline() ?? Infinity) <= this.options.ports.clock.now())
        this.runner.dispatch({ type: "tick" });
    });
    // The network has not come up yet.
    if (!this.running && this.sleepSeconds !== undefined) this.settle(this.sleepSeconds);
    this.arm();
  }
}
