/** Many devices on older versions take one signed container: what the file server sends, beside a rollout of the image. */
import { HEAD_BYTES } from "../../bench/simulation/file-server";
import { runUpdate } from "../../bench/simulation/update";
import { LINES, RESET_EVERY } from "../../bench/measure/lines";
import { buildImage } from "../../hal/model-chip/build-image";
import { fillerOf } from "../../hal/model-chip/filler";
import { toHex } from "../../src/util/hex";
import { containerOf } from "../kit/containers";
import { makeKey, signed } from "../signature/test-keys";

/** Versions with a patch in the container. */
const OLDER = 5;
const CODE = 200_000;
/** That each version adds, and the next one has in another place. */
const ADDED = 3_000;
/** One device in so many runs a version that the container has no patch from; another one loses its power on the way. */
const UNKNOWN_EVERY = 20;
const CUT_EVERY = 10;

export interface Rollout {
  readonly devices: number;
  readonly updated: number;
  /** Devices that took the compressed image, for want of a patch. */
  readonly unknown: number;
  readonly cuts: number;
  /** Bytes of bodies that the server sent, and what a rollout of the image would have had at least. */
  readonly served: number;
  readonly full: number;
}

/** A version, with all that the versions before it have added. */
function versionOf(number: number): Uint8Array {
  const code = fillerOf("code")(0, CODE);
  for (let at = 0; at < CODE; at += 64) code.fill(0x5a, at, at + 32);
  const pieces: Uint8Array[] = [];
  for (let added = 0; added < number; added++) {
    const place = Math.floor((added * CODE) / (OLDER + 1));
    pieces.push(code.subarray(place, Math.floor(((added + 1) * CODE) / (OLDER + 1))), fillerOf(`${added}`)(0, ADDED));
  }
  pieces.push(code.subarray(Math.floor((number * CODE) / (OLDER + 1))));
  return buildImage({ version: `0.${number}.0`, payload: Buffer.concat(pieces) });
}

/** Each device has a line of its own that breaks. */
export function rollout(devices: number): Rollout {
  const key = makeKey();
  const [unknown, ...older] = Array.from({ length: OLDER + 1 }, (_, index) => versionOf(index));
  const image = signed(versionOf(OLDER + 1), key);
  const { bytes: offered } = containerOf(image, older, { key: key.privateKey });
  const total = { updated: 0, unknown: 0, cuts: 0, served: 0 };
  for (let device = 0; device < devices; device++) {
    const isUnknown = device % UNKNOWN_EVERY === UNKNOWN_EVERY - 1;
    const cuts = device % CUT_EVERY === 0 ? [(device % 97) / 100] : [];
    const factory = isUnknown ? unknown! : older[device % OLDER]!;
    const { finished, sent, requests } = runUpdate({
      size: image.length,
      line: { ...LINES[1]!, resetEvery: RESET_EVERY },
      seed: device + 1,
      cuts,
      files: { version: `0.${OLDER + 1}.0`, factory, offered, signingKeys: [toHex(key.point)] },
    });
    total.updated += finished ? 1 : 0;
    total.unknown += isUnknown ? 1 : 0;
    total.cuts += cuts.length;
    total.served += sent - requests * HEAD_BYTES;
  }
  return { ...total, devices, full: devices * image.length };
}
