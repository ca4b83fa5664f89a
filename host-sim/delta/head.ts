/** Writes the head of a container; src/container/format.ts has its bytes and reads it. */
import { FIXED, FORMAT, MAGIC, PART, SIGNATURE, TEXT, headLengthOf } from "../../src/container/format";
import type { Container } from "../../src/container/format";

/** The head without its signature. */
export function encodeContainer(container: Omit<Container, "headLength">): Uint8Array {
  const { parts, signed, file } = container;
  const headLength = headLengthOf(parts.length, signed);
  const bytes = new Uint8Array(headLength - (signed ? SIGNATURE : 0));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes.set([FORMAT, signed ? 1 : 0, parts.length], 4);
  view.setUint32(8, headLength, true);
  view.setUint32(12, container.length, true);
  view.setUint32(16, file.length, true);
  view.setUint32(20, container.securityFloor, true);
  view.setUint16(24, container.chip, true);
  putText(bytes, 32, container.product);
  putText(bytes, 64, container.version);
  bytes.set(file.sha256, 96);
  bytes.set(container.image, 128);
  bytes.set(file.md5, 160);
  parts.forEach(({ base, offset, length, room, sha256 }, index) => {
    const at = FIXED + index * PART;
    if (base !== undefined) {
      bytes.set(base.id, at);
      putText(bytes, at + 32, base.version);
    }
    [base?.length ?? 0, offset, length, room].forEach((value, place) =>
      view.setUint32(at + 64 + 4 * place, value, true),
    );
    bytes.set(sha256, at + 80);
  });
  return bytes;
}

function putText(bytes: Uint8Array, at: number, value: string): void {
  if (value.length === 0 || value.length >= TEXT)
    throw new Error(`${JSON.stringify(value)}: 1 to ${TEXT - 1} characters are expected`);
  for (let index = 0; index < value.length; index++) bytes[at + index] = value.charCodeAt(index);
}
