/** Checks of what the firmware does to the flash of the target slot. */
import type { Flash } from "../../../src/ports";
import { HEAD, SECTOR, SECTOR_REPAIRS } from "../../../src/constants";
import { imageOf } from "../simulation/simulation-state";
import { checkAsked } from "./download-checks";
import { erasesOf } from "./container-checks";
import type { EraseBound } from "./container-checks";
import type { Fetching } from "./ledger";
import type { MonitoredStart } from "./monitored-start";

/** Bytes of a boot entry. */
const BOOT_ENTRY = 32;

export function monitorFlash(start: MonitoredStart, flash: Flash): Flash {
  const { ledger } = start.simulation;
  return {
    size: flash.size,
    sectorSize: flash.sectorSize,
    blockSectors: flash.blockSectors,
    erase: (sector) => {
      beforeErase(start, sector);
      flash.erase(sector);
      afterErase(start, sector);
    },
    eraseBlock: (sector) => {
      const end = sector + flash.blockSectors;
      for (let at = sector; at < end; at++) beforeErase(start, at);
      flash.eraseBlock(sector);
      for (let at = sector; at < end; at++) afterErase(start, at);
    },
    write: (offset, bytes) => {
      if (offset < HEAD) beforeHead(start, offset, bytes);
      else beforeSector(start, Math.floor(offset / SECTOR));
      start.unread.add(Math.floor(offset / SECTOR));
      start.verified = false;
      ledger.expect("bounded", bytes.length <= SECTOR, () => `a write of ${bytes.length} bytes`);
      flash.write(offset, bytes);
      if (offset < HEAD) start.head = "programmed";
    },
    read: (offset, into) => {
      ledger.expect("bounded", into.length <= SECTOR, () => `a read of ${into.length} bytes`);
      flash.read(offset, into);
    },
    equals: (offset, bytes) => {
      const equal = flash.equals(offset, bytes);
      readBack(start, offset, bytes.length, equal);
      return equal;
    },
  };
}

function beforeErase(start: MonitoredStart, sector: number): void {
  const { job, simulation } = start;
  const { ledger } = simulation;
  const entry = simulation.oracle.entryOf(start.target);
  ledger.expect(
    "unconfirmed waits",
    start.confirmed,
    () => `sector ${sector} is erased while ${start.running.version} is on trial`,
  );
  ledger.expect(
    "entry invalidated",
    entry === undefined || !entry.bootable || entry.decides || hasUnstableEntry(start),
    () => `sector ${sector} is erased while a boot entry (${entry?.state}) names its slot`,
  );
  checkAsked(start);
  ledger.clean[start.target].delete(sector);
  if (job === undefined) return ledger.violate("sector erases", `sector ${sector} is erased without a job`);
  start.verified = false;
  const image = imageOf(job.record.offer);
  ledger.taken(image);
  const erases = ledger.fetched(image).erases.slice();
  erases[sector] = (erases[sector] ?? 0) + 1;
  const sectors = Math.ceil((job.push?.file.length ?? 0) / SECTOR);
  ledger.note(image, { erases, sectors });
  if (job.push === undefined) return;
  const bound = erasesOf(start, job.push);
  ledger.note(image, { allowed: { all: bound.all, cut: bound.cut } });
  checkErases(start, sector, bound, ledger.fetched(image));
}

function afterErase(start: MonitoredStart, sector: number): void {
  start.simulation.ledger.clean[start.target].add(sector);
  if (sector === 0) start.head = "untouched";
}

/** Its erase, or a program after it, may have been cut: what reads as erased then need not hold what is programmed. */
function beforeSector({ simulation: { ledger }, target }: MonitoredStart, sector: number): void {
  ledger.expect(
    "erased to its end",
    ledger.clean[target].delete(sector),
    () => `sector ${sector} is written, and was not erased to its end since it was written last`,
  );
}

/**
 * A boot entry with unstable bits reads as whole one time and not the next: which of the two entries decides is open.
 */
function hasUnstableEntry({ simulation: { board, faults } }: MonitoredStart): boolean {
  const { address } = board.table.otadata;
  return faults.unstableAt(address, BOOT_ENTRY) || faults.unstableAt(address + SECTOR, BOOT_ENTRY);
}

/**
 * One erase of a sector for each attempt, one more for each power cut, two for repairs. Sector 0 has one more where the
 * head is erased, which happens before everything is downloaded once more, too.
 */
function checkErases(
  start: MonitoredStart,
  sector: number,
  bound: EraseBound,
  { erases, sectors, cuts, repairs, heads }: Fetching,
): void {
  const { ledger } = start.simulation;
  const all = erases.reduce((sum, count) => sum + (count ?? 0), 0);
  const extra = cuts + repairs + ledger.networkFaults * sectors;
  ledger.expect("sector erases", bound.of(sector) > 0, () => `sector ${sector} is erased, the image has ${sectors}`);
  ledger.expect(
    "sector erases",
    all <= bound.all + 1 + heads + repairs + ledger.networkFaults * sectors + bound.cut * cuts,
    () => `${all} erases for ${sectors} sectors, ${cuts} cuts, ${repairs} repairs`,
  );
  const one = erases[sector]!;
  const most = (sector === 0 ? 1 + heads : 0) + bound.of(sector) + extra;
  ledger.expect(
    "sector erases",
    one <= most,
    () => `sector ${sector} erased ${one} times, ${cuts} cuts, ${repairs} repairs`,
  );
}

/** The first bytes make the slot bootable: only what was offered may get them. */
function beforeHead(start: MonitoredStart, offset: number, bytes: Uint8Array): void {
  const { ledger } = start.simulation;
  const push = start.job?.push;
  ledger.expect(
    "unconfirmed waits",
    start.confirmed,
    () => "the head is programmed while the running firmware is on trial",
  );
  if (bytes.every((byte) => byte === 0xff)) return;
  ledger.expect(
    "head last",
    start.holdsOffered(push, HEAD) && start.isFirm(HEAD, push.file.length),
    () => `head programmed at ${offset} before the slot held what was offered`,
  );
}

function readBack(start: MonitoredStart, offset: number, length: number, equal: boolean): void {
  const { ledger } = start.simulation;
  const sector = Math.floor(offset / SECTOR);
  if (!equal) {
    const repairs = (start.repairs.get(sector) ?? 0) + 1;
    start.repairs.set(sector, repairs);
    ledger.expect("sector erases", repairs <= SECTOR_REPAIRS + 1, () => `sector ${sector} is tried ${repairs} times`);
    if (start.job !== undefined) ledger.repaired(imageOf(start.job.record.offer));
    return;
  }
  if (offset === 0 && length >= HEAD && start.head === "programmed") start.head = "read back";
  else start.unread.delete(sector);
}
