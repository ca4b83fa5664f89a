/** What the bench and its script in XS say to each other: one byte of kind, then numbers and bytes. Engine-neutral. */

/** To the script, as the first byte of a message. */
export const Command = {
  /** Makes the agent and starts it; payload: configuration as JSON. */
  start: 1,
  /**
   * Payload: number of the connection, 1 where all bytes matter, the time as float64, then what arrived; nothing:
   * connected.
   */
  segment: 2,
  /** Payload: the time as float64. Runs the timers that are due. */
  time: 3,
  /** Collects garbage, so that the meter behind it counts what lives. */
  collect: 4,
  /** Payload: number of a part of the work, and how often; see script.ts. */
  part: 5,
} as const;

/** To the bench, through `issueCommand`. */
export const Ask = {
  /** Port, u16. Answer: number of the connection, u8. */
  connect: 1,
  /** Connection, bytes. */
  write: 2,
  close: 3,
  /** Time of the next timer as float64; after each turn that changed it. */
  wake: 4,
  /** Notice as JSON. */
  notice: 5,
} as const;

/** Parts of the work that are measured by themselves, over stand-ins that do nothing. */
export const PARTS = [
  "nothing",
  "response head",
  "range request",
  "flash effects",
  "checkpoint",
  "report",
  "digest pass",
  "digest js-md5",
] as const;
export type Part = (typeof PARTS)[number];

export interface Configuration {
  /** First sector of the images that will be offered, base64-free: plain numbers. */
  readonly first: readonly number[];
  /** Digests that the stand-in gives, in turn, as hex: one for each job. */
  readonly digests: readonly string[];
  readonly size: number;
  /** Default: failures are recorded. */
  readonly recorder?: boolean;
}
