/** What the update job needs beside the ports: the two connections, the platform, and the application's callbacks. */
import type { EffectOf, JobEvent, Notice, Question, Token } from "../job/effects";
import type { Offer, Task } from "../job/types";
import type { CloudLink, Report } from "../platforms/platform";
import type { AgentOptions } from "./agent-options";
import type { ByteSource } from "./byte-source";
import type { JobHost } from "./job-runner";

/**
 * A class with methods: on XS an object with a closure for each of them would cost ten slots apiece, for as long as the
 * agent runs.
 */
export class AgentHost implements JobHost {
  readonly enter: (callback: () => void) => void;
  private readonly options: AgentOptions;
  private file: ByteSource | undefined;
  private link: CloudLink | undefined;

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
    try {
      this.options.onNotice?.(notice);
    } catch (error) {
      this.log(`onNotice: ${(error as Error).message}`);
    }
  }

  /** One line for the engineer at the console. */
  log(line: string): void {
    this.options.ports.log?.(line);
  }
}
