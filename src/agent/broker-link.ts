/** The agent's own connection to the broker: drives the sans-I/O MQTT session over a socket of the port. */
import type { Clock, Network, Socket, SocketError } from "../../hal/ports";
import { MqttSession } from "../mqtt/session";
import type { SessionEffect } from "../mqtt/session";
import type { Identity, Message } from "../platforms/platform";
import type { LinkEvents, MqttLink } from "./link";
import { Outbox } from "./outbox";

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

export class BrokerLink implements MqttLink {
  readonly #options: BrokerLinkOptions;
  #session: MqttSession | undefined;
  #events: LinkEvents | undefined;
  #socket: Socket | undefined;
  #outbox = new Outbox();
  readonly #scratch = new Uint8Array(SCRATCH);

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  start(topics: readonly string[], events: LinkEvents): void {
    this.#events = events;
    this.#session = new MqttSession({ identity: () => this.#options.identity(), subscriptions: topics, random: () => this.#options.random() });
    this.#run(this.#session.start(this.#now()));
  }

  publish(message: Message, token: string | undefined): void {
    if (this.#session !== undefined) this.#run(this.#session.publish(token, message, this.#now()));
  }

  stop(): void {
    if (this.#session !== undefined) this.#run(this.#session.stop(this.#now()));
    this.#session = undefined;
    this.#close();
  }

  tick(): void {
    if (this.#session !== undefined) this.#run(this.#session.tick(this.#now()));
  }

  deadline(): number | undefined {
    return this.#session?.deadline();
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #run(effects: readonly SessionEffect[]): void {
    for (const effect of effects) this.#execute(effect);
  }

  #execute(effect: SessionEffect): void {
    switch (effect.type) {
      case "connect":
        return this.#connect();
      case "send":
        if (this.#socket !== undefined && !this.#outbox.send(this.#socket, effect.bytes)) this.#lost("the broker takes no bytes");
        return;
      case "close":
        return this.#close();
      case "up":
        return this.#events?.up();
      case "down":
        return this.#events?.down(effect.reason);
      case "message":
        this.#events?.message(effect.topic, effect.payload);
        // PUBACK only now: what was not handled comes again.
        if (effect.handle !== 0 && this.#session !== undefined) this.#run(this.#session.handled(effect.handle, this.#now()));
        return;
      case "acked":
        return this.#events?.acked(effect.token);
      case "warn":
        return this.#events?.warning(effect.message);
    }
  }

  #connect(): void {
    this.#close();
    const { broker, network, clock, enter } = this.#options;
    const mine = (callback: () => void): void => enter(() => socket === this.#socket && callback());
    let socket: Socket | undefined;
    try {
      socket = network.connect(
        { host: broker.host, port: broker.port, ...(broker.tls ? { tls: "mqtt" as const } : {}) },
        {
          opened: () => mine(() => this.#run(this.#session?.opened(this.#now()) ?? [])),
          readable: () => mine(() => this.#read()),
          writable: () => mine(() => socket !== undefined && this.#outbox.flush(socket)),
          closed: (error?: SocketError) => mine(() => this.#lost(error?.message ?? "closed by the broker")),
        },
      );
    } catch (error) {
      const reason = (error as Error).message;
      clock.set(() => enter(() => this.#lost(reason)), 0);
    }
    this.#socket = socket;
  }

  #read(): void {
    for (;;) {
      const socket = this.#socket;
      const count = socket?.read(this.#scratch) ?? 0;
      if (count === 0) return;
      this.#run(this.#session?.received(this.#scratch.subarray(0, count), this.#now()) ?? []);
      if (socket !== this.#socket) return;
    }
  }

  #lost(reason: string): void {
    this.#close();
    this.#run(this.#session?.closed(reason, this.#now()) ?? []);
  }

  #close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#outbox = new Outbox();
  }
}
