/** A broker platform's way to its cloud: an MQTT link, with the platform's messages on it. */
import type { BrokerPlatform } from "../platforms/broker-platform";
import type { CloudEvents, CloudLink, LinkContext, Report } from "../platforms/platform";
import { BrokerLink } from "./broker-link";
import type { LinkEvents, MqttLink } from "./link";

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

/** It hears the link itself: an object with a closure for each event would stay in memory as long as the agent runs. */
class MqttCloud implements CloudLink, LinkEvents {
  readonly name = "mqtt";
  private readonly platform: BrokerPlatform;
  private readonly link: MqttLink;
  private readonly own: BrokerLink | undefined;
  private readonly context: LinkContext;
  private events: CloudEvents | undefined;

  constructor(platform: BrokerPlatform, { link, own }: BrokerConnection, context: LinkContext) {
    this.platform = platform;
    this.link = link;
    this.own = own;
    this.context = context;
  }

  start(events: CloudEvents): void {
    this.events = events;
    this.link.start(this.platform.subscriptions, this);
  }

  /* ---- the link's events: an external client calls from outside, so each call is guarded ---- */

  up(): void {
    this.enter((events) => events.up());
  }

  down(reason: string): void {
    this.enter((events) => events.down(reason));
  }

  message(topic: string, payload: Uint8Array): void {
    this.enter((events) => events.incoming(this.platform.parse(topic, payload)));
  }

  acked(token: string): void {
    this.enter((events) => token !== RECORDING && events.acked(token));
  }

  warning(message: string): void {
    this.enter((events) => events.warning(message));
  }

  private enter(callback: (events: CloudEvents) => void): void {
    const { events } = this;
    if (events !== undefined) this.context.enter(() => callback(events), this);
  }

  /* ---- for the agent ---- */

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
