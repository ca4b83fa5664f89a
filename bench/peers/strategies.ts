/**
 * What users would pick instead, reduced to what decides: how often progress is recorded, what is erased when, what is
 * read back, and what a lost connection means. Each gets the benefit of the doubt: the same patient retry after a
 * second, although most of them give up or wait longer, and no processor time.
 */
export interface Strategy {
  readonly name: string;
  readonly like: string;
  /** Bytes between two records of the offset; 0: none is kept. */
  readonly recordEvery: number;
  /** The offset is recorded when a connection fails, too. */
  readonly recordOnLoss: boolean;
  /**
   * Where a failed connection starts again although nothing was recorded: the offset in RAM, or the last record, or the
   * file's first byte.
   */
  readonly afterLoss: "memory" | "record" | "start";
  /**
   * Sector by sector as bytes come: esp_ota_write after OTA_WITH_SEQUENTIAL_WRITES, which erases what the bytes touch,
   * always less than a block. Block by block, as the agent does. Or everything before the first byte, by blocks where
   * they fit (esp_flash_erase_region): esp_ota_begin with the size.
   */
  readonly erase: "sector" | "block" | "bulk";
  /** Bytes read from the socket and written to flash at a time. */
  readonly read: number;
  /** After each read others have their turn for so long, ms. */
  readonly yieldMs: number;
  /** Nothing for so long ends the connection, ms. */
  readonly stallMs: number;
  /** A resume reads what is stored to rebuild the digest. */
  readonly rereads: boolean;
  /** A lost connection ends the job: the cloud has to push again. */
  readonly jobEndsOnLoss: boolean;
  /** Until the next try, ms. */
  readonly pauseMs: number;
}

const PATIENT = {
  read: 1_024,
  yieldMs: 0,
  stallMs: 15_000,
  rereads: false,
  jobEndsOnLoss: false,
  pauseMs: 1_000,
} as const;

export const STRATEGIES: readonly Strategy[] = [
  // advanced_https_ota_example.c: the written length, in KiB, into NVS after every read. With bulk_flash_erase, which
  // takes the least time.
  {
    ...PATIENT,
    name: "record per read",
    like: "ESP-IDF advanced_https_ota",
    recordEvery: 1_024,
    recordOnLoss: false,
    afterLoss: "record",
    erase: "bulk",
  },
  // fota_http/Kconfig: 64 KiB, and on failure.
  {
    ...PATIENT,
    name: "record per 64 KiB",
    like: "Zephyr fota_http",
    recordEvery: 65_536,
    recordOnLoss: true,
    afterLoss: "memory",
    erase: "sector",
  },
  {
    ...PATIENT,
    name: "no resume",
    like: "mender-mcu, stock Moddable OTA",
    recordEvery: 0,
    recordOnLoss: false,
    afterLoss: "start",
    erase: "sector",
  },
  // OTA_SIZE_UNKNOWN at the first block: the slot is erased in one go.
  {
    ...PATIENT,
    name: "bulk erase, no resume",
    like: "Golioth on ESP-IDF",
    recordEvery: 0,
    recordOnLoss: false,
    afterLoss: "start",
    erase: "bulk",
  },
  // QCloud C SDK: blocks of 5,000 bytes with a yield of 100 ms to MQTT, fetch time-out 1 s, the sample reports again
  // after 2 s.
  {
    name: "vendor SDK",
    like: "Tencent C SDK",
    recordEvery: 5_000,
    recordOnLoss: false,
    afterLoss: "record",
    erase: "sector",
    read: 5_000,
    yieldMs: 100,
    stallMs: 1_000,
    rereads: true,
    jobEndsOnLoss: true,
    pauseMs: 2_000,
  },
];

/** It reads all that is there: by the kilobyte a part of a segment stays unread, which keeps the window a segment smaller. */
const STREAM = { ...PATIENT, like: "", read: 4_096, recordEvery: 0, recordOnLoss: false, afterLoss: "memory" } as const;

/** What line, window and flash allow to one request for the whole file. No original erases by blocks as bytes come. */
export const BARE_STREAMS = {
  sector: { ...STREAM, name: "stream, sectors", erase: "sector" },
  block: { ...STREAM, name: "stream, blocks", erase: "block" },
} as const satisfies { readonly [erase: string]: Strategy };
