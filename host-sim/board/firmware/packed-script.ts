/**
 * The script of a firmware as it lies in flash: its first lines as text, a zero byte, and the rest as a raw deflate
 * stream. A chip holds byte code, which is far smaller than the source text that the simulated board runs. A payload
 * without a zero byte is text to its end.
 */
import { deflateRaw } from "pako";
import { inflateRawSync } from "node:zlib";

/** Bytes of the largest script that is unpacked. The agent's is about 220,000. */
const SCRIPT_MAX = 8 << 20;

export function deflated(script: string): Uint8Array {
  return deflateRaw(script, { level: 9 });
}

/** `head`: stays readable, and a change of it changes no other byte. `rest`: deflated. */
export function packScript(head: string, rest: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(head), Buffer.of(0), rest]);
}

/** Throws where the packed part is damaged, or larger than any script. */
export function unpackScript(payload: Uint8Array): string {
  const bytes = Buffer.from(payload);
  const end = bytes.indexOf(0);
  if (end < 0) return bytes.toString();
  return bytes.toString("utf8", 0, end) + inflateRawSync(bytes.subarray(end + 1), { maxOutputLength: SCRIPT_MAX });
}
