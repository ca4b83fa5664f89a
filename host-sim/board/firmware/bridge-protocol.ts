/**
 * What firmware and board say to each other across the engine's one door, `issueCommand(ArrayBuffer): ArrayBuffer`.
 *
 * A request is an operation (1 byte), two numbers (4 bytes each, little-endian) and a payload; its reply a status byte and a payload. The
 * board calls `handleCommand` with an event: kind (1 byte), a number (4 bytes) and a payload. Bytes stay bytes, text is UTF-8.
 * Used on both sides of the door, so engine-neutral: no Node, no TextEncoder.
 */
import { encodeUtf8 } from "../../../src/util/utf8";

export const Op = {
  /** -> JSON: what the board tells its firmware. */
  configuration: 1,
  /** Payload: one line. */
  log: 2,
  /** Payload: JSON, printed by the board. */
  event: 3,

  /** -> u32 slot length, u32 sector length. */
  flashInfo: 10,
  /** a: sector. */
  flashErase: 11,
  /** a: offset; payload. */
  flashWrite: 12,
  /** a: offset, b: length -> bytes. */
  flashRead: 13,
  /** a: offset; payload -> u8. */
  flashEquals: 14,

  /** Payload: label -> u32 number, u32 length, u32 sector length. */
  partitionOpen: 15,
  /** a: sector, b: partition. */
  partitionErase: 16,
  /** a: offset, b: partition; payload. */
  partitionWrite: 17,
  /** a: offset, b: partition; payload: u32 length -> bytes. */
  partitionRead: 18,
  /** a: offset, b: partition; payload -> u8. */
  partitionEquals: 19,

  /** -> JSON of `Running`. */
  bootRunning: 20,
  /** -> text. */
  bootTarget: 21,
  /** -> text. */
  bootResetReason: 22,
  /** a: offset, b: length -> bytes. */
  bootReadRunning: 23,
  /** -> text, empty for none. */
  bootLastInvalid: 24,
  bootInvalidateTarget: 25,
  /** -> u32 length. */
  bootVerifyTarget: 26,
  bootActivate: 27,
  bootConfirm: 28,
  bootRollback: 29,
  /** No reply: the engine is gone. */
  bootRestart: 30,

  /** Payload: key -> empty, or u32. */
  storeGetNumber: 40,
  /** a: value; payload: key. */
  storeSetNumber: 41,
  /** Payload: key -> empty, or a byte 1 and the bytes. */
  storeGetBytes: 42,
  /** a: length of the key; payload: key, bytes. */
  storeSetBytes: 43,
  /** Payload: key. */
  storeDelete: 44,

  /** a: port, b: `TLS_PROFILES`; payload: host -> u32 socket. */
  socketConnect: 50,
  /** a: socket, b: most -> bytes. */
  socketRead: 51,
  /** a: socket; payload -> u32 taken. */
  socketWrite: 52,
  /** a: socket. */
  socketClose: 53,

  /** a: index in `DIGESTS` -> u32 digest. */
  digestOpen: 60,
  /** a: digest; payload. */
  digestWrite: 61,
  /** a: digest -> bytes. */
  digestClose: 62,
  /** -> f64. */
  random: 63,
  /** Payload: point (65), hash (32), r (32), s (32) -> u8. */
  verifyP256: 64,

  /** -> f64, ms. */
  now: 70,
  /** a: milliseconds -> u32 handle. */
  timerSet: 71,
  /** a: handle. */
  timerClear: 72,
} as const;

export const Status = { ok: 0, /** Payload: the message. */ error: 1 } as const;

/** The number is a socket's or a timer's. */
export const Event = {
  socketOpened: 1,
  socketReadable: 2,
  socketWritable: 3,
  /** Payload: empty, or JSON of `SocketError`. */
  socketClosed: 4,
  timer: 5,
} as const;

/** `ConnectOptions.tls` by its number on the wire. */
export const TLS_PROFILES = [undefined, "mqtt", "https"] as const;
export const DIGESTS = ["MD5", "SHA1", "SHA256"] as const;

/** Payload of `Op.verifyP256`, bytes. */
export const P256_REQUEST = 161;

export const REQUEST_HEAD = 9;
export const EVENT_HEAD = 5;

const NOTHING = new Uint8Array(0);

/** One request. Throws on a number that the message can not carry. */
export function request(op: number, a = 0, b = 0, payload: Uint8Array = NOTHING): ArrayBuffer {
  if (a >>> 0 !== a || b >>> 0 !== b)
    throw new Error(`operation ${op} with ${a} and ${b}: whole numbers of 32 bits are expected`);
  const message = new ArrayBuffer(REQUEST_HEAD + payload.length);
  const view = new DataView(message);
  view.setUint8(0, op);
  view.setUint32(1, a, true);
  view.setUint32(5, b, true);
  if (payload.length > 0) new Uint8Array(message).set(payload, REQUEST_HEAD);
  return message;
}

/** One event. */
export function event(kind: number, number: number, text = ""): Uint8Array {
  const payload = encodeUtf8(text);
  const message = new Uint8Array(EVENT_HEAD + payload.length);
  message[0] = kind;
  new DataView(message.buffer).setUint32(1, number, true);
  message.set(payload, EVENT_HEAD);
  return message;
}
