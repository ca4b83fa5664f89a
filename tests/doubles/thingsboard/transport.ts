/**
 * What MQTT connections and the HTTP API share: who is let in, one session of a credential, limits, and what devices
 * sent.
 */
import type { IConnectPacket } from "mqtt-packet";
import { ChunkStore } from "./chunk-store";
import { Queues } from "./lag";
import type { Lag } from "./lag";
import type { Device } from "./model";
import { limitsOf } from "./rate-limit";
import type { DeviceLimits } from "./rate-limit";
import { Repository } from "./repository";
import type { Session } from "./session";

export interface TransportOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For example "20:1,600:60"; undefined: none, as a community installation has it (fact 34). */
  readonly limits?: string | undefined;
  /** Runs something when the bytes at hand were worked through: the database answers later than the network asks. */
  readonly defer: (run: () => void) => void;
  /** Undefined: none. */
  readonly lag?: Lag | undefined;
}

/** One message or request of a device. */
export interface Heard {
  readonly device: string;
  /** Topic, or method and path without the token. */
  readonly what: string;
  readonly payload: Uint8Array;
}

/** Return codes of CONNACK in 3.1.1. */
const CODE = { identifierRejected: 2, unavailable: 3, notAuthorized: 5 } as const;

export class Transport {
  readonly repository: Repository;
  readonly chunks: ChunkStore;
  readonly queues: Queues;
  readonly now: () => number;
  readonly defer: TransportOptions["defer"];
  readonly limits: string | undefined;
  /** All that devices sent, in order. */
  readonly received: Heard[] = [];
  readonly #sessions = new Map<Device, Session>();
  readonly #limits = new Map<Device, DeviceLimits>();

  constructor({ now, limits, defer, lag }: TransportOptions) {
    this.now = now;
    this.defer = defer;
    this.limits = limits;
    this.chunks = new ChunkStore(now);
    this.queues = new Queues(lag);
    this.repository = new Repository(now, {
      later: (device, run) => this.queues.run("assign", device, run),
      pushed: (device, message) => this.queues.run("push", device, () => this.#sessions.get(device)?.push(message)),
      expelled: (device) => this.#sessions.get(device)?.end(),
      forgotten: (firmware) => this.chunks.forget(firmware),
    });
  }

  /** A device, or the return code of the refusal (facts 1 to 4, 36). */
  admit(session: Session, { username, password, clientId }: IConnectPacket): Device | number {
    const device = this.#identified(clientId, username, password?.toString());
    if (device === undefined) return username === undefined ? CODE.identifierRejected : CODE.notAuthorized;
    if (this.limitsOf(device)?.connects.take() === false) return CODE.unavailable;
    // A second connection ends the first, whatever its client id.
    const older = this.#sessions.get(device);
    this.#sessions.set(device, session);
    older?.end();
    return device;
  }

  ended(session: Session): void {
    for (const [device, each] of this.#sessions) if (each === session) this.#sessions.delete(device);
  }

  isConnected(device: Device): boolean {
    return this.#sessions.has(device);
  }

  limitsOf(device: Device): DeviceLimits | undefined {
    if (this.limits === undefined) return undefined;
    const limits = this.#limits.get(device) ?? limitsOf(this.limits, this.now);
    this.#limits.set(device, limits);
    return limits;
  }

  heard(device: Device, what: string, payload: Uint8Array): void {
    this.received.push({ device: device.name, what, payload });
  }

  /** Connections and caches are gone, the database is not. */
  restart(): void {
    for (const session of this.#sessions.values()) session.end();
    this.chunks.clear();
    this.#limits.clear();
  }

  #identified(clientId: string, userName: string | undefined, password: string | undefined): Device | undefined {
    return [...this.repository.devices.values()].find(({ credentials }) => {
      // A password beside a token is ignored.
      if (credentials.type === "ACCESS_TOKEN") return credentials.token === userName;
      const { clientId: id = clientId, userName: name = userName, password: word = password } = credentials;
      return id === clientId && name === userName && word === password;
    });
  }
}
