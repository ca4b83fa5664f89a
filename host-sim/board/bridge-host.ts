/**
 * The board's side of the bridge: carries out what firmware asks with the ports of this computer, and brings it events,
 * one turn at a time.
 */
import type { ConnectOptions, Flash, Ports, Socket, SocketError, SocketEvents, Store } from "../../src/ports";
import type { Surroundings } from "./firmware/configuration";
import { ENCODE, EVENTS, FIRST, HEAD, METHODS, ROOTS, Status, decode, message } from "./firmware/bridge-protocol";
import type { Engine, TurnMeter } from "./engine";

export interface BridgeHostOptions {
  readonly ports: Ports & { space?(name: string): Store };
  /** Default: there is a network, and the clock is set. */
  readonly surroundings?: Surroundings | undefined;
  /** JSON for firmware of earlier versions, which does not read its settings in NVS. */
  readonly configuration: string;
  /** A line of JSON from the firmware. */
  onEvent(json: string): void;
  /** After each turn. */
  onTurn?(meter: TurnMeter): void;
}

type EventName = (typeof EVENTS)[number];

/** Digests, or decoders, begun and not closed, at most: firmware may drop them, and then the oldest goes. */
const OPEN_MAX = 64;
/** What a closed socket is to firmware that still holds it. */
const CLOSED: Socket = { read: () => 0, write: () => 0, close: () => {} };

export class BridgeHost {
  readonly #options: BridgeHostOptions;
  /** By their numbers: the roots, and the sockets, digests and partitions that firmware has asked for. */
  readonly #objects = new Map<number, { readonly kind: string; readonly object: object }>();
  readonly #timers = new Map<number, number>();
  readonly #events: { readonly live: () => boolean; readonly message: Uint8Array }[] = [];
  #engine: Engine | undefined;
  #last = ROOTS.length;
  #delivering = false;

  constructor(options: BridgeHostOptions) {
    this.#options = options;
    const { ports, configuration, surroundings = { address: 0, time: "set" }, onEvent } = options;
    const board = {
      configuration: () => configuration,
      surroundings,
      space(name: string): Store {
        if (ports.space === undefined) throw new Error("the board has no other namespaces");
        return ports.space(name);
      },
      log: (line: string) => ports.log?.(line),
      emit: onEvent,
      partition(label: string): Flash {
        if (ports.partition === undefined) throw new Error("the board has no data partitions");
        return ports.partition(label);
      },
      connect: (where: ConnectOptions) => this.#connect(where),
    };
    const clock = {
      now: () => ports.clock.now(),
      set: (milliseconds: number) => this.#set(milliseconds),
      clear: (handle: number) => {
        const timer = this.#timers.get(handle);
        if (this.#timers.delete(handle)) ports.clock.clear(timer!);
      },
    };
    const roots: { readonly [kind: string]: object } = { ...ports, board, clock };
    ROOTS.forEach((kind, number) => this.#objects.set(number, { kind, object: roots[kind]! }));
  }

  /** From here on events are delivered; the bundle has been evaluated. */
  attach(engine: Engine): void {
    this.#engine = engine;
    void this.#deliver();
  }

  /** The power is off: every connection and timer is gone, nothing more is delivered. */
  stop(): void {
    this.#engine = undefined;
    for (const { kind, object } of this.#objects.values()) if (kind === "socket") (object as Socket).close();
    for (const timer of this.#timers.values()) this.#options.ports.clock.clear(timer);
    this.#objects.clear();
    this.#timers.clear();
    this.#events.length = 0;
  }

  /**
   * One request of the firmware; errors of the ports go back to it. A power cut (an error of that name) goes to the
   * caller.
   */
  answer(request: Uint8Array): Uint8Array {
    try {
      return this.#execute(request);
    } catch (error) {
      if ((error as Error).name === "PowerCut") throw error;
      return Buffer.concat([Uint8Array.of(Status.error), Buffer.from((error as Error).message)]);
    }
  }

  #execute(request: Uint8Array): Uint8Array {
    const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
    const called = METHODS[view.getUint8(0)];
    if (called === undefined) throw new Error(`the board has no operation ${view.getUint8(0)}`);
    const [of, name, takes, gives = "none"] = called;
    const number = view.getUint32(1, true);
    const target = this.#object(of, number) as { readonly [name: string]: unknown };
    const values = argumentsOf(takes, view);
    const member = target[name];
    const result: unknown = typeof member === "function" ? Reflect.apply(member, target, values) : member;
    if (name === "close") this.#objects.delete(number);
    if (gives in FIRST) return reply("u32", this.#keep(gives, result as object));
    if (gives !== "room") return reply(gives, result);
    const room = values[takes.length - 1] as Uint8Array;
    return reply("bytes", typeof result === "number" ? room.subarray(0, result) : room);
  }

  #object(kind: string, number: number): object {
    const found = this.#objects.get(number);
    if (found?.kind === kind) return found.object;
    if (kind === "socket") return CLOSED;
    throw new Error(`the board knows no such ${kind}`);
  }

  /** Gives an object its number. A socket has one already: its events carry it. */
  #keep(kind: string, object: object): number {
    if (kind === "socket") return this.#last;
    if (kind === "digest" || kind === "expander") this.#dropOldest(kind);
    this.#objects.set(++this.#last, { kind, object });
    return this.#last;
  }

  #dropOldest(kind: string): void {
    const open = [...this.#objects].filter(([, object]) => object.kind === kind);
    if (open.length >= OPEN_MAX) this.#objects.delete(open[0]![0]);
  }

  #connect(options: ConnectOptions): Socket {
    const number = ++this.#last;
    const live = (): boolean => this.#objects.has(number);
    const callback = (name: EventName) =>
      [name, (error?: SocketError) => this.#queue(live, name, number, error)] as const;
    const events = Object.fromEntries(EVENTS.map(callback)) as unknown as SocketEvents;
    const socket = this.#options.ports.network.connect(options, events);
    this.#objects.set(number, { kind: "socket", object: socket });
    return socket;
  }

  #set(milliseconds: number): number {
    const handle = ++this.#last;
    const live = (): boolean => this.#timers.delete(handle);
    const fired = (): void => this.#queue(live, "timer", handle);
    this.#timers.set(handle, this.#options.ports.clock.set(fired, milliseconds));
    return handle;
  }

  /** `live` is asked when the event's turn comes: one of a closed socket or a cleared timer is dropped. */
  #queue(live: () => boolean, name: EventName, number: number, payload?: object): void {
    const head = new Uint8Array(message(EVENTS.indexOf(name), number, [], []));
    const rest = payload === undefined ? "" : JSON.stringify(payload);
    this.#events.push({ live, message: Buffer.concat([head, Buffer.from(rest)]) });
    void this.#deliver();
  }

  async #deliver(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    for (let engine = this.#engine; engine !== undefined; engine = this.#engine) {
      const next = this.#events.shift();
      if (next === undefined) break;
      if (!next.live()) continue;
      const meter = await engine.turn(next.message);
      if (meter !== undefined) this.#options.onTurn?.(meter);
    }
    this.#delivering = false;
  }
}

function argumentsOf(takes: readonly string[], request: DataView): unknown[] {
  let at = HEAD;
  return takes.map((kind) => {
    const start = at;
    at += 4;
    if (kind === "u32" || kind === "room") return decode(kind, request, start);
    at += request.getUint32(start, true);
    return decode(kind, new DataView(request.buffer, request.byteOffset, at), start + 4);
  });
}

function reply(kind: string, result: unknown): Uint8Array {
  if (result === undefined && kind !== "none") return Uint8Array.of(Status.absent);
  const part = ENCODE[kind]!(result as never);
  const bytes = typeof part === "number" ? new Uint8Array(Uint32Array.of(part).buffer) : part;
  return Buffer.concat([Uint8Array.of(Status.ok), bytes]);
}
