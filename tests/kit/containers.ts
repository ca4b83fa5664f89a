/** Containers, made at once: `pack` compares each image in a process of its own. */
import type { KeyObject } from "node:crypto";
import type { Container } from "../../src/container/format";
import { assemble, readImage } from "../../host-sim/delta/pack";
import { encodePart } from "../../host-sim/delta/part";

export interface MadeContainer {
  readonly bytes: Uint8Array;
  readonly container: Container;
}

/** `from`: plain files of older images. `whole` false: without the compressed image. */
export function containerOf(
  to: Uint8Array,
  from: readonly Uint8Array[],
  { key, whole = true }: { readonly key?: KeyObject; readonly whole?: boolean } = {},
): MadeContainer {
  const parts = from.map((file) => {
    const { base } = readImage(file, "the older image");
    return { base, part: encodePart(to, file.subarray(0, base.length)) };
  });
  const all = whole ? [{ base: undefined, part: encodePart(to, undefined) }, ...parts] : parts;
  return assemble(readImage(to, "the new image"), all, key);
}
