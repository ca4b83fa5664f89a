/** The agent's own connection to the broker: drives the sans-I/O MQTT session over a socket of the port. */
import type { Clock, Network, SocketError } from "../ports";
import { MqttSession } from "../mqtt/session";
import type { SessionEffect } from "../mqtt/session";
import type { Identity, Message } from "../platforms/platform";
import { Connection } from "./connection";
import type { ConnectionOwner } from "./connection";
import type { LinkEvents, MqttLink } from "./link";

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface BrokerLinkOptions {
  readonly broker: BrokerAddress;
  readonly network: Network;
  readonly clock: Clock;
  identity(): Identity;
  random(): number;
  /** Runs a callback of the port: catches what it throws and sets the timer anew. */
  enter(callback: () => void): void;
}

/** Bytes read from the socket at a time: an offer with its head fits. */
const SCRATCH = 1024;

export class BrokerLink implements MqttLink, ConnectionOwner {
  readonly #options: BrokerLinkOptions;
  #session: MqttSession | undefined;
  #events: LinkEvents | undefined;
  #connection: Connection | undefined;
  readonly #scratch = new Uint8Array(SCRATCH);

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  start(topics: readonly string[], events: LinkEvents): void {
    this.#events = events;
    this.#session = new MqttSession({
      identity: () => this.#options.identity(),
      subscriptions: topics,
      random: () => this.#options.random(),
    });
    this.run(this.#session.start(this.now()));
  }

  publish(message: Message, token: string | undefined): void {
    if (this.#session !== undefined) this.run(this.#session.publish(token, message, this.now()));
  }

  stop(): void {
    if (this.#session !== undefined) this.run(this.#session.stop(this.now()));
    this.#session = undefined;
    this.close();
  }

  tick(): void {
    if (this.#session !== undefined) this.run(this.#session.tick(this.now()));
  }

  deadline(): number | undefined {
    return this.#session?.deadline();
  }

  /* ---- told by the connection ---- */

  enter(callback: () => void): void {
    this.#options.enter(callback);
  }

  opened(): void {
    this.run(this.#session?.opened(this.now()) ?? []);
  }

  readable(): void {
    const connection = this.#connection;
    while (this.read(connection) > 0);
  }

  ended(error: SocketError | undefined): void {
    this.lost(error?.message ?? "closed by the broker");
  }

  /** 0: nothing more now, or not from this connection any more. */
  private read(connection: Connection | undefined): number {
    if (connection === undefined || connection !== this.#connection) return 0;
    const count = connection.read(this.#scratch);
    if (count > 0) this.run(this.#session?.received(this.#scratch.subarray(0, count), this.now()) ?? []);
    return count;
  }

  /* ---- the session's effects ---- */

  private now(): number {
    return this.#options.clock.now();
  }

  private run(effects: readonly SessionEffect[]): void {
    for (const effect of effects) this.execute(effect);
  }

  private execute(effect: SessionEffect): void {
    switch (effect.type) {
      case "connect":
        return this.connect();
      case "send":
        if (this.#connection?.send(effect.bytes) === false) this.lost("the broker takes no bytes");
        return;
      case "close":
        return this.close();
      case "up":
        return this.#events?.up();
      case "down":
        return this.#events?.down(effect.reason);
      case "message":
        this.#events?.message(effect.topic, effect.payload);
        // PUBACK only now: what was not handled comes again.
        if (effect.handle !== 0 && this.#session !== undefined)
          this.run(this.#session.handled(effect.handle, this.now()));
        return;
      case "acked":
        return this.#events?.acked(effect.token);
      case "warn":
        return this.#events?.warning(effect.message);
    }
  }

  private connect(): void {
    this.close();
    const { broker, network, clock } = this.#options;
    const { host, port, tls } = broker;
    this.#connection = new Connection(this, network, clock, { host, port, ...(tls ? { tls: "mqtt" } : {}) });
  }

  private lost(reason: string): void {
    this.close();
    this.run(this.#session?.closed(reason, this.now()) ?? []);
  }

  private close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
