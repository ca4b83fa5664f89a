/** The settings of a chip out of a device.json. */
import { settingOf } from "./columns";
import { deviceOf } from "./device";
import type { Device } from "./device";
import type { Cell } from "./devices-file";

/** `folder`: where files that it names lie. Throws one line without a value where a setting can not be. */
export function deviceOfJson(config: Readonly<Record<string, unknown>>, folder: string): Device {
  const cells = new Map<string, Cell>();
  for (const [path, value] of leaves(config)) {
    const key = settingOf(path);
    if (value === "" || value === undefined || key === undefined || key === null) continue;
    cells.set(key, { value: String(value), at: path });
  }
  try {
    return deviceOf({ line: 1, cells }, new Map(), folder);
  } catch (error) {
    // There are no lines.
    throw new Error((error as Error).message.replace(/^line 1: /, ""), { cause: error });
  }
}

function leaves(object: Readonly<Record<string, unknown>>, above = ""): (readonly [string, unknown])[] {
  return Object.entries(object).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? leaves(value as Record<string, unknown>, `${above}${key}.`)
      : [[`${above}${key}`, value] as const],
  );
}
