/** What the update job needs beside the ports: the two connections, the platform, and the application's callbacks. */
import type { EffectOf, JobEvent, Notice, Question, Token } from "../job/effects";
import type { Offer, Task } from "../job/types";
import type { CloudLink, Report } from "../platforms/platform";
import type { Recorder } from "../recorder/recorder";
import { encodeBase64 } from "../util/base64";
import type { AgentOptions } from "./agent-options";
import type { ByteSource } from "./byte-source";
import type { JobHost } from "./job-runner";
import { recorderFor } from "./recordings";

/** Before a line of the downloader's log, and in it before the milliseconds. */
const OF_DOWNLOAD = "download: ";
const AGAIN = "; again in ";

/**
 * A class with methods: on XS an object with a closure for each of them would cost ten slots apiece, for as long as the
 * agent runs.
 */
export class AgentHost implements JobHost {
  readonly enter: (callback: () => void) => void;
  private readonly options: AgentOptions;
  private file: ByteSource | undefined;
  private link: CloudLink | undefined;
  private recorder: Recorder | undefined;

  /** `enter` guards what comes from the outside and arms the timer. */
  constructor(options: AgentOptions, enter: (callback: () => void) => void) {
    this.options = options;
    this.enter = enter;
  }

  /** Once, before the first event. */
  connect(file: ByteSource, link: CloudLink): void {
    this.file = file;
    this.link = link;
  }

  /** Of this boot; undefined: nothing is recorded. */
  startRecorder(): Recorder | undefined {
    const { recorder = true, ports } = this.options;
    return (this.recorder = recorderFor(recorder, ports.crypto));
  }

  now(): number {
    return this.options.ports.clock.now();
  }

  defer(callback: () => void): void {
    this.options.ports.clock.set(() => this.enter(callback), 0);
  }

  download(request: EffectOf<"download">): void {
    this.file?.start(request);
  }

  renew(url: string): void {
    this.file?.renew(url);
  }

  stopDownload(): void {
    this.file?.stop();
  }

  report(report: Report, token: Token | undefined): void {
    this.link?.report(report, token);
  }

  ask(question: Exclude<Question, "install">, task: Task, answer: (event: JobEvent) => void): void {
    const options = this.options;
    switch (question) {
      case "consent":
        if (options.onOffer === undefined) return answer({ type: "consent", decision: "accept" });
        return options.onOffer(task as Offer, (decision) => answer({ type: "consent", decision }));
      case "restart":
        if (options.onRestart === undefined) return answer({ type: "restart" });
        return options.onRestart(task, () => answer({ type: "restart" }));
      case "health":
        if (options.onHealthCheck === undefined) return answer({ type: "health", ok: true, message: "" });
        return this.checkHealth(answer);
    }
  }

  /** A check that throws has failed. */
  private checkHealth(answer: (event: JobEvent) => void): void {
    try {
      this.options.onHealthCheck?.((ok, message) =>
        answer({ type: "health", ok, message: message ?? "no reason given" }),
      );
    } catch (error) {
      answer({ type: "health", ok: false, message: String(error) });
    }
  }

  /** A throw of the application is only logged. */
  notify(notice: Notice): void {
    const { recorder, options } = this;
    const told = recorder !== undefined && "cause" in notice ? { ...notice, reference: recorder.reference } : notice;
    try {
      options.onNotice?.(told);
    } catch (error) {
      this.log(`onNotice: ${(error as Error).message}`);
    }
  }

  /** To the log, the broker and the application. */
  recorded(recording: Uint8Array): void {
    const { options, link } = this;
    const { reference } = this.recorder!;
    const { diagnosticsTopic, ports } = options;
    if (ports.log !== undefined || diagnosticsTopic !== undefined) {
      const text = encodeBase64(recording);
      ports.log?.(`recording ${reference}: ${text}`);
      if (diagnosticsTopic !== undefined) link?.publish?.(diagnosticsTopic, text);
    }
    try {
      options.onDiagnostics?.(recording, reference);
    } catch (error) {
      this.log(`onDiagnostics: ${(error as Error).message}`);
    }
  }

  /** `noted`: the job does not hear of it, so a recording has it as a note. */
  warn(message: string, noted: boolean): void {
    this.notify({ event: "warning", message });
    if (noted) this.note(message);
  }

  /** Of a download's log: what it waits for, and how long. */
  private note(line: string): void {
    const { recorder } = this;
    if (recorder === undefined) return;
    const end = line.lastIndexOf(AGAIN);
    const wait = end < 0 ? 0 : parseInt(line.slice(end + AGAIN.length));
    recorder.note(end < 0 ? line : line.slice(0, end), wait, this.now());
  }

  /** One line for the engineer at the console. */
  log(line: string): void {
    if (line.startsWith(OF_DOWNLOAD)) this.note(line.slice(OF_DOWNLOAD.length));
    this.options.ports.log?.(line);
  }
}
