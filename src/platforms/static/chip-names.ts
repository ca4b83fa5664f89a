import { frozen } from "../../util/frozen";

/**
 * Chips by the id in the ESP image header (esp_chip_id_t), as ESP Web Tools and esptool name them: `chipFamily` of a
 * manifest.
 */
export const CHIP_NAMES = frozen<{ readonly [id: number]: string }>({
  0: "ESP32",
  2: "ESP32-S2",
  5: "ESP32-C3",
  9: "ESP32-S3",
  12: "ESP32-C2",
  13: "ESP32-C6",
  16: "ESP32-H2",
  18: "ESP32-P4",
});
