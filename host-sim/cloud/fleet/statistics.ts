import { percentile } from "../core/rollouts/report";
import { STATES, type DeviceState, type FleetEvent } from "./messages";

export interface Sample {
  /** Milliseconds since the fleet was switched on. */
  readonly at: number;
  readonly counts: Readonly<Record<DeviceState, number>>;
}

/** Times in milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly longest: number;
}

interface DeviceRecord {
  state: DeviceState;
  version: string;
  since: number;
  began: number | undefined;
}

/** Milliseconds between two samples, at first; doubled whenever there are too many. */
const STEP = 500;
const SAMPLES_MAX = 600;

/** What becomes of a fleet, from its events. */
export class FleetStatistics {
  readonly #start: number;
  readonly #devices: DeviceRecord[];
  readonly #counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<DeviceState, number>;
  readonly #times: number[] = [];
  readonly #causes = new Map<string, number>();
  readonly #reconnects = new Map<number, number>();
  #samples: Sample[] = [];
  #step = STEP;
  #outage: { end: number } | undefined;

  constructor(devices: number, start: number) {
    this.#start = start;
    this.#devices = Array.from({ length: devices }, () => ({
      state: "off",
      version: "",
      since: start,
      began: undefined,
    }));
    this.#counts.off = devices;
  }

  take(event: FleetEvent): void {
    const device = this.#devices[event.device]!;
    switch (event.kind) {
      case "boot":
        device.version = event.version;
        return;
      case "link":
        if (event.up && this.#outage !== undefined && !this.#reconnects.has(event.device))
          this.#reconnects.set(event.device, event.at);
        return;
      case "state": {
        this.#counts[device.state]--;
        this.#counts[event.state]++;
        device.state = event.state;
        if (event.state === "downloading") device.began ??= event.at;
        if (event.state === "done" && device.began !== undefined) this.#times.push(event.at - device.began);
        if (event.state === "done" || event.state === "fail") device.began = undefined;
        if (event.state === "fail") {
          const cause = `${event.cause ?? "unknown"}: ${event.message ?? ""}`;
          this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + 1);
        }
      }
    }
  }

  /** To be called often; keeps one in `STEP`. */
  sample(now: number): void {
    const last = this.#samples.at(-1);
    const at = now - this.#start;
    if (last !== undefined && at - last.at < this.#step) return;
    this.#samples.push({ at, counts: { ...this.#counts } });
    if (this.#samples.length < SAMPLES_MAX) return;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    this.#step *= 2;
  }

  /** From here on the first connection of each device is one after the outage. */
  outageBegan(): void {
    this.#outage = { end: Infinity };
    this.#reconnects.clear();
  }

  outageEnded(at: number): void {
    this.#outage = { end: at };
  }

  /** Devices that were not back yet. */
  get missing(): number {
    return this.#outage === undefined ? 0 : this.#devices.length - this.#reconnects.size;
  }

  counts(): Readonly<Record<DeviceState, number>> {
    return this.#counts;
  }

  stateOf(device: number): DeviceState {
    return this.#devices[device]!.state;
  }

  samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Devices by the version that they booted last. */
  versions(): Record<string, number> {
    const versions: Record<string, number> = {};
    for (const { version } of this.#devices) versions[version] = (versions[version] ?? 0) + 1;
    return versions;
  }

  /** From the first byte asked for to the confirmed new firmware. */
  updateTimes(): Percentiles | undefined {
    return summary(this.#times);
  }

  /** Most frequent first. */
  causes(): { cause: string; count: number }[] {
    return [...this.#causes].map(([cause, count]) => ({ cause, count })).sort((a, b) => b.count - a.count);
  }

  /** Seconds after the outage's end, and how many devices were back within that second. */
  reconnects(): { readonly histogram: readonly number[]; readonly times: Percentiles | undefined } {
    // The first devices can reconnect before the end of the outage is noted.
    const times = [...this.#reconnects.values()].map((at) => Math.max(0, at - (this.#outage?.end ?? 0)));
    const longest = times.reduce((most, time) => Math.max(most, time), 0);
    const histogram = Array.from({ length: times.length === 0 ? 0 : Math.floor(longest / 1000) + 1 }, () => 0);
    for (const time of times) histogram[Math.floor(time / 1000)]!++;
    return { histogram, times: summary(times) };
  }
}

function summary(values: readonly number[]): Percentiles | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    longest: sorted.at(-1)!,
  };
}
