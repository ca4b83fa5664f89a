/** The agent's own connection to the broker: an MQTT session on the protocol driver. */
import { BACKOFF_CAP } from "../constants";
import type { ConnectOptions } from "../ports";
import type { Identity, Message } from "../mqtt/message";
import type { SessionEvent, SessionOutput } from "../mqtt/outputs";
import { MqttSession } from "../mqtt/session";
import { ProtocolDriver } from "../protocol/driver";
import type { DriverOptions } from "../protocol/driver";
import type { BrokerAddress, LinkEvents, MqttLink } from "./link";

export interface BrokerLinkOptions extends DriverOptions {
  readonly broker: BrokerAddress;
  identity(): Identity;
  random(): number;
}

export class BrokerLink extends ProtocolDriver<SessionOutput, MqttSession> implements MqttLink {
  private readonly options: BrokerLinkOptions;
  private events: LinkEvents | undefined;
  private cap = BACKOFF_CAP;

  constructor(options: BrokerLinkOptions) {
    super(options);
    this.options = options;
  }

  start(topics: readonly string[], events: LinkEvents): void {
    this.events = events;
    const session = new MqttSession({ ...this.options, subscriptions: topics });
    session.urgency(this.cap, this.now());
    this.begin(session);
  }

  publish(message: Message, token: string | undefined): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine.publish(token, message, this.now()));
  }

  urgency(cap: number): void {
    this.cap = cap;
    this.machine?.urgency(cap, this.now());
  }

  protected override serverOf(): ConnectOptions {
    const { host, port, tls } = this.options.broker;
    return { host, port, ...(tls ? { tls: "mqtt" } : {}) };
  }

  protected override handle(event: SessionEvent): void {
    switch (event.type) {
      case "up":
        return this.events?.up();
      case "down":
        return this.events?.down(event.reason);
      case "message":
        this.events?.message(event.topic, event.payload);
        return this.handled(event.handle);
      case "acked":
        return this.events?.acked(event.token);
      case "warning":
        return this.events?.warning(event.message);
    }
  }

  /** The PUBACK leaves only now: the broker sends a message that was not handled again. */
  private handled(handle: number): void {
    const { machine } = this;
    if (handle !== 0 && machine !== undefined) this.run(machine.handled(handle, this.now()));
  }
}
