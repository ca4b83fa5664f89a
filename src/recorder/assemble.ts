import { KEPT_MAX } from "../constants";
import { crc32 } from "../util/crc32";
import { MAGIC, Part, RECORDING_MAX } from "./format";
import { RecordingWriter } from "./recording-writer";

/** Boots before: one that downloaded, one on trial, and one that a crash ended. */
const EARLIER_MAX = 3;
/** Kind and length. */
const PART_HEAD = 3;

/** A whole recording: the entries of this boot, its end, and what those before have kept, the oldest first. */
export const assemble = (entries: Uint8Array, end: Uint8Array, earlier: readonly Uint8Array[]): Uint8Array => {
  const writer = new RecordingWriter(RECORDING_MAX + EARLIER_MAX * (KEPT_MAX + PART_HEAD));
  writer.bytes(Uint8Array.from(MAGIC));
  for (const each of earlier) part(writer, Part.earlier, each);
  part(writer, Part.run, entries, end);
  const crc = crc32(writer.written);
  writer.bytes(Uint8Array.of(crc, crc >>> 8, crc >>> 16, crc >>> 24));
  return writer.written.slice();
};

const part = (writer: RecordingWriter, kind: number, ...pieces: readonly Uint8Array[]): void => {
  writer.byte(kind);
  writer.varint(pieces.reduce((length, piece) => length + piece.length, 0));
  for (const piece of pieces) writer.bytes(piece);
};
