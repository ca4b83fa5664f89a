/**
 * Drives the update job: hands the boot's facts and events to it, one event after the other, and executes the effects
 * in their order. Flash, store, installers and boot choice are executed here through the ports; what is not local is
 * the host's.
 */
import type { Boot, Crypto, Expander, Flash, Retained, Store } from "../ports";
import { identify } from "../image/identify";
import type { EffectOf, JobEffect, JobEvent, JobOptions, Notice, Question, Token } from "../job/effects";
import { UpdateJob } from "../job/machine";
import { readRecords } from "../job/records";
import type { Task } from "../job/types";
import type { ModuleInstaller } from "../modules/installer";
import type { Report } from "../platforms/platform";
import type { Recorder } from "../recorder/recorder";
import { Recordings } from "./recordings";
import type { RecordingHost } from "./recordings";

/** What the job needs beside the ports. Answers and what happens later come back by `JobRunner.dispatch`. */
export interface JobHost extends RecordingHost {
  /** Whole milliseconds of the clock. */
  now(): number;
  /** Runs what comes from outside of an event: an answer of the application or of an installer. */
  enter(callback: () => void): void;
  download(request: EffectOf<"download">): void;
  renew(url: string): void;
  stopDownload(): void;
  report(report: Report, token: Token | undefined): void;
  /** `answer` takes the event of the same name, now or later. */
  ask(question: Exclude<Question, "install">, task: Task, answer: (event: JobEvent) => void): void;
  notify(notice: Notice): void;
  /**
   * An effect threw this. True: the chip is gone (its power, or a restart), so it is thrown on, and is no failure of
   * the effect.
   */
  isGone?(error: unknown): boolean;
  /** Once at the boot: records what the job is given. Undefined: nothing is recorded. */
  startRecorder?(): Recorder | undefined;
  /** Sees each event, and what the job makes of it before that is executed. */
  handled?(event: JobEvent, effects: readonly JobEffect[]): void;
}

export interface JobPorts {
  readonly flash: Flash;
  readonly boot: Boot;
  readonly store: Store;
  readonly crypto: Crypto;
  readonly retained?: Retained;
}

/** What decides about a boot, beside what the ports and the installers say. */
export interface BootOptions extends Pick<JobOptions, "platform" | "policy" | "refusalOfSignature" | "withoutAddress"> {
  /** What ended the run before this one, if the platform knows: "VERSION: text". */
  readonly lastFault?: string | undefined;
}

export class JobRunner {
  /** Undefined before `boot`. A plain field: the agent asks for its deadline after each event. */
  job: UpdateJob | undefined;
  /** Something of the job may have changed that others go by, since the agent set this to false. */
  moved = false;
  private readonly ports: JobPorts;
  private readonly buffer: Uint8Array;
  private readonly installers: ReadonlyMap<string, ModuleInstaller>;
  private readonly host: JobHost;
  private readonly events: JobEvent[] = [];
  private dispatching = false;
  /** The installer of the component in hand. */
  private openModule: ModuleInstaller | undefined;
  private asked = 0;
  /** Takes 16 KB on a chip, while a container is expanded. */
  private expander: Expander | undefined;
  private recorder: Recorder | undefined;
  private recordings: Recordings | undefined;

  /** `buffer`: one sector or more; the downloader fills it between uses. `installers`: by the names of their components. */
  constructor(ports: JobPorts, buffer: Uint8Array, installers: ReadonlyMap<string, ModuleInstaller>, host: JobHost) {
    this.ports = ports;
    this.buffer = buffer;
    this.installers = installers;
    this.host = host;
  }

  /** Reads the records, decides what the boot means and takes up the job in the store. */
  boot({ lastFault, ...options }: BootOptions): void {
    const { boot, flash, store, crypto } = this.ports;
    const facts = {
      running: boot.running(),
      target: boot.target(),
      slotSize: flash.size,
      blockSectors: flash.blockSectors,
      resetReason: boot.resetReason(),
      startUp: boot.startUp(),
      targetStarted: boot.targetStarted(),
      lastInvalid: boot.lastInvalid(),
      lastFault,
      stored: readRecords(store),
    };
    const capacityOf = (component: string): number | undefined => this.installers.get(component)?.capacity;
    const all: JobOptions = { ...options, capacityOf, digest: (algorithm) => crypto.digest(algorithm) };
    const recorder = (this.recorder = this.host.startRecorder?.());
    this.job = new UpdateJob(recorder?.begin(all, facts, this.host.now()) ?? all, facts);
    if (recorder !== undefined) {
      recorder.follow(this.job, this.ports.retained);
      this.recordings = new Recordings(recorder, this.ports, this.host);
      if (facts.stored.job === undefined) this.recordings.drop();
    }
    this.dispatch({ type: "boot" });
  }

  /** One event after the other: what happens while one is handled waits. Returns when all are done. */
  dispatch(event: JobEvent): void {
    this.events.push(event);
    // A sector or a turn concerns nobody else as long as the state stays; the first sector counts for a budget.
    const { type } = event;
    if (this.dispatching || !(type === "turn" || (type === "sector" && event.offset > 0))) this.moved = true;
    if (this.dispatching) return;
    this.dispatching = true;
    const before = this.job?.name;
    try {
      for (let next = this.events.shift(); next !== undefined; next = this.events.shift()) this.handle(next);
    } finally {
      this.dispatching = false;
      this.events.length = 0;
      if (this.job?.name !== before) this.moved = true;
      if (this.job?.name !== "expanding") this.closeExpander();
    }
  }

  private handle(event: JobEvent): void {
    const now = this.host.now();
    const effects = this.job?.handle(event, now) ?? [];
    this.host.handled?.(event, effects);
    this.recorder?.handled(event, now, effects);
    // By index: an iterator would stay in memory while a sector is stored.
    for (let index = 0; index < effects.length; index++) {
      const effect = effects[index]!;
      try {
        const answer = this.execute(effect);
        if (answer !== undefined) this.events.push(answer);
      } catch (error) {
        if (this.host.isGone?.(error) === true) throw error;
        // What stands behind it relied on it.
        this.events.push({ type: "effect-failed", effect: effect.type, message: (error as Error).message });
        return;
      }
    }
  }

  /** Returns the answer, where the effect has one at once. Throws what the port throws. */
  execute(effect: JobEffect): JobEvent | undefined {
    const { flash, boot, store } = this.ports;
    switch (effect.type) {
      case "erase":
        if (effect.block === true) flash.eraseBlock(effect.sector);
        else flash.erase(effect.sector);
        return undefined;
      case "write":
        this.target.write(effect.offset, effect.bytes);
        return undefined;
      case "compare":
        return { type: "compared", equal: this.compare(effect) };
      case "read":
        return { type: "bytes", bytes: this.read(effect) };
      case "identify":
        return { type: "running-image", image: identify((offset, into) => boot.readRunning(offset, into)) };
      case "expand-begin":
        return void this.beginBlock(effect);
      case "expand":
        return { type: "expanded", bytes: this.expand(effect.length) };
      case "put-number":
        store.setNumber(effect.key, effect.value);
        return undefined;
      case "put-bytes":
        store.setBytes(effect.key, effect.bytes);
        return undefined;
      case "delete":
        store.delete(effect.key);
        return undefined;
      case "verify":
        return { type: "verified", length: boot.verifyTarget() };
      case "invalidate":
        boot.invalidateTarget();
        return undefined;
      case "activate":
        boot.activate();
        return undefined;
      case "deadline":
        boot.deadline(effect.milliseconds);
        return undefined;
      case "confirm":
        boot.confirm();
        return void this.recordings?.drop();
      case "rollback":
      case "reboot":
        return void this.leave(effect.type);
      case "open-component":
        this.open(effect);
        return undefined;
      case "abort-component":
        this.abort(effect.component);
        return undefined;
      default:
        this.tell(effect);
        return undefined;
    }
  }

  /** The firmware that follows may have to report a failure of this one. */
  private leave(how: "rollback" | "reboot"): void {
    const { recordings } = this;
    const { boot } = this.ports;
    if (how === "rollback") {
      recordings?.keep(1);
      return boot.rollback();
    }
    if (this.job?.name === "activating") recordings?.keep(0);
    boot.restart();
  }

  private read({ from, offset, length }: EffectOf<"read">): Uint8Array {
    const bytes = this.buffer.subarray(0, length);
    if (from === "running") this.ports.boot.readRunning(offset, bytes);
    else this.target.read(offset, bytes);
    return bytes;
  }

  private beginBlock({ oldLength, offset, length, start, size }: EffectOf<"expand-begin">): void {
    this.expander ??= this.ports.boot.expander(oldLength);
    this.expander.begin(offset, length, start, size);
  }

  private expand(length: number): Uint8Array {
    const bytes = this.buffer.subarray(0, length);
    this.expander?.next(bytes);
    return bytes;
  }

  private closeExpander(): void {
    this.expander?.close();
    this.expander = undefined;
  }

  private tell(effect: EffectOf<"download" | "renew" | "stop-download" | "report" | "ask" | "notify" | "yield">): void {
    const host = this.host;
    switch (effect.type) {
      case "download":
        return host.download(effect);
      case "renew":
        return host.renew(effect.url);
      case "stop-download":
        return host.stopDownload();
      case "report":
        return host.report(effect.report, effect.token);
      case "ask":
        return this.ask(effect.question, effect.task);
      case "notify":
        return host.notify(effect.notice);
      case "yield":
        return host.defer(() => this.dispatch({ type: "turn" }));
    }
  }

  /* ---- the target of the job in hand ---- */

  private compare({ offset, bytes, erased }: EffectOf<"compare">): boolean {
    const { target } = this;
    const headerErased = erased === 0 || target.equals(offset - erased, new Uint8Array(erased).fill(0xff));
    return headerErased && target.equals(offset, bytes);
  }

  private get target(): Pick<Flash, "write" | "equals" | "read"> {
    return this.job?.target === "component" ? this.installer : this.ports.flash;
  }

  private get installer(): ModuleInstaller {
    if (this.openModule === undefined) throw new Error("no module is open");
    return this.openModule;
  }

  private open({ component, version, size, offset }: EffectOf<"open-component">): void {
    this.openModule = this.installers.get(component);
    if (this.openModule === undefined) throw new Error(`this firmware has no module ${JSON.stringify(component)}`);
    this.installer.begin({ version, size }, offset);
  }

  /** An installer that throws here changes nothing for the job. */
  private abort(component: string): void {
    this.openModule = undefined;
    try {
      this.installers.get(component)?.abort();
    } catch {
      // The job has failed already.
    }
  }

  /* ---- questions ---- */

  /** Only the latest question of all may still be answered, and only once. */
  private ask(question: Question, task: Task): void {
    const number = ++this.asked;
    const answer = (event: JobEvent): void => {
      if (number !== this.asked) return;
      this.asked++;
      this.host.enter(() => this.dispatch(event));
    };
    if (question !== "install") return this.host.ask(question, task, answer);
    try {
      this.installer.finish((error) =>
        answer({ type: "install", ok: error === undefined, message: error?.message ?? "" }),
      );
    } catch (error) {
      answer({ type: "install", ok: false, message: (error as Error).message });
    }
  }
}
