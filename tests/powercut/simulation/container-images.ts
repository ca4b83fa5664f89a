/** Images that resemble one another, and containers of them. */
import { buildImage } from "../../../hal/model-chip/build-image";
import { encodeContainer } from "../../../host-sim/delta/head";
import { containerOf } from "../../kit/containers";

/** Its filler is that of every version, so a patch is small. */
export const related = (version: string, size: number): Uint8Array =>
  buildImage({ version, size, seed: "related", payload: new TextEncoder().encode(`firmware ${version}`) });

export const patchOf = (to: Uint8Array, from: Uint8Array): Uint8Array => containerOf(to, [from]).bytes;

/** Nearly all of it is text, so the whole of it fits the slot beside what it makes. */
export const compressible = (version: string, size: number): Uint8Array =>
  buildImage({ version, size, payload: new TextEncoder().encode(`firmware ${version} `.repeat(size / 16)) });

/** Its head says that it makes another file. */
export function lyingPatchOf(to: Uint8Array, from: Uint8Array): Uint8Array {
  const { bytes, container } = containerOf(to, [from]);
  const { file } = container;
  bytes.set(encodeContainer({ ...container, file: { ...file, sha256: file.sha256.map((byte) => byte ^ 1) } }));
  return bytes;
}
