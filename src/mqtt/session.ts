import { CONNECT_TIMEOUT, MQTT_REPLY_TIMEOUT } from "../constants";
import type { Message } from "./message";
import type { SocketError } from "../ports";
import type { ProtocolMachine } from "../protocol/machine";
import { BrokerConnection } from "./broker-connection";
import { acknowledge, connect, disconnect, pingreq, publish, subscribe } from "./codec";
import type { Packet } from "./codec";
import type { Frame } from "./framing";
import { InflightPublishes } from "./inflight";
import type { SessionOptions, SessionOutput } from "./outputs";
import { CLOSED_DURING, connackReason, lostReason } from "./reasons";
import { ReconnectSchedule } from "./reconnect-schedule";
import { IDLE } from "./session-state";
import type { State } from "./session-state";

/** Return code of a refused subscription (MQTT 3.1.1, section 3.9.3). */
const REFUSED = 0x80;
/**
 * Bytes read from the socket at a time: an offer with its header fits. A message takes at least four, which bounds a
 * list of outputs.
 */
const READ_SIZE = 1_024;

/**
 * An MQTT 3.1.1 session that connects, subscribes and reconnects for ever. Nothing that a broker sends makes it throw.
 */
export class MqttSession implements ProtocolMachine<SessionOutput> {
  private readonly options: SessionOptions;
  private readonly schedule: ReconnectSchedule;
  private readonly inflight = new InflightPublishes();
  private readonly outputs: SessionOutput[] = [];
  private readonly input = new Uint8Array(READ_SIZE);
  private readonly warnedOf: string[] = [];
  private state: State = IDLE;
  private connections = 0;

  constructor(options: SessionOptions) {
    this.options = options;
    this.schedule = new ReconnectSchedule(options.random);
  }

  get isUp(): boolean {
    return this.state.name === "up";
  }

  /* ---- inputs ---- */

  /** Reconnects within `cap` ms from now on, also where a longer wait runs: a trial or an update is in hand. */
  urgency(cap: number, now: number): void {
    this.schedule.cap = cap;
    if (this.state.name === "waiting") this.state = { name: "waiting", until: Math.min(this.state.until, now + cap) };
  }

  /** Begins to connect; nothing happens if that was done already. */
  start(now: number): SessionOutput[] {
    if (this.state.name === "idle") this.open(now);
    return this.outputs.splice(0);
  }

  opened(now: number): SessionOutput[] {
    if (this.state.name === "opening") this.sendConnect(now);
    return this.outputs.splice(0);
  }

  readTarget(): Uint8Array {
    return this.input;
  }

  received(count: number, now: number): SessionOutput[] {
    const { connection } = this;
    if (connection === undefined || count === 0) return [];
    connection.liveness.received(now);
    this.inflight.heard();
    connection.framer.push(this.input.subarray(0, count));
    for (let frame = connection.framer.next(); frame !== undefined; frame = connection.framer.next()) {
      this.frame(frame, connection, now);
      if (this.connection !== connection) break;
    }
    return this.outputs.splice(0);
  }

  closed(error: SocketError | undefined, now: number): SessionOutput[] {
    const reason = error?.message ?? "closed by the broker";
    const state = this.state;
    if (state.name === "up")
      this.lose(this.inflight.closed(now, state.connection) ?? lostReason(reason, now - state.since), now, false);
    else if (state.name !== "idle" && state.name !== "waiting")
      this.lose(`${CLOSED_DURING[state.name]}: ${reason}`, now, false);
    return this.outputs.splice(0);
  }

  tick(now: number): SessionOutput[] {
    const state = this.state;
    if (state.name === "up") this.tickUp(state.connection, now);
    else if (state.name !== "idle" && now >= state.until)
      switch (state.name) {
        case "waiting":
          this.open(now);
          break;
        case "opening":
          this.lose(`no connection within ${CONNECT_TIMEOUT / 1000} s`, now, true);
          break;
        case "connecting":
          this.lose(`no CONNACK within ${MQTT_REPLY_TIMEOUT / 1000} s`, now, true);
          break;
        case "subscribing": {
          const topics: string[] = [];
          state.awaited.forEach((topic) => topics.push(state.connection.masked(topic)));
          this.lose(`no SUBACK within ${MQTT_REPLY_TIMEOUT / 1000} s for ${topics.join(", ")}`, now, true);
          break;
        }
      }
    return this.outputs.splice(0);
  }

  deadline(): number | undefined {
    const state = this.state;
    switch (state.name) {
      case "idle":
        return undefined;
      case "up":
        return Math.min(state.connection.liveness.deadline(), this.inflight.deadline(state.since) ?? Infinity);
      default:
        return state.until;
    }
  }

  /** Takes leave of the broker. What is unacknowledged is kept for another `start`. */
  stop(now: number): SessionOutput[] {
    const { connection } = this;
    if (connection !== undefined) this.send(disconnect(), connection, now);
    if (connection !== undefined || this.state.name === "opening") this.outputs.push({ type: "close" });
    this.leave(IDLE);
    return this.outputs.splice(0);
  }

  /**
   * Publishes. QoS 0: sent now or, while down, dropped. QoS 1: needs a token, replaces an unacknowledged publish of the
   * same token, and is sent until PUBACK, across connections; "acked" follows. A "warning" says so if there is no room.
   */
  publish(token: string | undefined, message: Message, now: number): SessionOutput[] {
    const connection = this.state.name === "up" ? this.state.connection : undefined;
    if (message.qos === 0) {
      if (connection === undefined) return [];
      this.inflight.sentOnce(message, now);
      this.send(publish(message, 0, false), connection, now);
    } else {
      if (token === undefined) throw new Error("a QoS 1 publish needs a token");
      if (!this.inflight.keep(token, message))
        this.outputs.push({ type: "warning", message: `publish "${token}" dropped: too many are unacknowledged` });
      else if (connection !== undefined) this.sendKept(token, connection, now);
    }
    return this.outputs.splice(0);
  }

  /**
   * Acknowledges a message; nothing happens if its connection is gone (the broker has forgotten it too: clean session).
   */
  handled(handle: number, now: number): SessionOutput[] {
    this.acknowledge(handle, now);
    return this.outputs.splice(0);
  }

  /* ---- transitions ---- */

  private open(now: number): void {
    this.schedule.attempt(now);
    this.state = { name: "opening", until: now + CONNECT_TIMEOUT };
    this.outputs.push({ type: "connect" });
  }

  private sendConnect(now: number): void {
    try {
      const identity = this.options.identity();
      const packet = connect(identity);
      const connection = new BrokerConnection(++this.connections, identity, now);
      this.state = { name: "connecting", until: now + MQTT_REPLY_TIMEOUT, connection };
      this.send(packet, connection, now);
    } catch (error) {
      const message = error instanceof Error ? error.message : "unknown error";
      this.lose(`no CONNECT can be made of the identity: ${message}`, now, true);
    }
  }

  private subscribe(connection: BrokerConnection, now: number): void {
    const awaited = new Map<number, string>();
    this.state = { name: "subscribing", until: now + MQTT_REPLY_TIMEOUT, connection, awaited, granted: 0 };
    this.options.subscriptions.forEach((topic) => {
      const id = this.inflight.takeId();
      awaited.set(id, topic);
      this.send(subscribe(id, topic), connection, now);
    });
    if (awaited.size === 0) this.up(connection, now);
  }

  private up(connection: BrokerConnection, now: number): void {
    this.state = { name: "up", connection, since: now, worked: false };
    this.outputs.push({ type: "up" });
  }

  /** `close`: the connection is still there and must be closed by this side. */
  private lose(reason: string, now: number, close: boolean): void {
    const state = this.state;
    const retryIn =
      state.name === "up"
        ? this.schedule.afterConnection(now - state.since, state.worked || this.inflight.empty)
        : this.schedule.afterAttempt(now);
    this.leave({ name: "waiting", until: now + retryIn });
    if (close) this.outputs.push({ type: "close" });
    this.outputs.push({ type: "down", reason, retryIn });
  }

  private leave(to: State): void {
    this.state = to;
    this.inflight.disconnected();
  }

  /* ---- packets ---- */

  /** The connection on which CONNECT was sent. */
  private get connection(): BrokerConnection | undefined {
    const state = this.state;
    return "connection" in state ? state.connection : undefined;
  }

  private frame(frame: Frame, connection: BrokerConnection, now: number): void {
    switch (frame.type) {
      case "packet": {
        const packet = connection.decoder.decode(frame.bytes);
        if (packet.type === "malformed") return this.malformed(packet.reason, now);
        if (this.state.name === "connecting") return this.firstPacket(packet, connection, now);
        return this.packet(packet, connection, now);
      }
      case "malformed":
        return this.malformed(frame.reason, now);
      case "skipped":
        if (this.state.name === "connecting") return this.violated("publish before connack", now);
        return this.skipped(frame, connection, now);
    }
  }

  private malformed(reason: string, now: number): void {
    this.lose(`malformed packet from the broker: ${reason}`, now, true);
  }

  private violated(what: string, now: number): void {
    this.lose(`protocol error by the broker: ${what}`, now, true);
  }

  /** A message beyond the limits is acknowledged, or the broker would send it again. */
  private skipped(frame: Extract<Frame, { type: "skipped" }>, connection: BrokerConnection, now: number): void {
    const { qos, id, length } = frame;
    if (qos > 0) this.acknowledge(connection.handle(qos, id), now);
    if (!connection.warnedOfSize)
      this.outputs.push({ type: "warning", message: `a message of ${length} bytes was skipped: too large` });
    connection.warnedOfSize = true;
  }

  /** The first packet of a connection must be a CONNACK (MQTT 3.1.1, section 3.2). */
  private firstPacket(packet: Packet, connection: BrokerConnection, now: number): void {
    if (packet.type !== "connack") this.violated(`${packet.type} before connack`, now);
    else if (packet.code !== 0) this.lose(connackReason(packet.code), now, true);
    else this.subscribe(connection, now);
  }

  private packet(packet: Exclude<Packet, { type: "malformed" }>, connection: BrokerConnection, now: number): void {
    if (this.state.name === "up" && (packet.type === "puback" || packet.type === "publish")) this.state.worked = true;
    switch (packet.type) {
      case "connack":
        return this.violated("second connack", now);
      case "publish": {
        const { topic, payload, qos, id } = packet;
        this.outputs.push({ type: "message", topic, payload, handle: qos === 0 ? 0 : connection.handle(qos, id) });
        return;
      }
      case "pubrel":
        // End of the exchange for a message at QoS 2. The session never subscribes at QoS 2, but closing on it would
        // close for ever where a broker retains such a message. Answering takes no memory; a repeated message is
        // handled like one at QoS 1.
        return this.send(acknowledge("pubcomp", packet.id), connection, now);
      case "puback": {
        const token = this.inflight.acknowledged(packet.id);
        if (token !== undefined) this.outputs.push({ type: "acked", token });
        return;
      }
      case "suback":
        return this.suback(packet.id, packet.code, now);
      case "pingresp":
        // received() has noted that the peer is there.
        return;
    }
  }

  private suback(id: number, code: number, now: number): void {
    const state = this.state;
    if (state.name !== "subscribing") return;
    const topic = state.awaited.get(id);
    if (topic === undefined) return;
    state.awaited.delete(id);
    if (code !== REFUSED) state.granted++;
    else if (!this.warnedOf.includes(topic)) {
      this.warnedOf.push(topic);
      this.outputs.push({
        type: "warning",
        message: `the broker refused the subscription to ${state.connection.masked(topic)}: check the device's permissions`,
      });
    }
    if (state.awaited.size > 0) return;
    if (state.granted > 0) this.up(state.connection, now);
    else this.lose(`SUBACK refused for ${state.connection.masked(topic)}: no offer could ever arrive`, now, true);
  }

  private tickUp(connection: BrokerConnection, now: number): void {
    const { liveness } = connection;
    if (liveness.check(now) === "dead")
      return this.lose(`no answer to a ping within ${MQTT_REPLY_TIMEOUT / 1000} s`, now, true);
    this.inflight.due(now).forEach((token) => this.sendKept(token, connection, now));
    if (liveness.check(now) !== "ping") return;
    liveness.pinged(now);
    this.outputs.push({ type: "send", bytes: pingreq() });
  }

  /* ---- what is sent ---- */

  private send(bytes: Uint8Array, { liveness }: BrokerConnection, now: number): void {
    liveness.sent(now);
    this.outputs.push({ type: "send", bytes });
  }

  private sendKept(token: string, connection: BrokerConnection, now: number): void {
    const { message, id, dup } = this.inflight.send(token, now);
    this.send(publish(message, id, dup), connection, now);
  }

  private acknowledge(handle: number, now: number): void {
    const { connection } = this;
    const answer = connection?.acknowledgement(handle);
    if (connection && answer) this.send(acknowledge(answer.cmd, answer.id), connection, now);
  }
}
