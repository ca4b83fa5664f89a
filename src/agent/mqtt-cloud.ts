/** A broker platform's way to its cloud: an MQTT link, with the platform's messages on it. */
import type { BrokerPlatform } from "../platforms/broker-platform";
import type { CloudEvents, CloudLink, LinkContext, Report } from "../platforms/platform";
import { BrokerLink } from "./broker-link";
import type { MqttLink } from "./link";

/** Token of a recording; nobody waits for its PUBACK. */
const RECORDING = "recording";

/** `Platform.link` of a broker platform. */
export const linkToBroker = (platform: BrokerPlatform, context: LinkContext): CloudLink =>
  new MqttCloud(platform, connectionOf(platform, context), context);

/** The connection to the broker; `own`: where it is not the application's, so that its deadlines are ours to keep. */
export interface BrokerConnection {
  readonly link: MqttLink;
  readonly own: BrokerLink | undefined;
}

export const connectionOf = (platform: Pick<BrokerPlatform, "identity">, context: LinkContext): BrokerConnection => {
  const { mqtt, broker } = context;
  const own =
    broker === undefined || mqtt !== undefined
      ? undefined
      : new BrokerLink({
          network: context.network,
          clock: context.clock,
          enter: context.enter,
          random: context.random,
          broker,
          identity: () => platform.identity(),
        });
  const link = mqtt ?? own;
  if (link === undefined) throw new Error("OtaAgent: broker or link required");
  return { link, own };
};

class MqttCloud implements CloudLink {
  readonly name = "mqtt";
  private readonly platform: BrokerPlatform;
  private readonly link: MqttLink;
  private readonly own: BrokerLink | undefined;
  private readonly context: LinkContext;

  constructor(platform: BrokerPlatform, { link, own }: BrokerConnection, context: LinkContext) {
    this.platform = platform;
    this.link = link;
    this.own = own;
    this.context = context;
  }

  /** An external client calls from outside: each of its calls is guarded. */
  start(events: CloudEvents): void {
    const { platform } = this;
    const enter = (callback: () => void): void => this.context.enter(callback, this);
    this.link.start(platform.subscriptions, {
      up: () => enter(() => events.up()),
      down: (reason) => enter(() => events.down(reason)),
      message: (topic, payload) => enter(() => events.incoming(platform.parse(topic, payload))),
      acked: (token) => enter(() => token !== RECORDING && events.acked(token)),
      warning: (message) => enter(() => events.warning(message)),
    });
  }

  report(report: Report, token: string | undefined): void {
    const message = this.platform.encode(report);
    if (message !== undefined) this.link.publish(message, token);
  }

  publish(topic: string, payload: string): void {
    this.link.publish({ topic, payload, qos: 1 }, RECORDING);
  }

  urgency(cap: number): void {
    this.link.urgency?.(cap);
  }

  tick(): void {
    this.own?.tick();
  }

  deadline(): number | undefined {
    return this.own?.deadline();
  }

  stop(): void {
    this.link.stop();
  }
}
