/** The chips of Espressif by the number that an image names (esp_chip_id_t, esp_app_format.h). */

export interface Chip {
  readonly id: number;
  readonly name: string;
  /** IDF_TARGET, and mcconfig's ESP32_SUBCLASS. */
  readonly target: string;
  /** Where the ROM looks for the bootloader (CONFIG_BOOTLOADER_OFFSET_IN_FLASH). */
  readonly bootloader: number;
}

export const CHIPS: readonly Chip[] = [
  { id: 0, name: "ESP32", target: "esp32", bootloader: 0x1000 },
  { id: 2, name: "ESP32-S2", target: "esp32s2", bootloader: 0x1000 },
  { id: 5, name: "ESP32-C3", target: "esp32c3", bootloader: 0 },
  { id: 9, name: "ESP32-S3", target: "esp32s3", bootloader: 0 },
  { id: 12, name: "ESP32-C2", target: "esp32c2", bootloader: 0 },
  { id: 13, name: "ESP32-C6", target: "esp32c6", bootloader: 0 },
  { id: 16, name: "ESP32-H2", target: "esp32h2", bootloader: 0 },
  { id: 18, name: "ESP32-P4", target: "esp32p4", bootloader: 0x2000 },
  { id: 23, name: "ESP32-C5", target: "esp32c5", bootloader: 0x2000 },
];

/** Offsets at which a bootloader may lie. */
export const BOOTLOADER_OFFSETS: readonly number[] = [...new Set(CHIPS.map(({ bootloader }) => bootloader))].sort(
  (a, b) => a - b,
);

export function chipOf(id: number): Chip | undefined {
  return CHIPS.find((chip) => chip.id === id);
}

/** The name, or the number of a chip that this list lacks. */
export function chipName(id: number): string {
  return chipOf(id)?.name ?? `chip ${id}`;
}

/**
 * Bytes of flash that an image's header names (esp_image_flash_size_t: the upper half of its fourth byte). Undefined for
 * a value that ESP-IDF does not have.
 */
export function flashSizeOf(header: Uint8Array): number | undefined {
  const code = (header[3] ?? 0xff) >> 4;
  return code > 7 ? undefined : 1 << (20 + code);
}
