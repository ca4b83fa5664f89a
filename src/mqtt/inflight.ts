import { MQTT_INFLIGHT, MQTT_RESEND } from "../constants";
import type { Message } from "./message";
import type { BrokerConnection } from "./broker-connection";
import { PublishRefusals } from "./publish-refusals";

/** One QoS 1 publish that was not acknowledged yet. */
interface Publish {
  readonly token: string;
  readonly message: Message;
  /** Packet id on the present connection; 0: not sent on it. */
  id: number;
  sentAt: number;
}

const NONE: readonly string[] = Object.freeze([]);

/** A publish to put on the wire now. */
export interface Sending {
  readonly message: Message;
  readonly id: number;
  /** The same packet was sent on this connection before. */
  readonly dup: boolean;
}

/**
 * QoS 1 publishes by token, kept across connections until the broker acknowledges them, and the packet ids of one
 * connection. At most MQTT_INFLIGHT publishes are kept.
 */
export class InflightPublishes {
  private readonly refusals = new PublishRefusals();
  private readonly kept = new Map<string, Publish>();
  /** Ids of replaced publishes whose PUBACK is still to come. They are not used again on this connection. */
  private abandoned: number[] = [];
  private lastId = 0;

  /** Anything was received. */
  heard(): void {
    this.refusals.received();
  }

  /** A publish at QoS 0 left. */
  sentOnce({ topic }: Message, now: number): void {
    this.refusals.sent("progress", topic, now);
  }

  /** The broker closed a connection that was up: the reason, if that is a publish. */
  closed(now: number, connection: Pick<BrokerConnection, "masked">): string | undefined {
    return this.refusals.closed(now, connection);
  }

  /** The connection has ended, and with it the meaning of its packet ids. */
  disconnected(): void {
    this.abandoned = [];
    this.kept.forEach((kept) => (kept.id = 0));
  }

  /** Everything was acknowledged. */
  get empty(): boolean {
    return this.kept.size === 0;
  }

  /** Keeps a publish, in place of an older one of the same token. False: no room. */
  keep(token: string, message: Message): boolean {
    const older = this.kept.get(token);
    if (!older && this.kept.size >= MQTT_INFLIGHT) return false;
    // The same message again is the same packet. Another message must not be acknowledged by the older one's PUBACK.
    const same =
      older !== undefined && older.message.topic === message.topic && older.message.payload === message.payload;
    if (older && !same) this.abandon(older);
    // Publishes leave in the order in which they were asked for last.
    this.kept.delete(token);
    this.kept.set(token, { token, message, id: same ? older.id : 0, sentAt: 0 });
    return true;
  }

  private abandon({ id }: Publish): void {
    if (id === 0) return;
    this.abandoned.push(id);
    // Ids go round in 65,535 steps, so an older one than these can not come up soon.
    if (this.abandoned.length > MQTT_INFLIGHT) this.abandoned.shift();
  }

  /** PUBACK came: the token whose publish it acknowledges, if any. */
  acknowledged(id: number): string | undefined {
    this.abandoned = this.abandoned.filter((abandoned) => abandoned !== id);
    let token: string | undefined;
    this.kept.forEach((kept) => {
      if (kept.id === id) token = kept.token;
    });
    if (token === undefined) return undefined;
    this.kept.delete(token);
    this.refusals.acknowledged(token);
    return token;
  }

  /** Marks the token's publish as sent at `now`. */
  send(token: string, now: number): Sending {
    const kept = this.kept.get(token)!;
    const dup = kept.id !== 0;
    if (!dup) kept.id = this.takeId();
    kept.sentAt = now;
    this.refusals.sent(token, kept.message.topic, now);
    return { message: kept.message, id: kept.id, dup };
  }

  /** Tokens whose time to be sent (again) has come, in order. */
  due(now: number): readonly string[] {
    // Nearly always empty, and iterators are dear on XS.
    if (this.kept.size === 0) return NONE;
    const due: string[] = [];
    this.kept.forEach((kept) => {
      if (kept.id === 0 || now >= kept.sentAt + MQTT_RESEND) due.push(kept.token);
    });
    return due;
  }

  /** When the next publish is due: `at once` if one was not sent on this connection; undefined if none is kept. */
  deadline(atOnce: number): number | undefined {
    // Asked after every event, and nearly always empty: an iterator costs more than the look.
    if (this.kept.size === 0) return undefined;
    let earliest: number | undefined;
    this.kept.forEach((kept) => {
      const due = kept.id === 0 ? atOnce : kept.sentAt + MQTT_RESEND;
      if (earliest === undefined || due < earliest) earliest = due;
    });
    return earliest;
  }

  /** A packet id (1..65535) that nothing on this connection uses. */
  takeId(): number {
    do this.lastId = this.lastId === 65_535 ? 1 : this.lastId + 1;
    while (this.inUse(this.lastId));
    return this.lastId;
  }

  private inUse(id: number): boolean {
    let used = this.abandoned.includes(id);
    this.kept.forEach((kept) => (used ||= kept.id === id));
    return used;
  }
}
