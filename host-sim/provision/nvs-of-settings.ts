/** The nvs partition of a new board. For Node and browsers. */
import { SETTINGS } from "../board/firmware/settings";
import { nvsImage } from "../../hal/model-chip/nvs-image";

/** Entries of NVS that the agent, Wi-Fi and the fault record need beside the settings: one page. */
const PAGE = 126;

/**
 * `settings`: by the names on a chip. `size`: bytes of the partition. Throws with the sizes where they leave no room for
 * the agent's records.
 */
export function nvsOfSettings(settings: ReadonlyMap<string, string>, size: number): Uint8Array {
  const encoder = new TextEncoder();
  const strings = [...settings].map(([key, value]) => [key, encoder.encode(value)] as const);
  // Long ones first: a string lies in one page, and they would leave the ends of pages empty.
  const byLength = [...strings].sort(([, a], [, b]) => b.length - a.length);
  const pages = size / 4096 - 1;
  const sizes = byLength.slice(0, 4).map(([key, { length }]) => `${key} ${length}`);
  const total = strings.reduce((sum, [, { length }]) => sum + length, 0);
  const told = `the settings have ${total} bytes (${sizes.join(", ")}${strings.length > 4 ? ", ..." : ""})`;
  try {
    const image = nvsImage(size, SETTINGS, new Map(byLength));
    if (image.pages <= pages - 1) return image.bytes;
    throw new Error(
      `they take ${image.pages} of the ${pages} pages of 4096 bytes that nvs can fill, and the agent's own records need one (${PAGE} entries): put certificates into the firmware's resources`,
    );
  } catch (error) {
    throw new Error(`${told}: ${(error as Error).message}`, { cause: error });
  }
}
