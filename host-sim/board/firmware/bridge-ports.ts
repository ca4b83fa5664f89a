/**
 * The ports of src/ports.ts on the firmware's side of the bridge: each call is one request to the board.
 * Engine-neutral.
 */
import type {
  Boot,
  Clock,
  ConnectOptions,
  Crypto,
  Flash,
  Ports,
  Retained,
  Socket,
  SocketError,
  SocketEvents,
  Store,
} from "../../../src/ports";
import type { Surroundings } from "./configuration";
import { EVENTS, FIRST, HEAD, METHODS, ROOTS, Status, decode, message } from "./bridge-protocol";

export type IssueCommand = (request: ArrayBuffer) => ArrayBuffer;

export interface BridgePorts extends Ports {
  readonly retained: Retained;
  partition(label: string): Flash;
  log(line: string): void;
  /** The configuration (JSON) for firmware of earlier versions. */
  configuration(): string;
  /** Another namespace of NVS. */
  space(name: string): Store;
  surroundings(): Surroundings;
  /** Prints a line of JSON as an event of the board. */
  emit(json: string): void;
  /** The board's events: to be called as `handleCommand`. */
  handle(event: ArrayBuffer): void;
}

/** The roots, in the order of their numbers, with events in place of callbacks. */
type Roots = readonly [
  board: Pick<BridgePorts, "configuration" | "emit" | "log" | "partition" | "space"> & {
    readonly surroundings: Surroundings;
    connect(options: ConnectOptions): Socket & { readonly number: number };
  },
  flash: Flash,
  boot: Boot,
  store: Store,
  crypto: Crypto,
  clock: Clock & { set(milliseconds: number): number },
  retained: Retained,
];

/** Longest wait that the message holds, ms (49 days); longer ones are cut to it. */
const LONGEST = 0xffff_ffff;

/**
 * Everything that firmware may ask of its board. `version` is the one that the firmware itself carries, whatever its
 * image claims.
 */
export function bridgePorts(issueCommand: IssueCommand, version: string): BridgePorts {
  const [board, flash, boot, store, crypto, clock, retained] = ROOTS.map(objectsOf(issueCommand)) as unknown as Roots;
  const listeners = new Map<number, Partial<SocketEvents> & { timer?(): void }>();
  return {
    ...board,
    flash,
    store,
    crypto,
    retained,
    boot: { ...boot, running: () => ({ ...boot.running(), version }) },
    surroundings: () => board.surroundings,
    network: {
      connect(options, events) {
        const { number, read, write, close } = board.connect(options);
        listeners.set(number, events);
        return { read, write, close: () => (listeners.delete(number), close()) };
      },
    },
    clock: {
      now: clock.now,
      set(timer, milliseconds) {
        const handle = clock.set(Math.min(LONGEST, Math.ceil(Math.max(0, milliseconds))));
        listeners.set(handle, { timer });
        return handle;
      },
      clear: (handle) => void (listeners.delete(handle) && clock.clear(handle)),
    },
    handle(event) {
      const view = new DataView(event);
      const name = EVENTS[view.getUint8(0)]!;
      const number = view.getUint32(1, true);
      const listener = listeners.get(number);
      if (name === "closed" || name === "timer") listeners.delete(number);
      if (event.byteLength === HEAD) listener?.[name]?.();
      else listener?.closed?.(decode("json", view, HEAD) as SocketError);
    },
  };
}

/** Makes objects whose methods ask the board, by the table of methods. A call throws what the board could not do. */
function objectsOf(issueCommand: IssueCommand): (kind: string, number: number) => object {
  const object = (kind: string, objectNumber: number): object => {
    const made: { [name: string]: unknown } = { number: objectNumber };
    for (let number = FIRST[kind]!; number < METHODS.length; number++) {
      const [of, name, takes, gives = "none", property] = METHODS[number]!;
      if (of !== kind) continue;
      const call = (...values: unknown[]): unknown => {
        const reply = issueCommand(message(number, objectNumber, takes, values));
        const view = new DataView(reply);
        const status = view.getUint8(0);
        if (status === Status.error) throw new Error(decode("text", view, 1) as string);
        if (status === Status.absent) return undefined;
        if (gives in FIRST) return object(gives, view.getUint32(1, true));
        if (gives !== "room") return decode(gives, view, 1);
        (values[takes.length - 1] as Uint8Array).set(new Uint8Array(reply, 1));
        return reply.byteLength - 1;
      };
      made[name] = property === undefined ? call : call();
    }
    return made;
  };
  return object;
}
