/** Two builds that resemble those of the agent for an ESP32-C3, in size and in how they compress. */
import { buildImage } from "../../hal/model-chip/build-image";
import { fillerOf } from "../../hal/model-chip/filler";

/** Of the agent's build for an ESP32-C3, with Ethernet and two clouds. */
export const OWN_SIZE = 1_355_680;
/** Of each record of that many bytes so many are such as no compressor shortens: 52 % are left, as of that build. */
const RECORD = 64;
const RANDOM = 31;
/** A small change of the application makes about 2.3 % of that build: code that is new, at a few places. */
const PLACES = 8;
const NEW_BYTES = 28_400;

export const OLD_VERSION = "0.1.0";
export const NEW_VERSION = "0.2.0";

/** Both have OWN_SIZE bytes. */
export function ownBuilds(): { readonly old: Uint8Array; readonly file: Uint8Array } {
  const length = OWN_SIZE - 1_024 - NEW_BYTES;
  const code = records(length, "old");
  const fresh = fillerOf("new")(0, NEW_BYTES);
  const pieces: Uint8Array[] = [];
  for (let place = 0; place < PLACES; place++) {
    const [from, to] = [place, place + 1].map((index) => Math.floor((index * length) / PLACES));
    const [first, last] = [place, place + 1].map((index) => Math.floor((index * NEW_BYTES) / PLACES));
    pieces.push(code.subarray(from, to), fresh.subarray(first, last));
  }
  return { old: imageOf(OLD_VERSION, code), file: imageOf(NEW_VERSION, Buffer.concat(pieces)) };
}

const imageOf = (version: string, payload: Uint8Array): Uint8Array =>
  buildImage({ version, payload, size: OWN_SIZE, chip: 0 });

function records(length: number, seed: string): Uint8Array {
  const code = fillerOf(seed)(0, length);
  for (let at = RANDOM; at < length; at += RECORD) code.fill(0x5a, at, at + RECORD - RANDOM);
  return code;
}
