/**
 * The board's side of the door: carries out what firmware asks with the ports of this computer, and brings it events, one turn at a time.
 */
import type { Digest, Flash, Ports, Socket } from "../../src/ports";
import {
  DIGESTS,
  Event,
  Op,
  P256_REQUEST,
  REQUEST_HEAD,
  Status,
  TLS_PROFILES,
  event,
} from "./firmware/bridge-protocol";
import type { Engine, TurnMeter } from "./engine";

export interface BridgeHostOptions {
  readonly ports: Ports;
  /** JSON for the firmware. */
  readonly configuration: string;
  /** A line of JSON from the firmware. */
  onEvent(json: string): void;
  /** After each turn. */
  onTurn?(meter: TurnMeter): void;
}

type Reply = Uint8Array | string | number | void;

/** Digests begun and not closed, at most: firmware that drops them leaves them behind here. */
const DIGESTS_OPEN = 64;

export class BridgeHost {
  readonly #options: BridgeHostOptions;
  readonly #sockets = new Map<number, Socket>();
  readonly #timers = new Map<number, number>();
  readonly #digests = new Map<number, Digest>();
  readonly #partitions = new Map<number, Flash>();
  readonly #events: { readonly live: () => boolean; readonly message: Uint8Array }[] = [];
  #engine: Engine | undefined;
  #last = 0;
  #delivering = false;

  constructor(options: BridgeHostOptions) {
    this.#options = options;
  }

  /** From here on events are delivered; the bundle has been evaluated. */
  attach(engine: Engine): void {
    this.#engine = engine;
    void this.#deliver();
  }

  /** The power is off: every connection and timer is gone, nothing more is delivered. */
  stop(): void {
    this.#engine = undefined;
    for (const socket of this.#sockets.values()) socket.close();
    for (const timer of this.#timers.values()) this.#options.ports.clock.clear(timer);
    this.#sockets.clear();
    this.#timers.clear();
    this.#digests.clear();
    this.#partitions.clear();
    this.#events.length = 0;
  }

  /** One request of the firmware; errors of the ports go back to it. A power cut (an error of that name) goes to the caller. */
  answer(message: Uint8Array): Uint8Array {
    try {
      return reply(this.#execute(message));
    } catch (error) {
      if ((error as Error).name === "PowerCut") throw error;
      const text = Buffer.from((error as Error).message);
      return Buffer.concat([Uint8Array.of(Status.error), text]);
    }
  }

  #execute(message: Uint8Array): Reply {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const op = view.getUint8(0);
    const a = view.getUint32(1, true);
    const b = view.getUint32(5, true);
    const payload = message.subarray(REQUEST_HEAD);
    const text = (): string => Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
    const { flash, boot, store, crypto, clock, log } = this.#options.ports;
    switch (op) {
      case Op.configuration:
        return this.#options.configuration;
      case Op.log:
        return log?.(text());
      case Op.event:
        return this.#options.onEvent(text());

      case Op.flashInfo:
        return numbers(flash.size, flash.sectorSize);
      case Op.flashErase:
        return flash.erase(a);
      case Op.flashWrite:
        return flash.write(a, payload);
      case Op.flashRead:
        return filled(b, (into) => flash.read(a, into));
      case Op.flashEquals:
        return Uint8Array.of(flash.equals(a, payload) ? 1 : 0);

      case Op.partitionOpen:
        return this.#openPartition(text());
      case Op.partitionErase:
        return this.#partition(b).erase(a);
      case Op.partitionWrite:
        return this.#partition(b).write(a, payload);
      case Op.partitionRead:
        return filled(new DataView(payload.buffer, payload.byteOffset).getUint32(0, true), (into) =>
          this.#partition(b).read(a, into),
        );
      case Op.partitionEquals:
        return Uint8Array.of(this.#partition(b).equals(a, payload) ? 1 : 0);

      case Op.bootRunning:
        return JSON.stringify(boot.running());
      case Op.bootTarget:
        return boot.target();
      case Op.bootResetReason:
        return boot.resetReason();
      case Op.bootReadRunning:
        return filled(b, (into) => boot.readRunning(a, into));
      case Op.bootLastInvalid:
        return boot.lastInvalid() ?? "";
      case Op.bootInvalidateTarget:
        return boot.invalidateTarget();
      case Op.bootVerifyTarget:
        return boot.verifyTarget();
      case Op.bootActivate:
        return boot.activate();
      case Op.bootConfirm:
        return boot.confirm();
      case Op.bootRollback:
        return boot.rollback();
      case Op.bootRestart:
        return boot.restart();

      case Op.storeGetNumber:
        return store.getNumber(text());
      case Op.storeSetNumber:
        return store.setNumber(text(), a);
      case Op.storeGetBytes: {
        const bytes = store.getBytes(text());
        return bytes === undefined ? undefined : Buffer.concat([Uint8Array.of(1), bytes]);
      }
      case Op.storeSetBytes:
        return store.setBytes(Buffer.from(payload.subarray(0, a)).toString(), payload.subarray(a));
      case Op.storeDelete:
        return store.delete(text());

      case Op.socketConnect:
        return this.#connect(text(), a, TLS_PROFILES[b]);
      case Op.socketRead: {
        const into = new Uint8Array(b);
        return into.subarray(0, this.#sockets.get(a)?.read(into) ?? 0);
      }
      case Op.socketWrite:
        return this.#sockets.get(a)?.write(payload) ?? 0;
      case Op.socketClose:
        this.#sockets.get(a)?.close();
        this.#sockets.delete(a);
        return undefined;

      case Op.digestOpen:
        return this.#digest(crypto.digest(known(DIGESTS[a], "digest")));
      case Op.digestWrite:
        return known(this.#digests.get(a), "digest").write(payload);
      case Op.digestClose: {
        const bytes = known(this.#digests.get(a), "digest").close();
        this.#digests.delete(a);
        return bytes;
      }
      case Op.verifyP256:
        if (payload.length !== P256_REQUEST) throw new Error(`verifyP256 with ${payload.length} bytes`);
        return Uint8Array.of(
          crypto.verifyP256(
            payload.subarray(0, 65),
            payload.subarray(65, 97),
            payload.subarray(97, 129),
            payload.subarray(129),
          )
            ? 1
            : 0,
        );
      case Op.random:
        return float(crypto.random());

      case Op.now:
        return float(clock.now());
      case Op.timerSet:
        return this.#set(a);
      case Op.timerClear: {
        const timer = this.#timers.get(a);
        if (timer !== undefined) clock.clear(timer);
        this.#timers.delete(a);
        return undefined;
      }
      default:
        throw new Error(`the board has no operation ${op}`);
    }
  }

  #connect(host: string, port: number, tls: (typeof TLS_PROFILES)[number]): number {
    const id = ++this.#last;
    const live = (): boolean => this.#sockets.has(id);
    const tell = (kind: number, text?: string): void => this.#queue(live, event(kind, id, text));
    const socket = this.#options.ports.network.connect(
      { host, port, ...(tls === undefined ? {} : { tls }) },
      {
        opened: () => tell(Event.socketOpened),
        readable: () => tell(Event.socketReadable),
        writable: () => tell(Event.socketWritable),
        closed: (error) => tell(Event.socketClosed, error === undefined ? "" : JSON.stringify(error)),
      },
    );
    this.#sockets.set(id, socket);
    return id;
  }

  #openPartition(label: string): Uint8Array {
    const flash = this.#options.ports.partition?.(label);
    if (flash === undefined) throw new Error("the board has no data partitions");
    this.#partitions.set(++this.#last, flash);
    return numbers(this.#last, flash.size, flash.sectorSize);
  }

  #partition(number: number): Flash {
    return known(this.#partitions.get(number), "partition");
  }

  #set(milliseconds: number): number {
    const handle = ++this.#last;
    const live = (): boolean => this.#timers.delete(handle);
    this.#timers.set(
      handle,
      this.#options.ports.clock.set(() => this.#queue(live, event(Event.timer, handle)), milliseconds),
    );
    return handle;
  }

  #digest(digest: Digest): number {
    const [oldest] = this.#digests.keys();
    if (this.#digests.size >= DIGESTS_OPEN && oldest !== undefined) this.#digests.delete(oldest);
    this.#digests.set(++this.#last, digest);
    return this.#last;
  }

  /** `live` is asked when the turn comes: what was closed or cleared meanwhile is not told. */
  #queue(live: () => boolean, message: Uint8Array): void {
    this.#events.push({ live, message });
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

function reply(value: Reply): Uint8Array {
  const head = Uint8Array.of(Status.ok);
  if (typeof value === "string") return Buffer.concat([head, Buffer.from(value)]);
  if (typeof value === "number") return Buffer.concat([head, numbers(value)]);
  return value instanceof Uint8Array ? Buffer.concat([head, value]) : head;
}

function numbers(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}

function float(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function filled(length: number, fill: (into: Uint8Array) => void): Uint8Array {
  const into = new Uint8Array(length);
  fill(into);
  return into;
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the board knows no such ${what}`);
  return value;
}
