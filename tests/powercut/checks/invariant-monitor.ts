/**
 * The checks of one start of the board, around its ports: what the firmware does to flash, boot choice and store is judged
 * against what is really in the cells, before it happens where it must not be too late. See ledger.ts for the names.
 */
import type { Boot, Flash, Store } from "../../../src/ports";
import type { StoragePorts } from "../../../hal/model-chip/board-ports";
import type { SlotIndex } from "../../../hal/model-chip/slots";
import { HEAD, SECTOR, SECTOR_REPAIRS } from "../../../src/constants";
import { RefusedImages, KEY_REFUSED } from "../../../src/job/refused";
import {
  KEY_HEAD,
  KEY_JOB,
  KEY_OFFSET,
  KEY_OUTCOME,
  KEY_STATE,
  decodeHead,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodeState,
  identityOf,
} from "../../../src/job/record";
import type { JobRecord, Phase, State } from "../../../src/job/record";
import type { Offer, Outcome } from "../../../src/job/types";
import { checkAsked } from "./download-checks";
import type { Asking } from "./download-checks";
import type { Fetching, Ledger } from "./ledger";
import { ABSENT } from "./ledger";
import type { Push } from "../simulation/scenarios";
import type { Oracle } from "./oracle";
import { imageOf, isAsOffered, isAtFault } from "../simulation/simulation-state";
import type { SimulationState } from "../simulation/simulation-state";

/** Records the agent may keep, and the bytes of all together (src/ports.ts: 3,900 for one). */
const RECORDS_MAX = 12;
const RECORD_MAX = 3_900;

/** The job's record with the push it came from. */
export interface Job {
  readonly record: JobRecord;
  readonly identity: number;
  readonly push: Push | undefined;
}

export class InvariantMonitor {
  readonly simulation: SimulationState;
  readonly running: { readonly slot: string; readonly index: SlotIndex; readonly version: string };
  readonly target: SlotIndex;
  readonly ports: StoragePorts;
  /** The application said that it is well, after the cloud was reached. */
  healthy = false;
  reached = false;
  /** An offer of another image than that in hand has come in this start. */
  otherOffered = false;
  /** A download that has to learn its size before it can tell where it goes on. */
  asking: Asking | undefined;
  /** Times that progress may still begin anew: reports are under way when the job decides that. */
  progressRestarts = 0;
  /** Highest percent said in this start, by version. */
  readonly percents = new Map<string, number>();
  readonly #ledger: Ledger;
  readonly #oracle: Oracle;
  /** Sectors that were written in this start and not read back since. */
  readonly #unread = new Set<number>();
  readonly #repairs = new Map<number, number>();
  #head: "untouched" | "programmed" | "read back" = "untouched";
  #verified = false;
  /** Where the job stood when the board started, as it was read first. */
  #phaseAtStart: { readonly phase: Phase | undefined } | undefined;

  constructor(simulation: SimulationState, ports: StoragePorts) {
    this.simulation = simulation;
    this.#ledger = simulation.ledger;
    this.#oracle = simulation.oracle;
    const { slot, version } = ports.boot.running();
    const { index } = this.#oracle.slot(slot);
    this.running = { slot, index, version };
    this.target = index === 0 ? 1 : 0;
    this.ports = {
      ...ports,
      flash: this.#watchFlash(ports.flash),
      boot: this.#watchBoot(ports.boot),
      store: this.#watchStore(ports.store),
    };
  }

  /** What a record is for sure, or after a cut may be; undefined: absent. */
  record(key: string): string | undefined {
    const value = this.#ledger.records.get(key)?.at(-1);
    return value === ABSENT ? undefined : value;
  }

  get job(): Job | undefined {
    const text = this.record(KEY_JOB);
    if (text === this.#decoded?.text) return this.#decoded?.job;
    const record = decodeJob(bytesOf(text));
    const job = record && { record, identity: identityOf(record), push: this.simulation.pushOf(record.offer) };
    this.#decoded = { text, job };
    return job;
  }
  #decoded: { readonly text: string | undefined; readonly job: Job | undefined } | undefined;

  get phase(): Phase | undefined {
    const { job } = this;
    return job && decodeState(job.identity, numberOf(this.record(KEY_STATE))).phase;
  }

  /** The outcome of the job in hand, as the store has it: a record of its own, or the word that the new firmware stays. */
  get outcome(): Outcome | undefined {
    const { job } = this;
    if (job === undefined) return undefined;
    const stored = decodeOutcome(job.identity, bytesOf(this.record(KEY_OUTCOME)));
    return stored ?? (this.phase === "confirmed" ? { kind: "done" } : undefined);
  }

  /** The entry of the running slot: not (no longer) on trial. */
  get confirmed(): boolean {
    const state = this.#oracle.entryOf(this.running.index)?.state;
    return state !== "pending" && state !== "new";
  }

  /* ---- flash of the target slot ---- */

  #watchFlash(flash: Flash): Flash {
    return {
      size: flash.size,
      sectorSize: flash.sectorSize,
      erase: (sector) => {
        this.#beforeErase(sector);
        flash.erase(sector);
        if (sector === 0) this.#head = "untouched";
      },
      write: (offset, bytes) => {
        if (offset < HEAD) this.#beforeHead(offset, bytes);
        this.#unread.add(Math.floor(offset / SECTOR));
        this.#verified = false;
        this.#ledger.expect("bounded", bytes.length <= SECTOR, () => `a write of ${bytes.length} bytes`);
        flash.write(offset, bytes);
        if (offset < HEAD) this.#head = "programmed";
      },
      read: (offset, into) => {
        this.#ledger.expect("bounded", into.length <= SECTOR, () => `a read of ${into.length} bytes`);
        flash.read(offset, into);
      },
      equals: (offset, bytes) => {
        const equal = flash.equals(offset, bytes);
        this.#readBack(offset, bytes.length, equal);
        return equal;
      },
    };
  }

  #beforeErase(sector: number): void {
    const { job } = this;
    const entry = this.#oracle.entryOf(this.target);
    this.#ledger.expect(
      "unconfirmed waits",
      this.confirmed,
      () => `sector ${sector} is erased while ${this.running.version} is on trial`,
    );
    this.#ledger.expect(
      "entry invalidated",
      entry === undefined || !entry.bootable || entry.decides || this.#doubtful,
      () => `sector ${sector} is erased while a boot entry (${entry?.state}) names its slot`,
    );
    checkAsked(this);
    if (job === undefined) return this.#ledger.violate("sector erases", `sector ${sector} is erased without a job`);
    this.#verified = false;
    const image = imageOf(job.record.offer);
    const before = this.#ledger.fetched(image);
    const erases = before.erases.slice();
    erases[sector] = (erases[sector] ?? 0) + 1;
    const sectors = Math.ceil((job.push?.file.length ?? 0) / SECTOR);
    this.#ledger.note(image, { erases, sectors });
    this.#countErases(sector, this.#ledger.fetched(image));
  }

  /** A boot entry with unstable bits is whole one time and not the next: nobody can know which of the two decides. */
  get #doubtful(): boolean {
    const { address } = this.simulation.board.table.otadata;
    return this.simulation.faults.unstableAt(address, 32) || this.simulation.faults.unstableAt(address + SECTOR, 32);
  }

  /**
   * Once for each attempt, once more for each cut, twice for repairs; sector 0 once more where the head must go, which is before all is
   * downloaded once more, too.
   */
  #countErases(sector: number, { erases, sectors, cuts, repairs, heads }: Fetching): void {
    const all = erases.reduce((sum, count) => sum + (count ?? 0), 0);
    const extra = cuts + repairs + this.#ledger.networkFaults * sectors;
    this.#ledger.expect(
      "sector erases",
      sector < sectors,
      () => `sector ${sector} is erased, the image has ${sectors}`,
    );
    this.#ledger.expect(
      "sector erases",
      all <= sectors + 1 + heads + extra,
      () => `${all} erases for ${sectors} sectors, ${cuts} cuts, ${repairs} repairs`,
    );
    const one = erases[sector]!;
    const most = (sector === 0 ? 2 + heads : 1) + extra;
    this.#ledger.expect(
      "sector erases",
      one <= most,
      () => `sector ${sector} erased ${one} times, ${cuts} cuts, ${repairs} repairs`,
    );
  }

  /** The first bytes make the slot bootable: only what was offered may get them. */
  #beforeHead(offset: number, bytes: Uint8Array): void {
    const { job } = this;
    const { push } = job ?? {};
    this.#ledger.expect(
      "unconfirmed waits",
      this.confirmed,
      () => "the head is programmed while the running firmware is on trial",
    );
    if (bytes.every((byte) => byte === 0xff)) return;
    const whole =
      push !== undefined && isAsOffered(push) && this.#oracle.holds(this.target, push.file, HEAD, push.file.length);
    const { partition } = this.#oracle.slot(this.target === 0 ? "ota_0" : "ota_1");
    const firm =
      push !== undefined && !this.simulation.faults.unstableAt(partition.address + HEAD, push.file.length - HEAD);
    this.#ledger.expect(
      "head last",
      whole && firm,
      () => `head programmed at ${offset} before the slot held what was offered`,
    );
  }

  #readBack(offset: number, length: number, equal: boolean): void {
    const sector = Math.floor(offset / SECTOR);
    if (!equal) {
      const repairs = (this.#repairs.get(sector) ?? 0) + 1;
      this.#repairs.set(sector, repairs);
      this.#ledger.expect(
        "sector erases",
        repairs <= SECTOR_REPAIRS + 1,
        () => `sector ${sector} is tried ${repairs} times`,
      );
      const { job } = this;
      if (job !== undefined)
        this.#ledger.note(imageOf(job.record.offer), {
          repairs: this.#ledger.fetched(imageOf(job.record.offer)).repairs + 1,
        });
      return;
    }
    if (offset === 0 && length >= HEAD && this.#head === "programmed") this.#head = "read back";
    else this.#unread.delete(sector);
  }

  /* ---- boot choice ---- */

  #watchBoot(boot: Boot): Boot {
    const passed = <K extends keyof Boot>(name: K): Boot[K] => (boot[name] as () => unknown).bind(boot) as Boot[K];
    return {
      running: passed("running"),
      target: passed("target"),
      resetReason: passed("resetReason"),
      readRunning: passed("readRunning"),
      lastInvalid: passed("lastInvalid"),
      invalidateTarget: passed("invalidateTarget"),
      verifyTarget: () => {
        const length = boot.verifyTarget();
        this.#verified = true;
        return length;
      },
      activate: () => {
        this.#beforeActivate();
        boot.activate();
      },
      confirm: () => {
        this.#ledger.expect(
          "health before confirm",
          this.healthy && this.reached,
          () =>
            `confirmed with the cloud ${this.reached ? "" : "not "}reached and the application ${this.healthy ? "" : "not "}well`,
        );
        boot.confirm();
      },
      rollback: () => {
        const { job } = this;
        const stored = this.record(KEY_OUTCOME) !== undefined;
        this.#ledger.expect("one outcome", job === undefined || stored, () => "given up before the outcome is stored");
        boot.rollback();
      },
      restart: passed("restart"),
    };
  }

  #beforeActivate(): void {
    const { job } = this;
    const image = this.#oracle.bootable(this.target);
    const offered =
      job?.push !== undefined &&
      isAsOffered(job.push) &&
      this.#oracle.holds(this.target, job.push.file, 0, job.push.file.length);
    this.#ledger.expect(
      "image before boot choice",
      image !== undefined && offered,
      () => "the boot choice changes to a slot that does not hold what was offered",
    );
    this.#ledger.expect(
      "image before boot choice",
      (image?.length ?? 0) <= (job?.push?.file.length ?? 0),
      () => `the image has ${image?.length} bytes, the file ${job?.push?.file.length}`,
    );
    this.#ledger.expect(
      "trial repeated",
      this.phase === "trial",
      () => `the boot choice changes while the job is stored as ${this.phase}`,
    );
    this.#ledger.expect(
      "unconfirmed waits",
      this.confirmed,
      () => "the boot choice changes while the running firmware is on trial",
    );
    this.#ledger.expect(
      "blame",
      job === undefined || !this.blamed(job.record.offer),
      () => `the boot choice changes to ${job?.record.offer.version}, which is remembered as refused`,
    );
    this.#beforeTrial();
  }

  /** The head was programmed, read back and the image checked after the last cut, unless all of that was done before the trial was stored. */
  #beforeTrial(): void {
    if (this.#phaseAtStart?.phase === "trial") return;
    this.#ledger.expect(
      "head proven",
      this.#head === "read back" && this.#verified,
      () => `head ${this.#head}, image ${this.#verified ? "" : "not "}checked in this start`,
    );
  }

  /* ---- store ---- */

  #watchStore(store: Store): Store {
    const change = (key: string, value: string, act: () => void): void => {
      this.#beforeChange(key, value);
      const { records, history } = this.#ledger;
      const before = records.get(key) ?? [ABSENT];
      records.set(key, [...before.filter((each) => each !== value), value]);
      history.set(key, [...(history.get(key) ?? []), value]);
      act();
      records.set(key, [value]);
      this.#afterChange(key, value);
    };
    return {
      getNumber: (key) => this.#found(key, store.getNumber(key), String),
      getBytes: (key) => this.#found(key, store.getBytes(key), hexOf),
      setNumber: (key, value) => change(key, String(value), () => store.setNumber(key, value)),
      setBytes: (key, bytes) => {
        this.#ledger.expect("bounded", bytes.length <= RECORD_MAX, () => `record ${key} of ${bytes.length} bytes`);
        change(key, hexOf(bytes), () => store.setBytes(key, bytes));
      },
      delete: (key) => change(key, ABSENT, () => store.delete(key)),
    };
  }

  /** A record is what it was set to last, or after a cut in mid-change what it was before; never anything else. */
  #found<T>(key: string, value: T | undefined, text: (value: T) => string): T | undefined {
    const found = value === undefined ? ABSENT : text(value);
    const possible = this.#ledger.records.get(key) ?? [ABSENT];
    this.#ledger.expect(
      "store keeps",
      possible.includes(found),
      () => `record ${key} is ${short(found)}, was set to ${possible.map(short).join(" or ")}`,
    );
    if (this.#ledger.worn === "records") {
      const known =
        found === ABSENT || possible.includes(found) || (this.#ledger.history.get(key) ?? []).includes(found);
      this.#ledger.expect(
        "record whole or absent",
        known,
        () => `record ${key} is ${short(found)}, which was never written`,
      );
      this.#ledger.records.set(key, [found]);
    } else if (possible.length > 1 && possible.at(-1) !== found && possible.includes(found)) {
      // The cut came first: from here on the device goes by the old value.
      this.#ledger.records.set(key, [...possible.filter((each) => each !== found), found]);
    }
    if (key === KEY_STATE) this.#phaseAtStart ??= { phase: this.phase };
    return value;
  }

  #beforeChange(key: string, value: string): void {
    const { job } = this;
    const keys = [...this.#ledger.records].filter(([, values]) => values.at(-1) !== ABSENT).length;
    this.#ledger.expect("bounded", keys <= RECORDS_MAX, () => `${keys} records`);
    switch (key) {
      case KEY_OFFSET:
        return value === ABSENT ? undefined : this.#beforeCheckpoint(job, Number(value));
      case KEY_STATE:
        return value === ABSENT || job === undefined
          ? undefined
          : this.#beforeState(job, decodeState(job.identity, Number(value)));
      case KEY_JOB:
        if (value !== ABSENT || job === undefined) return undefined;
        return this.#ledger.expect(
          "one outcome",
          this.#ledger.acknowledged || this.otherOffered,
          () => `the job for ${job.record.offer.version} is forgotten before its outcome was acknowledged`,
        );
      case KEY_OUTCOME:
        return value === ABSENT || job === undefined ? undefined : this.#beforeOutcome(job, value);
      case KEY_REFUSED:
        return this.#beforeBlame(value);
    }
  }

  #afterChange(key: string, value: string): void {
    const { job } = this;
    if (key === KEY_JOB && value !== ABSENT) this.#ledger.acknowledged = false;
    if (key === KEY_JOB && value === ABSENT) {
      this.percents.clear();
      this.#repairs.clear();
    }
    if (key === KEY_OUTCOME && job !== undefined) this.#afterOutcome(job);
    // What was there counts for nothing any more, and progress begins anew.
    if (key === KEY_STATE && job !== undefined && decodeState(job.identity, numberOf(value)).refetched) {
      this.#ledger.fetching.delete(imageOf(job.record.offer));
      this.#ledger.note(imageOf(job.record.offer), { heads: 1 });
      this.progressRestarts++;
    }
    if (key === KEY_STATE && job !== undefined && this.phase === "trial")
      this.#ledger.note(imageOf(job.record.offer), { tried: true });
  }

  /** What is in flash after one of these counts for nothing: the next push of the image begins anew. */
  #afterOutcome(job: Job): void {
    const { outcome } = this;
    if (outcome?.kind === "fail" && ["digest-mismatch", "flash", "rejected"].includes(outcome.cause))
      this.#ledger.fetching.delete(imageOf(job.record.offer));
  }

  /** What the checkpoint claims is in flash, firm and read back. */
  #beforeCheckpoint(job: Job | undefined, value: number): void {
    const sectors = job && decodeOffset(job.identity, value);
    if (job?.push === undefined || sectors === undefined)
      return this.#ledger.violate("checkpoint true", "a checkpoint that belongs to no job");
    this.claim(job, job.push, sectors, "is stored");
    for (let sector = 0; sector < sectors; sector++) {
      if (this.#unread.has(sector))
        this.#ledger.violate("checkpoint true", `sector ${sector} is claimed and was not read back`);
    }
  }

  /** What a start finds in the store is true of the flash; for a job that is still written to this slot. */
  checkStart(): void {
    const { job, phase } = this;
    // The acknowledgement came, and the cut before it was stored that it had.
    if (job !== undefined) this.#ledger.acknowledged = false;
    if (
      job?.push === undefined ||
      job.record.slot === this.running.slot ||
      phase === "confirmed" ||
      this.outcome !== undefined
    )
      return;
    const sectors = decodeOffset(job.identity, numberOf(this.record(KEY_OFFSET)));
    const head = decodeHead(job.identity, bytesOf(this.record(KEY_HEAD)));
    if (sectors !== undefined && head !== undefined) this.claim(job, job.push, sectors, "was found");
  }

  /** That so many sectors are in flash, and the head in the store. */
  claim(job: Job, { file }: Push, sectors: number, when: string): void {
    const { partition } = this.#oracle.slot(this.target === 0 ? "ota_0" : "ota_1");
    const end = Math.min(sectors * SECTOR, file.length);
    // Bytes of another file were given out: only the digest can tell.
    if (this.simulation.network.changed) return;
    const there =
      this.#oracle.holds(this.target, file, HEAD, end) &&
      !this.simulation.faults.unstableAt(partition.address + HEAD, Math.max(0, end - HEAD));
    this.#ledger.expect(
      "checkpoint true",
      there,
      () => `a checkpoint of ${sectors} sectors ${when}, and they are not in flash`,
    );
    const head = decodeHead(job.identity, bytesOf(this.record(KEY_HEAD)));
    this.#ledger.expect(
      "checkpoint true",
      head !== undefined && Buffer.from(head).equals(file.subarray(0, HEAD)),
      () => `a checkpoint of ${sectors} sectors ${when} without the image's head`,
    );
  }

  #beforeState(job: Job, { phase, refetched }: State): void {
    const { push } = job;
    if (refetched) this.#beforeRefetch(job);
    switch (phase) {
      case "sealing": {
        const whole =
          push !== undefined && isAsOffered(push) && this.#oracle.holds(this.target, push.file, HEAD, push.file.length);
        return this.#ledger.expect(
          "head last",
          whole,
          () => "sealing is stored before the slot holds what was offered",
        );
      }
      case "trial":
        return this.#beforeTrial();
      case "confirmed":
        return this.#ledger.expect(
          "done after confirm",
          this.confirmed && this.running.version === job.record.offer.version,
          () => "confirmed is stored before the confirm",
        );
      case "downloading":
        return;
    }
  }

  /** All is downloaded once more only where what was offered is not there, and once in a job. */
  #beforeRefetch({ push, identity }: Job): void {
    const right =
      push !== undefined && isAsOffered(push) && this.#oracle.holds(this.target, push.file, HEAD, push.file.length);
    const before = decodeState(identity, numberOf(this.record(KEY_STATE)));
    this.#ledger.expect(
      "bytes fetched again",
      !right && !before.refetched,
      () => `all is fetched again although ${right ? "it is there" : "that was done before"}`,
    );
  }

  #beforeOutcome(job: Job, value: string): void {
    const outcome = decodeOutcome(job.identity, bytesOf(value));
    if (outcome === undefined) return this.#ledger.violate("one outcome", "an outcome that belongs to no job");
    const earlier = this.record(KEY_OUTCOME);
    const changed =
      earlier !== undefined && earlier !== value && decodeOutcome(job.identity, bytesOf(earlier)) !== undefined;
    this.#ledger.expect("one outcome", !changed, () => "the stored outcome of a job is changed");
    if (outcome.kind === "fail") return;
    this.#ledger.expect(
      "done after confirm",
      this.confirmed && this.running.version === job.record.offer.version,
      () => `done is stored while ${this.running.version} runs, ${this.confirmed ? "" : "un"}confirmed`,
    );
  }

  /** Only an image with a fault of its own may be remembered. */
  #beforeBlame(value: string): void {
    const refused = new RefusedImages(bytesOf(value));
    for (const push of this.simulation.scenario.pushes) {
      if (refused.causeOf(push.offer.digest) === undefined) continue;
      this.#ledger.expect(
        "blame",
        isAtFault(this.simulation, push),
        () => `${push.offer.version} is remembered as refused`,
      );
    }
  }

  /** An image that the device remembers as refused. */
  blamed(offer: Offer): boolean {
    return new RefusedImages(bytesOf(this.record(KEY_REFUSED))).causeOf(offer.digest) !== undefined;
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string | undefined): Uint8Array | undefined =>
  text === undefined || text === ABSENT ? undefined : Uint8Array.from(Buffer.from(text, "hex"));
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === ABSENT ? undefined : Number(text);
const short = (text: string): string =>
  text === ABSENT ? "absent" : text.length > 24 ? `${text.slice(0, 24)}… (${text.length / 2} bytes)` : text;
