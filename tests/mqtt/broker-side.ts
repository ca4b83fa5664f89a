import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import type { Identity } from "../../src/mqtt/message";
import { MqttSession } from "../../src/mqtt/session";
import type { SessionOutput } from "../../src/mqtt/outputs";
import { feed } from "./feed";

/** Packets of a broker, and what a session sends to it. */
export function bytes(packet: Packet): Uint8Array {
  return new Uint8Array(generate(packet));
}

export const connack = (returnCode = 0) => bytes({ cmd: "connack", returnCode, sessionPresent: false });
export const suback = (messageId: number, code = 1) => bytes({ cmd: "suback", messageId, granted: [code] });
export const puback = (messageId: number) => bytes({ cmd: "puback", messageId });
export const pingresp = () => bytes({ cmd: "pingresp" });
export function message(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 0, messageId = 1): Uint8Array {
  return bytes({ cmd: "publish", topic, payload, qos, messageId, dup: false, retain: false });
}

/** The packets among the outputs. */
export function sent(effects: readonly SessionOutput[]): Packet[] {
  const packets: Packet[] = [];
  const reader = parser();
  reader.on("packet", (packet) => packets.push(packet));
  for (const effect of effects) if (effect.type === "send") reader.parse(Buffer.from(effect.bytes));
  return packets;
}

export const commands = (effects: readonly SessionOutput[]) => sent(effects).map((packet) => packet.cmd);
export const types = (effects: readonly SessionOutput[]) => effects.map((effect) => effect.type);
export function only<T extends SessionOutput["type"]>(
  effects: readonly SessionOutput[],
  type: T,
): Extract<SessionOutput, { type: T }> {
  const found = effects.filter((effect): effect is Extract<SessionOutput, { type: T }> => effect.type === type);
  if (found.length !== 1) throw new Error(`${found.length} effects of type ${type} in [${types(effects).join()}]`);
  return found[0]!;
}

export interface Options {
  identity?: () => Identity;
  subscriptions?: readonly string[];
  random?: () => number;
}

export function newSession(options: Options = {}): MqttSession {
  return new MqttSession({
    identity: options.identity ?? (() => ({ clientId: "device", username: "user", password: "secret", keepAlive: 60 })),
    subscriptions: options.subscriptions ?? ["in/a"],
    random: options.random ?? (() => 0.5),
  });
}

/** Takes a session that waits for its connection to "up"; returns the outputs of the last SUBACK. */
export function bringUp(session: MqttSession, now: number): SessionOutput[] {
  session.opened(now);
  let effects = feed(session, connack(), now);
  for (const packet of sent(effects)) effects = feed(session, suback(packet.messageId!), now);
  return effects;
}

/** A session that is up since time 0. */
export function upSession(options: Options = {}): MqttSession {
  const session = newSession(options);
  session.start(0);
  bringUp(session, 0);
  if (!session.isUp) throw new Error("not up");
  return session;
}
