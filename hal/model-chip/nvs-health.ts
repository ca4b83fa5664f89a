/** How much of an NVS partition is NVS at all: what is encrypted, or something else, is told from a blank one. */
import { getU32 } from "./bytes";
import { SECTOR_SIZE } from "./flash-cells";
import { PageMark, nvsCrc } from "./nvs-format";

export interface NvsHealth {
  /** Pages with a header that is right. */
  readonly pages: number;
  readonly blank: number;
  /** Neither. */
  readonly bad: number;
}

/** `bytes`: the whole partition. */
export function nvsHealth(bytes: Uint8Array): NvsHealth {
  const health = { pages: 0, blank: 0, bad: 0 };
  for (let at = 0; at < bytes.length; at += SECTOR_SIZE) health[kindOf(bytes.subarray(at, at + SECTOR_SIZE))]++;
  return health;
}

function kindOf(page: Uint8Array): keyof NvsHealth {
  if (page.every((byte) => byte === 0xff)) return "blank";
  const marks: readonly number[] = [PageMark.active, PageMark.full, PageMark.freeing];
  return marks.includes(getU32(page, 0)) && getU32(page, 28) === nvsCrc(page.subarray(4, 28)) ? "pages" : "bad";
}
