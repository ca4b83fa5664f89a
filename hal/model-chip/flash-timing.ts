/** What operations of a NOR flash cost, milliseconds. Programs and reads scale with their bytes. */
export interface FlashTiming {
  readonly name: string;
  /** Erase of 4,096 bytes. */
  readonly sector: number;
  /** Erase of 65,536 bytes by one command. */
  readonly block: number;
  /** Program of 4,096 bytes, 16 pages. */
  readonly program: number;
  /** Read of 4,096 bytes. */
  readonly read: number;
}

/**
 * ESP-IDF's model of flash on the host (components/esp_partition/partition_linux.c, the look-up tables of its
 * statistics). It has no blocks: theirs is the typical time of data sheets.
 */
export const ESP_IDF: FlashTiming = { name: "ESP-IDF", sector: 37.142, block: 150, program: 6.367, read: 0.459 };

/**
 * Winbond W25Q32JV, AC characteristics, typical: tSE 45 ms, tBE2 150 ms, tPP 0.4 ms a page. Reads depend on the bus, not
 * on the cells: ESP-IDF's.
 */
export const TYPICAL: FlashTiming = { name: "typical", sector: 45, block: 150, program: 16 * 0.4, read: 0.459 };

/**
 * The same data sheet, maximum: tSE 400 ms, tBE2 2 s, tPP 3 ms a page (GigaDevice GD25Q32C: 1.6 s a block). ESP-IDF's
 * driver waits longer, 0.6 s and 4.1 s, for a GD25Q127 at 125 degrees (spi_flash_chip_generic.c).
 */
export const WORST: FlashTiming = { name: "worst", sector: 400, block: 2_000, program: 16 * 3, read: 0.459 };

export const FLASH_TIMINGS: readonly FlashTiming[] = [ESP_IDF, TYPICAL, WORST];

/** What a chip has done. */
export interface FlashWork {
  /** Of sectors, those of erased blocks among them. */
  readonly erases: number;
  /** Commands that erased a block. */
  readonly blockErases: number;
  readonly bytesProgrammed: number;
  readonly bytesRead: number;
}

/** Milliseconds. */
export function flashTime(work: FlashWork, { sector, block, program, read }: FlashTiming): number {
  const single = work.erases - work.blockErases * 16;
  return single * sector + work.blockErases * block + (work.bytesProgrammed * program + work.bytesRead * read) / 4096;
}
