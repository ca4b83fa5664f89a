/**
 * What the search remembers of one cycle: the violations found, and the facts from which the checks judge. Plain data, forked with
 * the simulation at each cut.
 */

/** The named checks, each with the invariant of docs/DESIGN.md that it stands for ("store" and "scenario": the contract of the Store port, and how the scenario must end). */
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
  "one outcome": 7,
  "order of reports": 7,
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

/** What a worn chip may not break; the rest is promised for power cuts only. */
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
 * What ESP-IDF itself does not protect, so that no firmware on it can. Where a cut has done one of these, the checks that a worn chip exempts
 * do not count; the case is counted apart, and so is one in which something came of it. docs/POWERCUT.md says what that is.
 */
export const LIMITS = {
  /** Its state lies outside its CRC (esp_flash_partitions.h): torn bit by bit, an entry can say what nobody wrote, or one thing now and another later. */
  "boot entry": "a boot entry whose state nobody wrote",
  /** Read once and trusted; a weak bit in the states of entries or in a page's header is never programmed again (nvs_page.cpp). */
  "weak mark": "weak bits in the marks of an NVS page",
  /**
   * 11 to 00 in one program, as the repair of an unfinished record does at mount, can be torn to 01. nvs_page.hpp knows no such state: the
   * entry is taken for free, and marking it as written (10) then makes it 00, erased.
   */
  "half mark": "an entry's state in an NVS page, torn to what nobody writes",
  /** A page that is being freed is copied once more at mount, over its own good copy, as long as its header is whole (nvs_pagemanager.cpp). */
  "freed page": "the erase of an NVS page that stopped with its header whole",
} as const;
export type Limit = keyof typeof LIMITS;

export interface Violation {
  readonly check: Check;
  readonly message: string;
}

/** A record that was never written. */
export const ABSENT = "-";

/** One image on its way into a slot: counts from its first push on. */
export interface Fetching {
  /** End of what the file server has given out without a gap. */
  readonly end: number;
  /** Bytes given out more than once, and the most at one cut. */
  readonly again: number;
  readonly mostAgain: number;
  /** Erases of each sector, by cloud task. */
  readonly erases: readonly number[];
  /** That the image has; 0 until one was erased. */
  readonly sectors: number;
  /** Readbacks that differed. */
  readonly repairs: number;
  /** Cuts since its first byte. */
  readonly cuts: number;
  /** It has been on trial: never downloaded again. */
  readonly tried: boolean;
  /** Erases that took a head out of flash before all was downloaded once more. */
  readonly heads: number;
}

const NOTHING_FETCHED: Fetching = {
  end: 0,
  again: 0,
  mostAgain: 0,
  erases: [],
  sectors: 0,
  repairs: 0,
  cuts: 0,
  tried: false,
  heads: 0,
};

export class Ledger {
  readonly violations: Violation[] = [];
  /** Set by a cut that went beyond what ESP-IDF protects; then what would have been violations. */
  limit: Limit | undefined;
  readonly excused: Violation[] = [];
  /** Power cuts so far, and those of them that hit a trial. */
  cuts = 0;
  trialCuts = 0;
  /** Where the chip is worn: in NVS or boot entries only `HARDWARE_CHECKS` count; in the slot an update may end as a failure of flash. */
  worn: "nowhere" | "slot" | "records" = "nowhere";
  /** The network misbehaves: what it costs is not the device's doing. */
  networkFaults = 0;
  /** Each record of the store: what it may be. More than one value after a cut in mid-change. */
  readonly records = new Map<string, readonly string[]>();
  /** All that was ever written under a key. */
  readonly history = new Map<string, readonly string[]>();
  /** By image: version and digest. */
  readonly fetching = new Map<string, Fetching>();
  /** The outcome of the job in hand was acknowledged, and the device has heard that. */
  acknowledged = false;
  /** The content of each slot that was judged last. */
  readonly judged: [number, number] = [0, 0];
  /** Starts in all. */
  starts = 0;
  /** Modelled flash time from the last cut's power-on until the device was back in touch, ms. */
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
    copy.judged[0] = this.judged[0];
    copy.judged[1] = this.judged[1];
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
    // The first ones say where it went wrong; what follows from them would only hide it.
    if (this.violations.length < 5) this.violations.push({ check, message });
  }

  /** Firmware that fails before the agent runs, in a slot that a forged entry calls proven, is started for ever: only the bootloader could tell. */
  #beyond(check: Check): boolean {
    return (
      this.limit !== undefined &&
      (!HARDWARE_CHECKS.has(check) || (this.limit === "boot entry" && check === "never wedged"))
    );
  }

  /** `holds` false is a violation. */
  expect(check: Check, holds: boolean, message: () => string): void {
    if (!holds) this.violate(check, message());
  }

  fetched(image: string): Fetching {
    return this.fetching.get(image) ?? NOTHING_FETCHED;
  }

  note(image: string, change: Partial<Fetching>): void {
    this.fetching.set(image, { ...this.fetched(image), ...change });
  }
}
