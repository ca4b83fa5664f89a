/** A polling platform's way to its cloud: a poller on the protocol driver. */
import type { ServerConnect } from "../download/outputs";
import type { CloudEvents, CloudLink, LinkContext, Report } from "../platforms/platform";
import type { PollPlatform } from "../platforms/poll-platform";
import type { PollEvent, PollOutput } from "../poll/outputs";
import { Poller } from "../poll/poller";
import type { ConnectOptions } from "../ports";
import { ProtocolDriver } from "../protocol/driver";

/** `Platform.link` of a polling platform. */
export const linkByPolls = (platform: PollPlatform, context: LinkContext): CloudLink => new PollLink(platform, context);

class PollLink extends ProtocolDriver<PollOutput, Poller> implements CloudLink {
  readonly name = "poll";
  private readonly platform: PollPlatform;
  private readonly context: LinkContext;
  private events: CloudEvents | undefined;

  constructor(platform: PollPlatform, context: LinkContext) {
    super(context);
    this.platform = platform;
    this.context = context;
  }

  start(events: CloudEvents): void {
    const { platform, context } = this;
    const { running, allowHttp } = context;
    this.events = events;
    this.begin(new Poller({ platform, running, allowHttp, random: () => context.random() }));
  }

  report(report: Report, token: string | undefined): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine.report(report, token, this.now()));
  }

  urgency(cap: number): void {
    this.machine?.urgency(cap, this.now());
  }

  protected override serverOf({ host, port, tls }: ServerConnect): ConnectOptions {
    return { host, port, ...(tls ? { tls: "https" } : {}) };
  }

  protected override handle(event: PollEvent): void {
    const { events } = this;
    switch (event.type) {
      case "up":
        return events?.up();
      case "down":
        return events?.down(event.reason);
      case "incoming":
        return events?.incoming(event.incoming);
      case "acked":
        return events?.acked(event.token);
      case "warning":
        return events?.warning(event.message);
    }
  }
}
