/** What the test and its script in XS say to each other: one byte of kind, numbers (u32), bytes. Engine-neutral. */

/** To the test, through `issueCommand`. */
export const Ask = {
  /** Number of the algorithm, bytes. Answer: the digest. */
  digest: 1,
  /** Length of the older image, start, size, compressed block. Answer: the bytes that it makes, none where it is refused. */
  block: 2,
  /** What became of a container: "made", or why it failed. */
  told: 3,
} as const;

export const ALGORITHMS = ["MD5", "SHA1", "SHA256"] as const;
/** Bytes. */
export const MD5 = 16;
/** Of the offers. */
export const VERSION = "0.2.0";

export const FLASH = 1 << 19;
export const TABLE =
  "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nota_0,app,ota_0,0x10000,0x30000\nota_1,app,ota_1,0x40000,0x30000\n";
