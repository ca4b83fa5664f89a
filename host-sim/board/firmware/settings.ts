/** The firmware's settings in its board's NVS, under the namespace that a chip has them in (hal/esp32/config.ts). */
import { decodeUtf8 } from "../../../src/util/utf8";
import type { Store } from "../../../src/ports";
import type { FirmwareConfiguration } from "./configuration";

export const SETTINGS = "xs-ota-cfg";
/** The record: FirmwareConfiguration as JSON. */
export const SETTINGS_KEY = "device.json";

/** Throws one line that shows nothing of the record: it holds secrets. */
export function readSettings(settings: Pick<Store, "getBytes">): FirmwareConfiguration {
  const bytes = settings.getBytes(SETTINGS_KEY);
  if (bytes === undefined) throw new Error(`setting ${SETTINGS_KEY}: is missing in NVS`);
  try {
    return JSON.parse(decodeUtf8(bytes)) as FirmwareConfiguration;
  } catch {
    throw new Error(`setting ${SETTINGS_KEY}: unreadable, not JSON`);
  }
}
