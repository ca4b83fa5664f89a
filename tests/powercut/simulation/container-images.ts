/** Images that resemble one another, and containers of them. */
import { buildImage } from "../../../hal/model-chip/build-image";
import { encodeContainer } from "../../../host-sim/delta/head";
import { containerOf } from "../../kit/containers";

/** Its filler is that of every version, so a patch is small. */
export const related = (version: string, size: number): Uint8Array =>
  buildImage({ version, size, seed: "related", payload: new TextEncoder().encode(`firmware ${version}`) });

export const patchOf = (to: Uint8Array, from: Uint8Array): Uint8Array => containerOf(to, [from]).bytes;

/** `share` of it is text; with all of it the whole of it fits the slot beside what it makes. */
export const compressible = (version: string, size: number, share = 1): Uint8Array =>
  buildImage({ version, size, payload: new TextEncoder().encode(`firmware ${version} `.repeat((share * size) / 16)) });

/** The compressed image alone. */
export const wholeOf = (to: Uint8Array): Uint8Array => containerOf(to, []).bytes;

/** Its head says that it makes another file. */
export function lyingPatchOf(to: Uint8Array, from: Uint8Array): Uint8Array {
  const { bytes, container } = containerOf(to, [from]);
  const { file } = container;
  bytes.set(encodeContainer({ ...container, file: { ...file, sha256: file.sha256.map((byte) => byte ^ 1) } }));
  return bytes;
}
