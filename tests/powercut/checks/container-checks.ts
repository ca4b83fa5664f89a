/** Checks of a container while it is staged and expanded. */
import { SECTOR } from "../../../src/constants";
import type { Push } from "../simulation/push";
import { endOfErases, erasesOfCut } from "./erase-bounds";
import type { MonitoredStart } from "./monitored-start";

const ceil = (length: number): number => Math.ceil(length / SECTOR);

/** Place of the staged container in the slot. */
const tailOf = ({ simulation, target }: MonitoredStart, container: Uint8Array): number =>
  simulation.oracle.slots.partitions[target].size - ceil(container.length) * SECTOR;

/** The tail of the slot holds the beginning of the container, up to `end`. */
export function holdsStaged(start: MonitoredStart, container: Uint8Array, end: number): boolean {
  const { oracle } = start.simulation;
  const at = tailOf(start, container);
  const { address } = oracle.slots.partitions[start.target];
  return oracle.sameAt(address + at, container.subarray(0, end)) && start.isFirm(at, at + end);
}

/** A checkpoint of so many staged sectors is true. */
export function checkStagedClaim(start: MonitoredStart, push: Push, sectors: number, when: string): void {
  const { ledger, network } = start.simulation;
  const container = push.container!;
  const at = tailOf(start, container) / SECTOR;
  if (network.changed) return;
  ledger.expect(
    "checkpoint true",
    holdsStaged(start, container, Math.min(sectors * SECTOR, container.length)),
    () => `${sectors} staged sectors ${when}, and they are not in flash`,
  );
  for (let sector = at; sector < at + sectors; sector++) {
    if (start.unread.has(sector))
      ledger.violate("checkpoint true", `staged sector ${sector} is claimed and was not read back`);
  }
}

/** Before it is stored that the container was proven: from then on it may be overwritten. */
export function beforeExpanding(start: MonitoredStart, { container }: Push): void {
  start.simulation.ledger.expect(
    "head last",
    container !== undefined && holdsStaged(start, container, container.length),
    () => "expanding is stored before the container is in flash",
  );
}

/** Once it is stored that the container was proven, nothing is fetched any more. */
export function checkNothingFetched(start: MonitoredStart): void {
  const { job } = start;
  start.simulation.ledger.expect(
    "bytes fetched again",
    job === undefined || start.stateOf(job).expanding !== true,
    () => "bytes are fetched while a container is expanded",
  );
}

export interface EraseBound {
  of(sector: number): number;
  readonly all: number;
  /** More for each power cut. */
  readonly cut: number;
}

/** Most erases of a sector of the slot in one attempt, and of all. */
export function erasesOf(start: MonitoredStart, push: Push): EraseBound {
  const image = ceil(push.file.length);
  const front = endOfErases(image);
  if (push.container === undefined)
    return { of: (sector) => (sector < front ? 1 : 0), all: front, cut: erasesOfCut(image) };
  const tail = tailOf(start, push.container) / SECTOR;
  // The first sector is erased before anything is staged, too.
  return {
    of: (sector) => (sector < front ? 1 : 0) + (sector >= tail ? 1 : 0) + (sector === 0 ? 1 : 0),
    all: front + ceil(push.container.length) + 1,
    cut: erasesOfCut(Math.max(image, ceil(push.container.length))) + 1,
  };
}
