import { crc32 } from "../util/crc32";
import { KEPT_MAX, MAGIC, Part, RECORDING_MAX } from "./format";
import { RecordingWriter } from "./recording-writer";

/** A whole recording: the entries of this boot, its end, and what the boot before has kept. */
export const assemble = (entries: Uint8Array, end: Uint8Array, earlier: Uint8Array | undefined): Uint8Array => {
  const writer = new RecordingWriter(RECORDING_MAX + KEPT_MAX);
  writer.bytes(Uint8Array.from(MAGIC));
  if (earlier !== undefined) part(writer, Part.earlier, earlier);
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
