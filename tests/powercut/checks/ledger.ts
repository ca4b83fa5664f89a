/**
 * The ledger of the checks: the violations found, and the facts that later checks need. Plain data, forked with the
 * simulation at each power cut.
 */

/**
 * The checks by name, each with the invariant of docs/DESIGN.md that it checks. "store": the contract of the Store
 * port. "scenario": the expected end of the scenario.
 */
export const CHECKS = {
  "running slot untouched": 1,
  "no half-written slot boots": 2,
  "head last": 2,
  "head proven": 2,
  "image before boot choice": 3,
  "checkpoint true": 4,
  "resume of the same image": 5,
  "bytes fetched again": 6,
  "sector erases": 6,
  "erased to its end": 6,
  "one outcome": 7,
  "order of reports": 7,
  "one end an action": 7,
  "closed for good": 7,
  "cancel kept": 7,
  "server's records": 7,
  "done after confirm": 8,
  "health before confirm": 8,
  blame: 9,
  "trial repeated": 9,
  "never wedged": 10,
  "unconfirmed waits": 11,
  "entry invalidated": 11,
  bounded: 12,
  "record whole or absent": "store",
  "store keeps": "store",
  "scenario's end": "scenario",
} as const;

export type Check = keyof typeof CHECKS;

/** Checks that hold on a worn chip too. The others hold for power cuts only. */
export const HARDWARE_CHECKS: ReadonlySet<Check> = new Set<Check>([
  "running slot untouched",
  "no half-written slot boots",
  "head last",
  "image before boot choice",
  "never wedged",
  "bounded",
  "record whole or absent",
]);

/**
 * Effects of a power cut against which ESP-IDF itself has no protection. After one of them only HARDWARE_CHECKS count.
 * Such cases, and those of them in which another check failed, are counted apart (docs/POWERCUT.md).
 */
export const LIMITS = {
  /**
   * The state of a boot entry is outside its CRC (esp_flash_partitions.h): a torn write can leave a state that no code
   * wrote, or an unstable one.
   */
  "boot entry": "a boot entry whose state nobody wrote",
  /** NVS reads entry states and page headers once and never programs a weak bit in them again (nvs_page.cpp). */
  "weak mark": "weak bits in the marks of an NVS page",
  /**
   * The repair of an unfinished record at mount changes a state from 11 to 00 in one program, which can be torn to 01.
   * nvs_page.hpp has no such state: the entry counts as free, and marking it as written (10) makes it 00, erased.
   */
  "half mark": "an entry's state in an NVS page, torn to what nobody writes",
  /**
   * At mount a page that is being freed is copied again over its good copy, while its header is whole
   * (nvs_pagemanager.cpp).
   */
  "freed page": "the erase of an NVS page that stopped with its header whole",
} as const;
export type Limit = keyof typeof LIMITS;

export interface Violation {
  readonly check: Check;
  readonly message: string;
}

/** The value of an absent record. */
export const ABSENT = "-";

/** Counts for one image, from its first push on. */
export interface Fetching {
  /** End of the bytes that the file server has served without a gap. */
  readonly end: number;
  /** Bytes served more than once, and the most at one power cut. */
  readonly again: number;
  readonly mostAgain: number;
  /** Erases of each sector. */
  readonly erases: readonly number[];
  /** Sectors of the image; 0 until one was erased. */
  readonly sectors: number;
  /** Erases of sectors that it may cost without a power cut, and each power cut. */
  readonly allowed: { readonly all: number; readonly cut: number };
  /** Readbacks that differed, and downloads that failed: one more erase each. */
  readonly repairs: number;
  /** Power cuts since its first byte. */
  readonly cuts: number;
  /** It has been on trial, so it is not downloaded again. */
  readonly tried: boolean;
  /** Erases of the head before everything was downloaded once more. */
  readonly heads: number;
}

const NOTHING_FETCHED: Fetching = {
  end: 0,
  again: 0,
  mostAgain: 0,
  erases: [],
  sectors: 0,
  allowed: { all: 0, cut: 0 },
  repairs: 0,
  cuts: 0,
  tried: false,
  heads: 0,
};

export class Ledger {
  readonly violations: Violation[] = [];
  /** Set by a power cut that went beyond what ESP-IDF protects. From then on failed checks are `excused`. */
  limit: Limit | undefined;
  readonly excused: Violation[] = [];
  /** Power cuts so far, and those during a trial. */
  cuts = 0;
  trialCuts = 0;
  /**
   * Where the chip is worn. "records" (NVS, boot entries): only HARDWARE_CHECKS count. "slot": an update may fail with
   * cause "flash".
   */
  worn: "nowhere" | "slot" | "records" = "nowhere";
  /** Network faults so far. Their cost in bytes and erases does not count against the device. */
  networkFaults = 0;
  /** The possible values of each record: more than one after a power cut in mid-change, newest last. */
  readonly records = new Map<string, readonly string[]>();
  /** Every value that was written under a key. */
  readonly history = new Map<string, readonly string[]>();
  /** By image: version and digest. */
  readonly fetching = new Map<string, Fetching>();
  /** The device has received the acknowledgement of its job's outcome. */
  acknowledged = false;
  /** Sectors of each slot whose erase was completed, and which were not written since. */
  readonly clean: readonly [Set<number>, Set<number>] = [new Set(), new Set()];
  /** Stamp of each slot's content at its last check. */
  readonly checked: [number, number] = [0, 0];
  /** Starts of the board. */
  starts = 0;
  /** Modelled flash time from the last power-on until the first message, ms. */
  backAfter: number | undefined;

  fork(): Ledger {
    const copy = new Ledger();
    copy.violations.push(...this.violations);
    copy.limit = this.limit;
    copy.excused.push(...this.excused);
    copy.cuts = this.cuts;
    copy.trialCuts = this.trialCuts;
    copy.worn = this.worn;
    copy.networkFaults = this.networkFaults;
    for (const [key, values] of this.records) copy.records.set(key, values);
    for (const [key, values] of this.history) copy.history.set(key, values);
    for (const [key, values] of this.fetching) copy.fetching.set(key, values);
    copy.acknowledged = this.acknowledged;
    for (const slot of [0, 1] as const) for (const sector of this.clean[slot]) copy.clean[slot].add(sector);
    copy.checked[0] = this.checked[0];
    copy.checked[1] = this.checked[1];
    copy.starts = this.starts;
    copy.backAfter = this.backAfter;
    return copy;
  }

  violate(check: Check, message: string): void {
    if (this.worn === "records" && !HARDWARE_CHECKS.has(check)) return;
    if (this.violations.length === 0 && this.#beyond(check)) {
      if (this.excused.length < 5) this.excused.push({ check, message });
      return;
    }
    // The first violations show the cause; later ones follow from them.
    if (this.violations.length < 5) this.violations.push({ check, message });
  }

  /**
   * A forged boot entry that calls a slot valid makes firmware that fails before the agent start for ever; only the
   * bootloader could prevent it.
   */
  #beyond(check: Check): boolean {
    return (
      this.limit !== undefined &&
      (!HARDWARE_CHECKS.has(check) || (this.limit === "boot entry" && check === "never wedged"))
    );
  }

  /** Notes a violation unless the check `holds`. */
  expect(check: Check, holds: boolean, message: () => string): void {
    if (!holds) this.violate(check, message());
  }

  fetched(image: string): Fetching {
    return this.fetching.get(image) ?? NOTHING_FETCHED;
  }

  /** The slot is taken by this image: nothing that was fetched of the others is there any more. */
  taken(image: string): void {
    for (const [other, { tried }] of this.fetching)
      if (other !== image) this.fetching.set(other, { ...NOTHING_FETCHED, tried });
  }

  repaired(image: string): void {
    this.note(image, { repairs: this.fetched(image).repairs + 1 });
  }

  note(image: string, change: Partial<Fetching>): void {
    this.fetching.set(image, { ...this.fetched(image), ...change });
  }
}
