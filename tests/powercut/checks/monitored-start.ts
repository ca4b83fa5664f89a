/** What the checks know of one start of the board. The monitors of its ports share it. */
import type { StoragePorts } from "../../../hal/model-chip/board-ports";
import type { SlotIndex } from "../../../hal/model-chip/slots";
import { HEAD, SECTOR } from "../../../src/constants";
import type { Phase } from "../../../src/job/job-codecs";
import type { Push } from "../simulation/push";
import { isAsOffered } from "../simulation/simulation-state";
import type { SimulationState } from "../simulation/simulation-state";
import { StoredRecords } from "./stored-records";
import type { Job } from "./stored-records";

/**
 * A download whose size the server has to tell first. The resume offset is decided then; until the first erase nothing
 * is.
 */
export interface Asking {
  readonly push: Push;
  /** End of the bytes that were served before. */
  readonly end: number;
  readonly inFlight: number;
  /** End of the bytes that this request itself was served. */
  served: number;
}

export class MonitoredStart extends StoredRecords {
  readonly running: { readonly slot: string; readonly index: SlotIndex; readonly version: string };
  readonly target: SlotIndex;
  /** The application's health check has passed; the cloud was reached. */
  healthy = false;
  reached = false;
  /** An offer of another image than that of the job has come in this start. */
  otherOffered = false;
  asking: Asking | undefined;
  /**
   * Times that the reported progress may still fall: reports may be under way when the job starts the download over.
   */
  progressRestarts = 0;
  /** Highest percent reported in this start, by version. */
  readonly percents = new Map<string, number>();
  /** Sectors that were written in this start and not read back since. */
  readonly unread = new Set<number>();
  /** Readbacks that differed, by sector. */
  readonly repairs = new Map<number, number>();
  /** What happened to the head in this start. */
  head: "untouched" | "programmed" | "read back" = "untouched";
  /** The image was checked after the last write. */
  verified = false;
  /** The phase of the job when the board started, from the first read of its state on. */
  phaseAtStart: { readonly phase: Phase | undefined } | undefined;

  constructor(simulation: SimulationState, { boot }: StoragePorts) {
    super(simulation);
    const { slot, version } = boot.running();
    const { index } = simulation.oracle.slot(slot);
    this.running = { slot, index, version };
    this.target = index === 0 ? 1 : 0;
  }

  /** The boot entry of the running slot is not, or no longer, on trial. */
  get confirmed(): boolean {
    const state = this.simulation.oracle.entryOf(this.running.index)?.state;
    return state !== "pending" && state !== "new";
  }

  /** The target slot holds what the push offered, from byte `from` on. */
  holdsOffered(push: Push | undefined, from: number): push is Push {
    if (push === undefined || !isAsOffered(push)) return false;
    return this.simulation.oracle.holds(this.target, push.file, from, push.file.length);
  }

  /** The bits of these bytes of the target slot can be relied on. */
  isFirm(from: number, to: number): boolean {
    const { oracle, faults } = this.simulation;
    return !faults.unstableAt(oracle.slots.partitions[this.target].address + from, Math.max(0, to - from));
  }

  /** A checkpoint of so many sectors is true: they are in flash, and the head is in the store. */
  checkClaim(job: Job, { file }: Push, sectors: number, when: string): void {
    const { ledger, network, oracle } = this.simulation;
    const end = Math.min(sectors * SECTOR, file.length);
    // Bytes of another file were served: only the digest can tell.
    if (network.changed) return;
    ledger.expect(
      "checkpoint true",
      oracle.holds(this.target, file, HEAD, end) && this.isFirm(HEAD, end),
      () => `a checkpoint of ${sectors} sectors ${when}, and they are not in flash`,
    );
    const head = this.headOf(job);
    ledger.expect(
      "checkpoint true",
      head !== undefined && Buffer.from(head).equals(file.subarray(0, HEAD)),
      () => `a checkpoint of ${sectors} sectors ${when} without the image's head`,
    );
  }

  /**
   * Before a trial is stored or begins: after the last power cut the head was programmed and read back, and the image
   * checked.
   */
  checkBeforeTrial(): void {
    // All of that was done before the trial was stored.
    if (this.phaseAtStart?.phase === "trial") return;
    this.simulation.ledger.expect(
      "head proven",
      this.head === "read back" && this.verified,
      () => `head ${this.head}, image ${this.verified ? "" : "not "}checked in this start`,
    );
  }
}
