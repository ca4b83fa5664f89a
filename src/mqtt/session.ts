import { BACKOFF_CAP, BACKOFF_FIRST, CONNECT_TIMEOUT, MQTT_REPLY_TIMEOUT, MQTT_STABLE } from "../constants";
import type { Message } from "../platforms/platform";
import { Backoff } from "../util/backoff";
import { PacketDecoder, acknowledge, connect, disconnect, pingreq, publish, subscribe } from "./codec";
import type { Packet } from "./codec";
import type { SessionEffect, SessionOptions } from "./effects";
import { PacketFramer } from "./framing";
import type { Frame } from "./framing";
import { Liveness } from "./liveness";
import { Outbox } from "./outbox";
import { connackReason } from "./refusals";

export type { SessionEffect, SessionOptions } from "./effects";

/**
 * idle       start -> opening
 * opening    opened -> connecting (CONNECT sent)
 * connecting CONNACK 0 -> subscribing (one SUBSCRIBE for each topic sent)
 * subscribing last SUBACK, one granted -> up
 * waiting    backoff over -> opening
 *
 * Every failure of the middle four leads to waiting, stop() leads to idle.
 */
type Phase = "idle" | "waiting" | "opening" | "connecting" | "subscribing" | "up";

/** Return code of a refused subscription (MQTT 3.1.1, section 3.9.3). */
const REFUSED = 0x80;

/** A handle names a connection, whether the message came at QoS 2, and its packet id; nothing is stored for it. */
const QOS2 = 0x1_0000;
const CONNECTION = 0x2_0000;

/**
 * An MQTT 3.1.1 session that connects, subscribes and reconnects for ever. It does no I/O: inputs are method calls with the
 * time in ms, outputs are effects to be carried out in order. Nothing that a broker sends makes it throw.
 *
 * Effects of `received` grow with the bytes it is given (a message takes at least four), so a small machine hands over
 * small pieces.
 */
export class MqttSession {
  readonly #options: SessionOptions;
  readonly #backoff: Backoff;
  readonly #outbox = new Outbox();
  #phase: Phase = "idle";
  /** When the phase ends by itself: the backoff, or the patience with peer and network. Infinity while up. */
  #phaseEnd = Infinity;
  /** Counts connections, so that a handle of an earlier one is known as such. */
  #connection = 0;
  #framer = new PacketFramer();
  #decoder = new PacketDecoder();
  #liveness = new Liveness(0, 0);
  /** Topics whose SUBACK is awaited, by packet id. */
  readonly #awaited = new Map<number, string>();
  #granted = 0;
  /** The user name: some platforms make an access token of it and put that into topics, which must not be shown then. */
  #user = "";
  #upSince = 0;
  #warnedOfSize = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(() => options.random(), BACKOFF_FIRST, BACKOFF_CAP);
  }

  get isUp(): boolean {
    return this.#phase === "up";
  }

  /** Begins to connect; nothing happens if that was done already. */
  start(now: number): SessionEffect[] {
    return this.#phase === "idle" ? this.connect(now) : [];
  }

  /** The connection asked for is open. */
  opened(now: number): SessionEffect[] {
    if (this.#phase !== "opening") return [];
    this.#connection++;
    this.#framer = new PacketFramer();
    this.#decoder = new PacketDecoder();
    this.#warnedOfSize = false;
    try {
      const identity = this.#options.identity();
      this.#user = identity.username ?? "";
      this.#liveness = new Liveness(identity.keepAlive, now);
      this.enter("connecting", now + MQTT_REPLY_TIMEOUT);
      return [this.send(connect(identity), now)];
    } catch (error) {
      return this.lose(
        `no CONNECT can be made of the identity: ${error instanceof Error ? error.message : "unknown error"}`,
        now,
        true,
      );
    }
  }

  /** Bytes from the broker, in any pieces. They are not kept. */
  received(bytes: Uint8Array, now: number): SessionEffect[] {
    if (!this.connected || bytes.length === 0) return [];
    const effects: SessionEffect[] = [];
    this.#liveness.received(now);
    const framer = this.#framer;
    framer.push(bytes);
    for (let frame = framer.next(); frame; frame = this.connected ? framer.next() : undefined)
      effects.push(...this.take(frame, now));
    return effects;
  }

  /** The connection has ended, or could not be made. */
  closed(reason: string, now: number): SessionEffect[] {
    switch (this.#phase) {
      case "idle":
      case "waiting":
        return [];
      case "opening":
        return this.lose(`could not connect: ${reason}`, now, false);
      case "connecting":
        return this.lose(
          `closed before CONNACK (some brokers refuse credentials or a client id this way): ${reason}`,
          now,
          false,
        );
      case "subscribing":
        return this.lose(`closed before SUBACK (some brokers refuse a subscription this way): ${reason}`, now, false);
      case "up": {
        const short = now - this.#upSince < MQTT_STABLE;
        return this.lose(
          `connection lost${short ? " soon after it was made (if that goes on, another client uses the same client id)" : ""}: ${reason}`,
          now,
          false,
        );
      }
    }
  }

  /** Does what is due at `now`; harmless before `deadline()`. */
  tick(now: number): SessionEffect[] {
    const timedOut = now >= this.#phaseEnd;
    switch (this.#phase) {
      case "idle":
        return [];
      case "waiting":
        return timedOut ? this.connect(now) : [];
      case "opening":
        return timedOut ? this.lose(`no connection within ${CONNECT_TIMEOUT / 1000} s`, now, true) : [];
      case "connecting":
        return timedOut ? this.lose(`no CONNACK within ${MQTT_REPLY_TIMEOUT / 1000} s`, now, true) : [];
      case "subscribing":
        return timedOut
          ? this.lose(
              `no SUBACK within ${MQTT_REPLY_TIMEOUT / 1000} s for ${[...this.#awaited.values()].map((topic) => this.shown(topic)).join(", ")}`,
              now,
              true,
            )
          : [];
      case "up":
        return this.tickUp(now);
    }
  }

  /**
   * Publishes. QoS 0: sent now or, while down, dropped. QoS 1: needs a token, takes the place of an unacknowledged publish of
   * the same token, and is sent until PUBACK, across connections; "acked" follows. A "warn" says so if there is no room.
   */
  publish(token: string | undefined, message: Message, now: number): SessionEffect[] {
    if (message.qos === 0) return this.isUp ? [this.send(publish(message, 0, false), now)] : [];
    if (token === undefined) throw new Error("a QoS 1 publish needs a token");
    if (!this.#outbox.keep(token, message))
      return [{ type: "warn", message: `publish "${token}" dropped: too many are unacknowledged` }];
    return this.isUp ? [this.sendKept(token, now)] : [];
  }

  /** Forgets the token's publish; if it is on its way already, its PUBACK will be ignored. */
  cancel(token: string): void {
    this.#outbox.cancel(token);
  }

  /** Acknowledges a message; nothing happens if its connection is gone (the broker has forgotten it too: clean session). */
  handled(handle: number, now: number): SessionEffect[] {
    if (!this.connected || Math.floor(handle / CONNECTION) !== this.#connection) return [];
    return [this.send(acknowledge(handle % CONNECTION >= QOS2 ? "pubrec" : "puback", handle % QOS2), now)];
  }

  /** Takes leave of the broker. What is unacknowledged is kept for another `start`. */
  stop(now: number): SessionEffect[] {
    const effects: SessionEffect[] = [];
    if (this.connected) effects.push(this.send(disconnect(), now));
    if (this.connected || this.#phase === "opening") effects.push({ type: "close" });
    this.leave("idle", Infinity);
    return effects;
  }

  /** When `tick` is wanted next. */
  deadline(): number | undefined {
    if (this.#phase === "idle") return undefined;
    if (this.#phase !== "up") return this.#phaseEnd;
    return Math.min(this.#liveness.deadline(), this.#outbox.deadline(this.#upSince) ?? Infinity);
  }

  private get connected(): boolean {
    return this.#phase === "connecting" || this.#phase === "subscribing" || this.#phase === "up";
  }

  private enter(phase: Phase, end: number): void {
    this.#phase = phase;
    this.#phaseEnd = end;
  }

  private connect(now: number): SessionEffect[] {
    this.enter("opening", now + CONNECT_TIMEOUT);
    return [{ type: "connect" }];
  }

  private send(bytes: Uint8Array, now: number): SessionEffect {
    this.#liveness.sent(now);
    return { type: "send", bytes };
  }

  private sendKept(token: string, now: number): SessionEffect {
    const { message, id, dup } = this.#outbox.send(token, now);
    return this.send(publish(message, id, dup), now);
  }

  private leave(phase: Phase, end: number): void {
    this.enter(phase, end);
    this.#awaited.clear();
    this.#granted = 0;
    this.#outbox.disconnected();
  }

  /** `close`: the connection is still there and must be closed by us. */
  private lose(reason: string, now: number, close: boolean): SessionEffect[] {
    if (this.isUp && now - this.#upSince >= MQTT_STABLE) this.#backoff.reset();
    const retryIn = this.#backoff.next();
    this.leave("waiting", now + retryIn);
    const down: SessionEffect = { type: "down", reason, retryIn };
    return close ? [{ type: "close" }, down] : [down];
  }

  private take(frame: Frame, now: number): SessionEffect[] {
    switch (frame.type) {
      case "malformed":
        return this.lose(`malformed packet from the broker: ${frame.reason}`, now, true);
      case "skipped":
        return this.#phase === "connecting"
          ? this.violated("publish before connack", now)
          : this.skipped(frame.qos, frame.id, frame.length, now);
      case "packet": {
        const packet = this.#decoder.decode(frame.bytes);
        return this.#phase === "connecting" ? this.first(packet, now) : this.packet(packet, now);
      }
    }
  }

  private violated(what: string, now: number): SessionEffect[] {
    return this.lose(`protocol error by the broker: ${what}`, now, true);
  }

  private skipped(qos: number, id: number, length: number, now: number): SessionEffect[] {
    const effects: SessionEffect[] = [];
    if (qos > 0) effects.push(...this.handled(this.handle(qos, id), now));
    if (!this.#warnedOfSize)
      effects.push({ type: "warn", message: `a message of ${length} bytes was skipped: too large` });
    this.#warnedOfSize = true;
    return effects;
  }

  /** The first packet of a connection must be a CONNACK (MQTT 3.1.1, section 3.2). */
  private first(packet: Packet, now: number): SessionEffect[] {
    if (packet.type === "malformed") return this.lose(`malformed packet from the broker: ${packet.reason}`, now, true);
    if (packet.type !== "connack") return this.violated(`${packet.type} before connack`, now);
    if (packet.code !== 0) return this.lose(connackReason(packet.code), now, true);
    this.enter("subscribing", now + MQTT_REPLY_TIMEOUT);
    const effects = this.#options.subscriptions.map((topic) => {
      const id = this.#outbox.takeId();
      this.#awaited.set(id, topic);
      return this.send(subscribe(id, topic), now);
    });
    return effects.length > 0 ? effects : this.up(now);
  }

  private packet(packet: Packet, now: number): SessionEffect[] {
    switch (packet.type) {
      case "malformed":
        return this.lose(`malformed packet from the broker: ${packet.reason}`, now, true);
      case "connack":
        return this.violated("second connack", now);
      case "publish":
        return [
          {
            type: "message",
            topic: packet.topic,
            payload: packet.payload,
            handle: packet.qos === 0 ? 0 : this.handle(packet.qos, packet.id),
          },
        ];
      case "pubrel":
        // End of the exchange for a message at QoS 2. We never ask for that, but closing on it would close for ever where a
        // broker retains one; answering takes no memory, and a repeated message is handled like a repeated one at QoS 1.
        return [this.send(acknowledge("pubcomp", packet.id), now)];
      case "puback": {
        const token = this.#outbox.acknowledged(packet.id);
        return token === undefined ? [] : [{ type: "acked", token }];
      }
      case "suback":
        return this.suback(packet.id, packet.code, now);
      case "pingresp":
        // received() has noted the sign of life.
        return [];
    }
  }

  private suback(id: number, code: number, now: number): SessionEffect[] {
    const topic = this.#awaited.get(id);
    if (topic === undefined) return [];
    this.#awaited.delete(id);
    const effects: SessionEffect[] = [];
    if (code === REFUSED)
      effects.push({
        type: "warn",
        message: `the broker refused the subscription to ${this.shown(topic)}: check the device's permissions`,
      });
    else this.#granted++;
    if (this.#awaited.size > 0) return effects;
    effects.push(
      ...(this.#granted > 0
        ? this.up(now)
        : this.lose("the broker refused every subscription: no offer could ever arrive", now, true)),
    );
    return effects;
  }

  private shown(topic: string): string {
    return this.#user === "" ? topic : topic.split(this.#user).join("*");
  }

  private up(now: number): SessionEffect[] {
    this.enter("up", Infinity);
    this.#upSince = now;
    return [{ type: "up" }];
  }

  private tickUp(now: number): SessionEffect[] {
    if (this.#liveness.judge(now) === "dead")
      return this.lose(`no answer to a ping within ${MQTT_REPLY_TIMEOUT / 1000} s`, now, true);
    const effects = this.#outbox.due(now).map((token) => this.sendKept(token, now));
    if (this.#liveness.judge(now) === "ping") {
      this.#liveness.pinged(now);
      effects.push({ type: "send", bytes: pingreq() });
    }
    return effects;
  }

  private handle(qos: number, id: number): number {
    return this.#connection * CONNECTION + (qos === 2 ? QOS2 : 0) + id;
  }
}
