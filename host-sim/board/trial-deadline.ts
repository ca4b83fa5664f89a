/** The deadline of a trial that ends it where no JavaScript runs any more: hal/esp32/startup.c on a simulated board. */
import { FaultRecord, LAST_RUN } from "../../hal/moddable/fault-record";
import type { StoragePorts } from "../../hal/model-chip/board-ports";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { isUnconfirmed } from "../../src/job/boot-table";
import type { Clock } from "../../src/ports";

export class TrialDeadline {
  readonly #clock: Clock;
  #timer: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The trial of the firmware that runs on `ports` ends in `milliseconds`; 0: not by this. */
  set(milliseconds: number, ports: StoragePorts): void {
    this.stop();
    if (milliseconds > 0) this.#timer = this.#clock.set(() => this.#expired(milliseconds, ports), milliseconds);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #expired(milliseconds: number, { boot, space }: StoragePorts): void {
    try {
      const running = boot.running();
      if (!isUnconfirmed(running)) return;
      new FaultRecord(space(LAST_RUN)).record(running.version, `not confirmed within ${milliseconds / 1000} s`);
      boot.rollback();
      boot.restart();
    } catch (error) {
      // The board ends what runs on it then.
      if (!(error instanceof PowerCut)) throw error;
    }
  }
}
