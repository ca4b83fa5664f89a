/**
 * The invariant monitor of one start of the board. It wraps the ports: what the firmware does to flash, boot choice and
 * store is checked against the oracle, before it happens where afterwards would be too late. The names of the checks
 * are in ledger.ts.
 */
import type { StoragePorts } from "../../../hal/model-chip/board-ports";
import type { SimulationState } from "../simulation/simulation-state";
import { monitorBoot } from "./boot-monitor";
import { checkStagedClaim } from "./container-checks";
import { monitorFlash } from "./flash-monitor";
import { MonitoredStart } from "./monitored-start";
import { monitorStore } from "./store-monitor";

export class InvariantMonitor extends MonitoredStart {
  /** For the firmware. */
  readonly ports: StoragePorts;

  constructor(simulation: SimulationState, ports: StoragePorts) {
    super(simulation, ports);
    this.ports = {
      ...ports,
      flash: monitorFlash(this, ports.flash),
      boot: monitorBoot(this, ports.boot),
      store: monitorStore(this, ports.store),
    };
  }

  /** What a start finds in the store is true of the flash, for a job that still writes to the target slot. */
  checkStart(): void {
    const { job, phase } = this;
    // The acknowledgement came, and the power cut before that was stored.
    if (job !== undefined) this.simulation.ledger.acknowledged = false;
    if (job?.push === undefined || job.record.slot === this.running.slot) return;
    if (phase === "confirmed" || this.outcome !== undefined) return;
    const sectors = this.sectorsOf(job);
    if (sectors !== undefined && this.headOf(job) !== undefined) this.checkClaim(job, job.push, sectors, "was found");
    const staged = this.stagedOf(job);
    if (
      staged !== undefined &&
      job.push.container !== undefined &&
      phase === "downloading" &&
      this.stateOf(job).expanding !== true
    )
      checkStagedClaim(this, job.push, staged, "were found");
  }
}
