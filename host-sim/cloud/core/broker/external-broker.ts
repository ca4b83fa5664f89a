import { randomBytes } from "node:crypto";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { topicMatches, type Broker, type BusMessage, type Presence } from "./bus";

export interface ExternalBrokerOptions {
  /** mqtt://host:port or mqtts://host:port; user name and password may be in it. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM of the roots to trust in place of the system's. */
  readonly ca?: string;
  /**
   * Names the session that the broker keeps for this cloud; the same one after a restart finds what came meanwhile.
   * Default: random.
   */
  readonly clientId?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called when the connection comes and goes, with a text that holds no secret. */
  readonly onState?: (connected: boolean, message: string) => void;
}

const CONNECT_TIMEOUT = 10_000;
const RECONNECT = 1_000;
/** Twice what the agent takes, as in the embedded broker. */
const PAYLOAD_MAX = 16_384;

/**
 * A broker elsewhere: Mosquitto, EMQX, a cluster of it. The broker itself decides who may connect and publish. It must
 * let this cloud's user subscribe to the devices' reports and publish to them. A message is acknowledged after it was
 * dealt with, and the session is persistent, so that reports at QoS 1 survive a restart of this process.
 */
export class ExternalBroker implements Broker {
  readonly tellsPresence = false;
  readonly #options: ExternalBrokerOptions;
  readonly #clientId: string;
  readonly #handlers = new Set<{ filter: string; handler: (message: BusMessage) => void }>();
  #client: MqttClient | undefined;

  /** Throws one line on a URL that is none. */
  constructor(options: ExternalBrokerOptions) {
    brokerAddress(options.url);
    this.#options = options;
    this.#clientId = options.clientId ?? `xs-ota-cloud-${randomBytes(6).toString("hex")}`;
  }

  /** Rejects with one line if the broker can not be reached or refuses; from then on it reconnects by itself. */
  async start(): Promise<void> {
    const { url, username, password, ca, onState } = this.#options;
    const address = brokerAddress(url);
    const options: IClientOptions = {
      host: address.host,
      port: address.port,
      protocol: address.tls ? "mqtts" : "mqtt",
      clientId: this.#clientId,
      clean: false,
      protocolVersion: 4,
      connectTimeout: CONNECT_TIMEOUT,
      reconnectPeriod: RECONNECT,
      resubscribe: true,
      ...pick({ username: username ?? address.username, password: password ?? address.password, ca }),
    };
    const client = connect(options);
    this.#client = client;
    const where = `${address.host}:${address.port}`;
    client.on("error", () => undefined);
    client.on("message", (topic, payload, packet) => {
      if (payload.length > PAYLOAD_MAX || packet.retain) return;
      const message: BusMessage = { topic, payload, qos: packet.qos, dup: packet.dup, at: this.#options.now() };
      for (const { filter, handler } of this.#handlers) if (topicMatches(filter, topic)) handler(message);
    });
    try {
      await first(client, where);
      for (const filter of new Set([...this.#handlers].map((entry) => entry.filter))) {
        const [granted] = await client.subscribeAsync(filter, { qos: 1 });
        if (granted === undefined || granted.qos === 128)
          throw new Error(`the broker at ${where} does not let us subscribe to ${filter}`);
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    const report = (connected: boolean, message: string): void => {
      if (this.#client === client) onState?.(connected, message);
    };
    client.on("connect", () => report(true, `connected to the broker at ${where}`));
    client.on("close", () => report(false, `no connection to the broker at ${where}`));
    client.on("error", (error) => report(false, `broker at ${where}: ${error.message}`));
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.endAsync(true);
  }

  get port(): number {
    const { port, tls } = brokerAddress(this.#options.url);
    return tls ? 0 : port;
  }

  get tlsPort(): number {
    const { port, tls } = brokerAddress(this.#options.url);
    return tls ? port : 0;
  }

  publish(topic: string, payload: string, qos: 0 | 1): void {
    this.#client?.publish(topic, payload, { qos }, () => undefined);
  }

  onMessage(filter: string, handler: (message: BusMessage) => void): () => void {
    const entry = { filter, handler };
    this.#handlers.add(entry);
    return () => this.#handlers.delete(entry);
  }

  /** An external broker does not report who is connected. */
  onPresence(_handler: (presence: Presence) => void): () => void {
    return () => undefined;
  }

  /** It has its own. */
  present(): void {}

  /** A client can not end another client's connection. */
  disconnect(_clientId: string): void {}
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Throws one line, without what is in the URL: it may hold a password. */
export function brokerAddress(text: string): BrokerAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new Error("a broker is mqtt://host:port or mqtts://host:port", { cause: error });
  }
  const tls = url.protocol === "mqtts:";
  if ((!tls && url.protocol !== "mqtt:") || url.hostname === "")
    throw new Error("a broker is mqtt://host:port or mqtts://host:port");
  const credentials = pick({
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
  });
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (tls ? 8883 : 1883),
    tls,
    ...credentials,
  };
}

function first(client: MqttClient, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error & { code?: number | string }): void =>
      reject(new Error(`no connection to the broker at ${where}: ${error.message || String(error.code)}`));
    client.once("error", failed);
    client.once("close", () => failed(new Error("it closed the connection")));
    client.once("connect", () => {
      client.removeListener("error", failed);
      resolve();
    });
  });
}

function pick<T extends object>(values: T): { [key in keyof T]?: Exclude<T[key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [key in keyof T]?: Exclude<T[key], undefined>;
  };
}
