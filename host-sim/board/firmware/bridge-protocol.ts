/**
 * The calls from firmware to its board, and the events back. All of them go through the engine's one function,
 * `issueCommand(ArrayBuffer): ArrayBuffer`. Both sides marshal by the table below, so this file uses neither Node nor
 * TextEncoder.
 *
 * A request is the number of the method (1 byte), the number of the object (4 bytes) and the arguments, each a number
 * or the length of the bytes that follow it (4 bytes). The reply is a status byte and the result. An event, the
 * argument of `handleCommand`, is a kind (1 byte), the number of a socket or timer (4 bytes) and a payload. Integers
 * are little-endian.
 */
import { decodeUtf8, encodeUtf8 } from "../../../src/util/utf8";

/** "room": a buffer that the board fills. Its length goes to the board, the bytes come back as the result. */
export type Kind = "none" | "u32" | "f64" | "flag" | "text" | "json" | "bytes" | "room";
/** Which object, its method, the kinds of its arguments and of its result. Every result but "none" may be undefined. */
type Method = readonly [
  of: string,
  name: string,
  takes: readonly Kind[],
  /** A kind, or the name of an object with methods of its own. */
  gives?: Kind | "flash" | "store" | "socket" | "digest" | "expander",
  /** A value that is read once. */
  property?: "property",
];

/**
 * The ports of src/ports.ts; the place in this list is a method's number. New ones stand at its end: firmware in the
 * flash of a board keeps its numbers. "board" is the rest: `connect`, and `set` of the clock, have events in place of
 * callbacks.
 */
export const METHODS: readonly Method[] = [
  // Firmware of earlier versions asks for it, and does not read its settings in NVS.
  ["board", "configuration", [], "text"],
  ["board", "log", ["text"]],
  ["board", "emit", ["text"]],
  ["board", "partition", ["text"], "flash"],
  ["board", "connect", ["json"], "socket"],
  ["flash", "size", [], "u32", "property"],
  ["flash", "sectorSize", [], "u32", "property"],
  ["flash", "blockSectors", [], "u32", "property"],
  ["flash", "erase", ["u32"]],
  ["flash", "eraseBlock", ["u32"]],
  ["flash", "write", ["u32", "bytes"]],
  ["flash", "read", ["u32", "room"], "room"],
  ["flash", "equals", ["u32", "bytes"], "flag"],
  ["boot", "running", [], "json"],
  ["boot", "startUp", [], "json"],
  ["boot", "target", [], "text"],
  ["boot", "resetReason", [], "text"],
  ["boot", "targetStarted", [], "flag"],
  ["boot", "readRunning", ["u32", "room"], "room"],
  ["boot", "lastInvalid", [], "text"],
  ["boot", "invalidateTarget", []],
  ["boot", "verifyTarget", [], "u32"],
  ["boot", "activate", []],
  ["boot", "confirm", []],
  ["boot", "deadline", ["u32"]],
  ["boot", "sleep", ["u32"]],
  ["boot", "rollback", []],
  ["boot", "restart", []],
  ["store", "getNumber", ["text"], "u32"],
  ["store", "setNumber", ["text", "u32"]],
  ["store", "getBytes", ["text"], "bytes"],
  ["store", "setBytes", ["text", "bytes"]],
  ["store", "delete", ["text"]],
  ["crypto", "digest", ["text"], "digest"],
  ["crypto", "verifyP256", ["bytes", "bytes", "bytes", "bytes"], "flag"],
  ["crypto", "random", [], "f64"],
  ["clock", "now", [], "f64"],
  ["clock", "set", ["u32"], "u32"],
  ["clock", "clear", ["u32"]],
  ["socket", "read", ["room"], "room"],
  ["socket", "write", ["bytes"], "u32"],
  ["socket", "close", []],
  ["digest", "write", ["bytes"]],
  ["digest", "close", [], "bytes"],
  ["board", "space", ["text"], "store"],
  ["board", "surroundings", [], "json", "property"],
  ["boot", "expander", ["u32"], "expander"],
  ["expander", "begin", ["u32", "u32", "u32", "u32"]],
  ["expander", "next", ["room"], "room"],
  ["expander", "close", []],
  ["retained", "read", [], "bytes"],
  ["retained", "write", ["bytes", "bytes"]],
];
/** The number of the first method of each object. */
export const FIRST: { readonly [of: string]: number } = Object.fromEntries(
  METHODS.map(([of], number) => [of, number] as const).reverse(),
);
/** Objects that are always there; the place in this list is an object's number. Others have higher numbers. */
export const ROOTS = ["board", "flash", "boot", "store", "crypto", "clock", "retained"];
/** Kinds of events: the callbacks of a socket (payload of `closed`: nothing, or the error as JSON), and a timer. */
export const EVENTS = ["opened", "readable", "writable", "closed", "timer"] as const;
/** Payload of `absent`: nothing, the result is undefined; of `error`: its message. */
export const Status = { ok: 0, absent: 1, error: 2 };
/** Bytes before the arguments of a request, and before the payload of an event. */
export const HEAD = 5;

/** How values become bytes. Numbers of 4 bytes stay numbers. */
export const ENCODE: { readonly [kind: string]: (value: never) => number | Uint8Array } = {
  none: () => new Uint8Array(0),
  u32: (value: number) => value,
  f64: (value: number) => new Uint8Array(Float64Array.of(value).buffer),
  flag: (value: boolean) => Uint8Array.of(value ? 1 : 0),
  text: encodeUtf8,
  json: (value: unknown) => encodeUtf8(JSON.stringify(value)),
  bytes: (value: Uint8Array) => value,
  room: (value: Uint8Array) => value.length,
};

/** The value that lies from `at` to the end of `view`. */
export function decode(kind: string, view: DataView, at: number): unknown {
  if (kind === "none") return undefined;
  if (kind === "u32") return view.getUint32(at, true);
  if (kind === "f64") return view.getFloat64(at, true);
  if (kind === "flag") return view.getUint8(at) === 1;
  if (kind === "room") return new Uint8Array(view.getUint32(at, true));
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at);
  if (kind === "bytes") return bytes;
  return kind === "text" ? decodeUtf8(bytes) : JSON.parse(decodeUtf8(bytes));
}

/** A request with its arguments, or an event without. Throws on a number that it can not carry. */
export function message(kind: number, object: number, takes: readonly Kind[], values: readonly unknown[]): ArrayBuffer {
  const parts: (number | Uint8Array)[] = [];
  let length = HEAD + 4 * takes.length;
  for (let i = 0; i < takes.length; i++) {
    const part = ENCODE[takes[i]!]!(values[i] as never);
    parts[i] = part;
    if (typeof part !== "number") length += part.length;
    else if (part >>> 0 !== part)
      throw new Error(`operation ${METHODS[kind]![1]} with ${part}: whole numbers of 32 bits are expected`);
  }
  const bytes = new ArrayBuffer(length);
  const view = new DataView(bytes);
  view.setUint8(0, kind);
  view.setUint32(1, object, true);
  let at = HEAD;
  for (let i = 0; i < parts.length; i++, at += 4) {
    const part = parts[i]!;
    if (typeof part === "number") view.setUint32(at, part, true);
    else {
      view.setUint32(at, part.length, true);
      new Uint8Array(bytes).set(part, at + 4);
      at += part.length;
    }
  }
  return bytes;
}
