import { BoundedLog } from "../bounded-log";
import type { Session } from "../broker/bus";
import { clipped } from "./clipped";
import { SleepHabit, type DeviceSleep } from "./sleep";

/** One device as the cloud knows it: a snapshot. Times are milliseconds since 1970. */
export interface Device {
  /** Unique in the cloud: the platform's name, then whatever identifies a device there, joined by slashes. */
  readonly id: string;
  readonly platform: string;
  /** What people call it. */
  readonly name: string;
  readonly online: boolean;
  /** The firmware version it reported last. */
  readonly version?: string;
  readonly lastSeen?: number;
  /** It sleeps, as far as the cloud knows. */
  readonly sleep?: DeviceSleep;
}

/** One message, exactly as it went over the broker. */
export interface LoggedMessage {
  readonly at: number;
  readonly direction: "up" | "down";
  readonly topic: string;
  /** The payload as text. */
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly dup: boolean;
  /** `Session.serial` of the connection it came over. */
  readonly connection?: number;
}

interface Entry {
  device: Device;
  session: Session | undefined;
  readonly habit: SleepHabit;
  readonly messages: BoundedLog<LoggedMessage>;
}

const DEVICES_MAX = 20_000;
/** Bytes of payload stored for each device. */
const LOG_BYTES = 256 * 1024;

/** Characters of a version that are kept; no platform takes one of more than 36. */
const VERSION_MAX = 64;

export interface DeviceEvents {
  device(device: Device): void;
  message(device: Device, message: LoggedMessage): void;
}

/** All devices of all platforms. Every change replaces the device's snapshot and is announced. */
export class DeviceRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #events: DeviceEvents;
  readonly #logLimit: number;

  /** `logLimit`: messages stored for each device. */
  constructor(events: DeviceEvents, logLimit: number) {
    this.#events = events;
    this.#logLimit = logLimit;
  }

  /** Throws if the id is taken or there are too many. */
  add(device: Pick<Device, "id" | "platform" | "name" | "version" | "lastSeen">): Device {
    if (this.#entries.has(device.id)) throw new Error(`device ${device.id} is there already`);
    if (this.#entries.size >= DEVICES_MAX) throw new Error(`at most ${DEVICES_MAX} devices are taken`);
    const messages = new BoundedLog<LoggedMessage>(this.#logLimit, LOG_BYTES, (message) => message.payload.length);
    const entry: Entry = {
      device: { ...device, online: false },
      session: undefined,
      habit: new SleepHabit(),
      messages,
    };
    this.#entries.set(device.id, entry);
    this.#events.device(entry.device);
    return entry.device;
  }

  /** Returns the client id of the connection that it had, if any. */
  remove(id: string): string | undefined {
    const session = this.#entries.get(id)?.session;
    this.#entries.delete(id);
    return session?.clientId;
  }

  /** Brings back what was announced before, without announcing it. */
  load(
    id: string,
    known: Partial<Pick<Device, "version" | "lastSeen" | "online">>,
    messages: readonly LoggedMessage[],
  ): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const heard = messages.findLast(({ direction }) => direction === "up")?.at;
    const lastSeen = Math.max(known.lastSeen ?? 0, heard ?? 0);
    entry.device = { ...entry.device, ...known, ...(lastSeen > 0 ? { lastSeen } : {}) };
    for (const message of messages) entry.messages.add(message);
  }

  /** A message came from it, through a broker that does not report who is connected. */
  heard(id: string, at: number): void {
    const entry = this.#entries.get(id);
    if (entry) this.#change(entry, { online: true, lastSeen: at }, undefined);
  }

  /** It says that it is about to sleep so many seconds. */
  asleep(id: string, seconds: number, at: number): void {
    const entry = this.#entries.get(id);
    if (entry) this.#change(entry, {}, { since: at, until: at + seconds * 1000, basis: "announced" });
  }

  get(id: string): Device | undefined {
    return this.#entries.get(id)?.device;
  }

  list(): Device[] {
    return [...this.#entries.values()].map(({ device }) => device);
  }

  /** The newest messages, oldest first. */
  messages(id: string): LoggedMessage[] {
    return this.#entries.get(id)?.messages.entries() ?? [];
  }

  /** A connection came or went. That of a session which is not the current one changes nothing. */
  presence(session: Session, online: boolean, at: number): void {
    const entry = this.#entries.get(session.device);
    if (!entry || (!online && entry.session !== session)) return;
    entry.session = online ? session : undefined;
    const { habit, device } = entry;
    if (online) habit.returned(at);
    const habitual = online ? undefined : habit.left(at);
    this.#change(entry, { online, lastSeen: at }, online ? undefined : (device.sleep ?? habitual));
  }

  /** The device reported what it runs. */
  version(id: string, version: string, at: number): void {
    const entry = this.#entries.get(id);
    if (entry) this.#change(entry, { version: clipped(version, VERSION_MAX), lastSeen: at }, entry.device.sleep);
  }

  log(id: string, message: LoggedMessage): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.messages.add(message);
    // No announcement of its own: a thousand devices that report every second would be a thousand rows to write.
    if (message.direction === "up") entry.device = { ...entry.device, lastSeen: message.at };
    this.#events.message(entry.device, message);
  }

  #change(entry: Entry, change: Partial<Device>, sleep: DeviceSleep | undefined): void {
    const { sleep: _, ...device } = entry.device;
    entry.device = { ...device, ...change, ...(sleep === undefined ? {} : { sleep }) };
    this.#events.device(entry.device);
  }
}
