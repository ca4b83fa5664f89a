import type { FleetProgress } from "../cloud/fleet/fleet";
import { STATES } from "../cloud/fleet/messages";
import type { FleetStatistics } from "../cloud/fleet/statistics";

/** Milliseconds between two lines where the output is no terminal. */
const LINE_EVERY = 5_000;

/** Progress of a fleet: one line that is overwritten on a terminal, one line every so often elsewhere. */
export class FleetProgressLine implements FleetProgress {
  readonly #stream: NodeJS.WriteStream;
  readonly #started = Date.now();
  #last = 0;
  #open = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  say(line: string): void {
    this.end();
    this.#stream.write(`${line}\n`);
  }

  tick(statistics: FleetStatistics, phase: string): void {
    const now = Date.now();
    if (!this.#stream.isTTY && now - this.#last < LINE_EVERY) return;
    this.#last = now;
    const counts = statistics.counts();
    const states = STATES.filter((state) => counts[state] > 0).map((state) => `${state} ${counts[state]}`);
    const line = `${Math.round((now - this.#started) / 1000)} s  ${phase}:  ${states.join("  ")}`;
    if (!this.#stream.isTTY) {
      this.#stream.write(`${line}\n`);
      return;
    }
    this.#stream.write(`\r\u001b[2K${line.slice(0, this.#stream.columns - 1)}`);
    this.#open = true;
  }

  /** Ends the line. */
  end(): void {
    if (this.#open) this.#stream.write("\n");
    this.#open = false;
  }
}
