import { randomBytes } from "node:crypto";
import { EmbeddedBroker } from "./embedded-broker";
import type { Broker } from "./bus";
import { ports, type CloudOptions, type PreparedTls } from "../cloud-options";
import { ExternalBroker } from "./external-broker";
import type { Gate } from "./gate";

export interface BrokerWishes {
  readonly options: CloudOptions;
  readonly host: string;
  readonly tls: PreparedTls | undefined;
  readonly now: () => number;
  /** Who may do what, where the broker is our own. */
  readonly gate: Gate;
  /** Of this cloud, at a broker elsewhere. */
  readonly clientId: () => string;
  readonly onState: (connected: boolean, message: string) => void;
}

/** The broker in this process, or the one elsewhere that the options name. Throws one line on a URL that is none. */
export function makeBroker({ options, host, tls, now, gate, clientId, onState }: BrokerWishes): Broker {
  const { broker, mqttPort } = options;
  if (broker) return new ExternalBroker({ clientId: clientId(), ...broker, now, onState });
  return new EmbeddedBroker({
    host,
    gate,
    now,
    ...ports(mqttPort, tls && (options.tls?.mqttPort ?? 0)),
    ...(tls ? { tls: tls.identity } : {}),
  });
}

export function brokerClientId(): string {
  return `xs-ota-cloud-${randomBytes(6).toString("hex")}`;
}
