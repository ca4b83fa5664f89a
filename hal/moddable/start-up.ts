/**
 * The start of every device, whatever its platform: what ended the last run, the abort hook, the trial of new firmware,
 * and the agent, which starts by itself when the network is there. An application hands `powerOn` its `main`; what it
 * forgets or does wrong in a trial ends in a rollback with the cause:
 *
 * | mistake | ends |
 * |---|---|
 * | `main` throws, or its promise is rejected | at once |
 * | an exception later, or a rejected promise that nobody handles | at once, by the abort hook |
 * | no agent | TRIAL_SECONDS after the start, or when the network comes after that |
 * | an agent that was stopped | two minutes after twice its trial |
 * | `powerOn` is never called | by the bootloader, or the deadline of the start-up in C |
 */
import { TRIAL_SECONDS, TRIAL_SECONDS_MAX } from "../../src/constants";
import { isUnconfirmed } from "../../src/job/boot-table";
import type { Launched, Launcher, Ports, Running } from "../../src/ports";
import type { Device, Main, Program, Setting } from "./device";
import { installAbortHook, noteRestarts } from "./fault-record";
import type { AbortHost, FaultRecord } from "./fault-record";

export interface StartUpParts {
  /** Of the device, without a launcher. */
  readonly ports: Ports;
  readonly faults: FaultRecord;
  /** `globalThis`. */
  readonly host: AbortHost;
  setting(key: string): Setting;
  /**
   * Brings network and clock up, and keeps them. Called once, and only where something needs a network. `missing`: what
   * is not there yet ("no address", "clock not set"); undefined: a connection can be tried. Never called from inside.
   */
  connect(missing: (what: string | undefined) => void): void;
}

/** Beyond the agent's own deadline and its one extension, ms. */
const MARGIN = 120_000;
const NOTHING: Program = Object.freeze({ stop() {} });

/** Runs `main`. Returns what it returned; what `main` throws outside of a trial is thrown on. */
export const startUp = (main: Main, parts: StartUpParts): Program => new StartUp(parts).run(main);

class StartUp implements Launcher {
  readonly lastFault: string | undefined;
  private readonly parts: StartUpParts;
  private readonly running: Running;
  private readonly agents: Launched[] = [];
  private readonly waiting: (() => void)[] = [];
  private missing: string | undefined = "no address";
  private connecting = false;
  /** Network and clock were there once. */
  private ready = false;
  /** Ends a trial that no agent ends. */
  private guard: number | undefined;
  /** The application has stopped an agent. */
  private stopped = false;

  constructor(parts: StartUpParts) {
    const { ports, faults, host } = parts;
    this.parts = parts;
    this.running = ports.boot.running();
    this.lastFault = faults.begin(ports.boot.resetReason(), this.onTrial);
    noteRestarts(ports.boot, faults);
    installAbortHook(host, {
      faults,
      version: this.running.version,
      restart: () => this.leave(),
      rejected: (error) => this.rejected(error),
    });
  }

  run(main: Main): Program {
    if (this.lastFault !== undefined) this.log(`the last run ended: ${this.lastFault}`);
    if (this.onTrial) {
      this.log(`trial: firmware ${this.running.version} has to prove itself`);
      this.stage("start of the app");
      this.end(TRIAL_SECONDS);
    }
    const program = this.start(main);
    if (this.onTrial && this.agents.length === 0)
      this.stage(this.stopped ? "the agent was stopped" : "no agent was constructed");
    return program;
  }

  private start(main: Main): Program {
    const { ports, setting } = this.parts;
    const device: Device = {
      ports: { ...ports, launcher: this },
      setting,
      connect: (ready) => this.whenReady(ready),
      lastFault: this.lastFault,
    };
    try {
      const program = main(device) as Program & Partial<PromiseLike<Program>>;
      program?.then?.(undefined, (error: unknown) => this.failed(error));
      return program ?? NOTHING;
    } catch (error) {
      this.failed(error);
      return NOTHING;
    }
  }

  /** `main` did. Firmware that was confirmed goes on as the engine does without this. */
  private failed(error: unknown): void {
    if (!this.onTrial) throw error;
    this.giveUp(String(error));
  }

  /** It may be all that is left of a start that failed. Confirmed firmware goes on. */
  private rejected(error: unknown): void {
    const why = `unhandled rejection: ${String(error)}`;
    this.log(why);
    if (isUnconfirmed(this.parts.ports.boot.running())) this.giveUp(why);
  }

  /* ---- the trial ---- */

  private get onTrial(): boolean {
    return isUnconfirmed(this.running);
  }

  stage(stage: string | undefined): void {
    const { ports, faults } = this.parts;
    if (stage !== undefined) return faults.stage(this.running.version, stage);
    // An agent that leaves its trial by a rollback has this called as well.
    if (isUnconfirmed(ports.boot.running())) return;
    this.cancelGuard();
    ports.boot.deadline(0);
    faults.stage(this.running.version, undefined);
  }

  private end(seconds: number): void {
    const { boot, clock } = this.parts.ports;
    this.cancelGuard();
    this.guard = clock.set(() => this.expired(seconds), seconds * 1000);
    // Where JavaScript does not run any more. It stays behind what waits for the network.
    boot.deadline(Math.max(seconds, TRIAL_SECONDS_MAX) * 1000 + MARGIN);
  }

  private expired(seconds: number): void {
    // The app may construct its agent when the network is there.
    if (this.agents.length > 0 || !this.connecting || this.ready) return this.unproven(seconds);
    const rest = (TRIAL_SECONDS_MAX - seconds) * 1000;
    this.guard = this.parts.ports.clock.set(() => this.unproven(TRIAL_SECONDS_MAX), rest);
  }

  private unproven(seconds: number): void {
    this.guard = undefined;
    if (isUnconfirmed(this.parts.ports.boot.running())) this.giveUp(`not confirmed within ${seconds} s`);
  }

  private cancelGuard(): void {
    if (this.guard !== undefined) this.parts.ports.clock.clear(this.guard);
    this.guard = undefined;
  }

  private giveUp(why: string): void {
    this.parts.faults.record(this.running.version, why);
    this.log(`trial: rolled back: ${why}`);
    this.leave();
  }

  /** Firmware on trial is given up, which no bootloader has to be asked for. */
  private leave(): void {
    const { boot } = this.parts.ports;
    if (isUnconfirmed(boot.running())) boot.rollback();
    // The rollback returns where there is no other image.
    boot.restart();
  }

  /* ---- agents and their network ---- */

  take(agent: Launched): void {
    if (this.onTrial && this.agents.length === 0) this.end(2 * agent.trialSeconds + MARGIN / 1000);
    this.agents.push(agent);
    agent.network(this.missing);
    if (this.ready) this.parts.ports.clock.set(() => this.agents.includes(agent) && agent.start(), 0);
    else this.begin();
  }

  release(agent: Launched): void {
    const index = this.agents.indexOf(agent);
    if (index < 0) return;
    this.agents.splice(index, 1);
    this.stopped = true;
  }

  private whenReady(ready: () => void): void {
    if (this.ready) return void this.parts.ports.clock.set(ready, 0);
    this.waiting.push(ready);
    this.begin();
  }

  /** After `main`. */
  private begin(): void {
    if (this.connecting) return;
    this.connecting = true;
    this.parts.ports.clock.set(() => this.parts.connect((missing) => this.network(missing)), 0);
  }

  private network(missing: string | undefined): void {
    this.missing = missing;
    if (missing !== undefined || this.ready) return this.agents.forEach((agent) => agent.network(missing));
    this.ready = true;
    this.agents.forEach((agent) => agent.start());
    this.waiting.splice(0).forEach((ready) => ready());
  }

  private log(line: string): void {
    this.parts.ports.log?.(line);
  }
}
