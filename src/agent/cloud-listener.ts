/**
 * What the agent hears of its cloud. An object of its own, since one with a closure for each event would take fifty
 * slots on XS as long as the agent runs.
 */
import type { Token } from "../job/effects";
import type { CloudEvents, CloudLink, Incoming } from "../platforms/platform";
import type { Clock } from "../ports";
import type { AgentHost } from "./agent-host";
import type { JobRunner } from "./job-runner";
import { Remarks } from "./remarks";
import type { Wake } from "./sleep";

/** The parts of the agent that are told. */
export interface Listening {
  readonly clock: Clock;
  readonly host: AgentHost;
  readonly runner: JobRunner;
  readonly wake: Wake;
  readonly link: CloudLink;
}

export class CloudListener implements CloudEvents {
  private readonly agent: Listening;
  private readonly remarks = new Remarks();

  constructor(agent: Listening) {
    this.agent = agent;
  }

  up(): void {
    const now = this.agent.clock.now();
    this.agent.wake.link(true, now);
    this.remarks.up(now);
    this.agent.runner.dispatch({ type: "link", up: true });
  }

  /** A connection that lasted and is lost comes back; one that cannot be made, or held, is worth a word. */
  down(reason: string): void {
    const { clock, link, runner, wake } = this.agent;
    this.say(`${link.name}: ${reason}`, !this.remarks.lasted(clock.now()));
    wake.link(false, clock.now());
    runner.dispatch({ type: "link", up: false, reason });
  }

  acked(token: string): void {
    this.agent.wake.heard(token === "version", this.agent.clock.now());
    this.agent.runner.dispatch({ type: "acked", token: token as Token });
  }

  warning(message: string): void {
    this.say(message, true, true);
  }

  incoming(incoming: Incoming): void {
    const { clock, runner, wake } = this.agent;
    wake.heard(false, clock.now());
    switch (incoming.kind) {
      case "offer":
        return runner.dispatch({ type: "offer", offer: incoming.offer });
      case "refused":
        return runner.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
      case "withdrawn":
        return runner.dispatch({ type: "withdrawn", task: incoming.task });
      case "forget":
        return runner.dispatch({ type: "forget" });
      case "unchanged":
        return;
      case "version-answer":
        if (!incoming.accepted) this.say(`version report refused: ${incoming.message}`, true, true);
        return;
      case "ignored":
        return this.say(`message ignored: ${incoming.reason}`, true, true);
    }
  }

  /** A line of the log. `idle`: it says why nothing happens, so others are told, now and then. `noted`: recordings, too. */
  say(line: string, idle: boolean, noted = false): void {
    const { clock, host } = this.agent;
    host.log(line);
    if (idle && this.remarks.due(line, clock.now())) host.warn(line, noted);
  }
}
