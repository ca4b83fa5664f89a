/** The ports of src/ports.ts on the firmware's side of the door: each call is one message to the board. Engine-neutral. */
import type {
  Boot,
  Clock,
  ConnectOptions,
  Crypto,
  Digest,
  DigestAlgorithm,
  Flash,
  Network,
  Ports,
  ResetReason,
  Running,
  Socket,
  SocketError,
  SocketEvents,
  Store,
} from "../../../src/ports";
import { decodeUtf8, encodeUtf8 } from "../../../src/util/utf8";
import { DIGESTS, EVENT_HEAD, Event, Op, P256_REQUEST, Status, TLS_PROFILES, request } from "./bridge-protocol";

export type IssueCommand = (request: ArrayBuffer) => ArrayBuffer;

export interface BridgePorts extends Ports {
  partition(label: string): Flash;
  log(line: string): void;
  /** Text of the configuration that the board gave its firmware (JSON). */
  configuration(): string;
  /** A line of JSON for the world outside. */
  emit(json: string): void;
  /** To be called with each event of the board. */
  handle(event: ArrayBuffer): void;
}

/** Longest wait the message holds; `milliseconds` beyond it (49 days) are cut. */
const LONGEST = 0xffff_ffff;

/** Everything that firmware may ask of its board. `version` is the one that this firmware carries in itself: it says so, whatever its image claims. */
export function bridgePorts(issueCommand: IssueCommand, version: string): BridgePorts {
  const door = new Door(issueCommand);
  const network = new BridgeNetwork(door);
  const clock = new BridgeClock(door);
  return {
    flash: new BridgeFlash(door),
    partition: (label) => new BridgePartition(door, label),
    boot: new BridgeBoot(door, version),
    store: new BridgeStore(door),
    network,
    crypto: new BridgeCrypto(door),
    clock,
    log: (line) => void door.ask(Op.log, 0, 0, encodeUtf8(line)),
    configuration: () => door.text(Op.configuration),
    emit: (json) => void door.ask(Op.event, 0, 0, encodeUtf8(json)),
    handle: (message) => {
      const view = new DataView(message);
      const kind = view.getUint8(0);
      const number = view.getUint32(1, true);
      if (kind === Event.timer) clock.fired(number);
      else network.happened(kind, number, message);
    },
  };
}

class Door {
  readonly #issueCommand: IssueCommand;

  constructor(issueCommand: IssueCommand) {
    this.#issueCommand = issueCommand;
  }

  /** The reply's payload starts at byte 1. Throws what the board could not do. */
  ask(op: number, a?: number, b?: number, payload?: Uint8Array): ArrayBuffer {
    const reply = this.#issueCommand(request(op, a, b, payload));
    if (new DataView(reply).getUint8(0) !== Status.ok) throw new Error(decodeUtf8(new Uint8Array(reply, 1)));
    return reply;
  }

  text(op: number): string {
    return decodeUtf8(new Uint8Array(this.ask(op), 1));
  }

  number(op: number, a?: number, b?: number, payload?: Uint8Array): number {
    return new DataView(this.ask(op, a, b, payload)).getUint32(1, true);
  }

  float(op: number): number {
    return new DataView(this.ask(op)).getFloat64(1, true);
  }
}

class BridgeFlash implements Flash {
  readonly size: number;
  readonly sectorSize: number;
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
    const info = new DataView(door.ask(Op.flashInfo));
    this.size = info.getUint32(1, true);
    this.sectorSize = info.getUint32(5, true);
  }

  erase(sector: number): void {
    this.#door.ask(Op.flashErase, sector);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#door.ask(Op.flashWrite, offset, 0, bytes);
  }

  read(offset: number, into: Uint8Array): void {
    into.set(new Uint8Array(this.#door.ask(Op.flashRead, offset, into.length), 1));
  }

  equals(offset: number, bytes: Uint8Array): boolean {
    return new DataView(this.#door.ask(Op.flashEquals, offset, 0, bytes)).getUint8(1) === 1;
  }
}

class BridgePartition implements Flash {
  readonly size: number;
  readonly sectorSize: number;
  readonly #door: Door;
  readonly #number: number;

  constructor(door: Door, label: string) {
    this.#door = door;
    const info = new DataView(door.ask(Op.partitionOpen, 0, 0, encodeUtf8(label)));
    this.#number = info.getUint32(1, true);
    this.size = info.getUint32(5, true);
    this.sectorSize = info.getUint32(9, true);
  }

  erase(sector: number): void {
    this.#door.ask(Op.partitionErase, sector, this.#number);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#door.ask(Op.partitionWrite, offset, this.#number, bytes);
  }

  read(offset: number, into: Uint8Array): void {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, into.length, true);
    into.set(new Uint8Array(this.#door.ask(Op.partitionRead, offset, this.#number, length), 1));
  }

  equals(offset: number, bytes: Uint8Array): boolean {
    return new DataView(this.#door.ask(Op.partitionEquals, offset, this.#number, bytes)).getUint8(1) === 1;
  }
}

class BridgeBoot implements Boot {
  readonly #door: Door;
  readonly #version: string;

  constructor(door: Door, version: string) {
    this.#door = door;
    this.#version = version;
  }

  running(): Running {
    return { ...(JSON.parse(this.#door.text(Op.bootRunning)) as Running), version: this.#version };
  }

  target(): string {
    return this.#door.text(Op.bootTarget);
  }

  resetReason(): ResetReason {
    return this.#door.text(Op.bootResetReason) as ResetReason;
  }

  readRunning(offset: number, into: Uint8Array): void {
    into.set(new Uint8Array(this.#door.ask(Op.bootReadRunning, offset, into.length), 1));
  }

  lastInvalid(): string | undefined {
    return this.#door.text(Op.bootLastInvalid) || undefined;
  }

  invalidateTarget(): void {
    this.#door.ask(Op.bootInvalidateTarget);
  }

  verifyTarget(): number {
    return this.#door.number(Op.bootVerifyTarget);
  }

  activate(): void {
    this.#door.ask(Op.bootActivate);
  }

  confirm(): void {
    this.#door.ask(Op.bootConfirm);
  }

  rollback(): void {
    this.#door.ask(Op.bootRollback);
  }

  restart(): void {
    this.#door.ask(Op.bootRestart);
  }
}

class BridgeStore implements Store {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  getNumber(key: string): number | undefined {
    const reply = this.#door.ask(Op.storeGetNumber, 0, 0, encodeUtf8(key));
    return reply.byteLength === 1 ? undefined : new DataView(reply).getUint32(1, true);
  }

  setNumber(key: string, value: number): void {
    this.#door.ask(Op.storeSetNumber, value, 0, encodeUtf8(key));
  }

  getBytes(key: string): Uint8Array | undefined {
    const reply = this.#door.ask(Op.storeGetBytes, 0, 0, encodeUtf8(key));
    return reply.byteLength === 1 ? undefined : new Uint8Array(reply, 2);
  }

  setBytes(key: string, bytes: Uint8Array): void {
    const name = encodeUtf8(key);
    const payload = new Uint8Array(name.length + bytes.length);
    payload.set(name);
    payload.set(bytes, name.length);
    this.#door.ask(Op.storeSetBytes, name.length, 0, payload);
  }

  delete(key: string): void {
    this.#door.ask(Op.storeDelete, 0, 0, encodeUtf8(key));
  }
}

class BridgeNetwork implements Network {
  readonly #door: Door;
  readonly #sockets = new Map<number, SocketEvents>();

  constructor(door: Door) {
    this.#door = door;
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    const door = this.#door;
    const id = door.number(Op.socketConnect, options.port, TLS_PROFILES.indexOf(options.tls), encodeUtf8(options.host));
    this.#sockets.set(id, events);
    return {
      read: (into) => {
        const reply = door.ask(Op.socketRead, id, into.length);
        into.set(new Uint8Array(reply, 1));
        return reply.byteLength - 1;
      },
      write: (bytes) => door.number(Op.socketWrite, id, 0, bytes),
      close: () => {
        this.#sockets.delete(id);
        door.ask(Op.socketClose, id);
      },
    };
  }

  happened(kind: number, id: number, message: ArrayBuffer): void {
    const events = this.#sockets.get(id);
    if (events === undefined) return;
    switch (kind) {
      case Event.socketOpened:
        return events.opened();
      case Event.socketReadable:
        return events.readable();
      case Event.socketWritable:
        return events.writable();
      case Event.socketClosed:
        this.#sockets.delete(id);
        if (message.byteLength === EVENT_HEAD) events.closed();
        else events.closed(JSON.parse(decodeUtf8(new Uint8Array(message, EVENT_HEAD))) as SocketError);
    }
  }
}

class BridgeCrypto implements Crypto {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  digest(algorithm: DigestAlgorithm): Digest {
    const door = this.#door;
    const id = door.number(Op.digestOpen, DIGESTS.indexOf(algorithm));
    return {
      write: (bytes) => void door.ask(Op.digestWrite, id, 0, bytes),
      close: () => new Uint8Array(door.ask(Op.digestClose, id), 1),
    };
  }

  verifyP256(point: Uint8Array, hash: Uint8Array, r: Uint8Array, s: Uint8Array): boolean {
    const payload = new Uint8Array(P256_REQUEST);
    payload.set(point);
    payload.set(hash, 65);
    payload.set(r, 97);
    payload.set(s, 129);
    return new DataView(this.#door.ask(Op.verifyP256, 0, 0, payload)).getUint8(1) === 1;
  }

  random(): number {
    return this.#door.float(Op.random);
  }
}

class BridgeClock implements Clock {
  readonly #door: Door;
  readonly #callbacks = new Map<number, () => void>();

  constructor(door: Door) {
    this.#door = door;
  }

  now(): number {
    return this.#door.float(Op.now);
  }

  set(callback: () => void, milliseconds: number): number {
    const handle = this.#door.number(Op.timerSet, Math.min(LONGEST, Math.ceil(Math.max(0, milliseconds))));
    this.#callbacks.set(handle, callback);
    return handle;
  }

  clear(handle: number): void {
    if (this.#callbacks.delete(handle)) this.#door.ask(Op.timerClear, handle);
  }

  fired(handle: number): void {
    const callback = this.#callbacks.get(handle);
    this.#callbacks.delete(handle);
    callback?.();
  }
}
