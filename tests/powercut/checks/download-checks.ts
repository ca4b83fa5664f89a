/** Checks of downloads: the resume offset, and the bytes that the file server serves again after a power cut. */
import { HEAD, RANGE_MAX, SECTOR, WINDOW } from "../../../src/constants";
import { checkNothingFetched, holdsStaged } from "./container-checks";
import type { MonitoredStart } from "./monitored-start";
import { imageOf } from "../simulation/simulation-state";
import type { Push } from "../simulation/push";

/** Bytes that one power cut may cost: a sector, and what was in flight. */
export const AGAIN_MAX = SECTOR + RANGE_MAX;

/**
 * A download begins or continues at byte `first`. The bytes of an incomplete sector may be in RAM. `inFlight`: bytes
 * that may have been under way.
 */
export function checkDownload(start: MonitoredStart, push: Push, first: number, inFlight: number): void {
  const { ledger } = start.simulation;
  const image = imageOf(push.offer);
  const { again, mostAgain, ...fetched } = ledger.fetched(image);
  let { end } = fetched;
  ledger.expect("unconfirmed waits", start.confirmed, () => "a download begins while the running firmware is on trial");
  const { asking } = start;
  start.asking = undefined;
  if (asking?.push === push) {
    const asked = Math.min(asking.served, asking.end);
    ledger.note(image, { again: again + asked, mostAgain: Math.max(mostAgain, asked) });
    // What the request for the size was served is not the download.
    end = asking.end;
  }
  if (first === 0 && start.job?.record.offer.size === 0) start.asking = { push, end, inFlight, served: 0 };
  else checkFirst(start, push, first, inFlight, end, 0);
}

/** Before the first erase: the request that asked for the size turns out to be the download itself. */
export function checkAsked(start: MonitoredStart): void {
  const { asking, job } = start;
  // Before a container goes on the first sector is erased.
  if (asking === undefined || (job !== undefined && (start.stagedOf(job) ?? 0) > 0)) return;
  start.asking = undefined;
  checkFirst(start, asking.push, 0, asking.inFlight, asking.end, asking.served);
}

/** `end`: end of the bytes served before; `served`: end of those served since. */
function checkFirst(
  start: MonitoredStart,
  push: Push,
  first: number,
  inFlight: number,
  end: number,
  served: number,
): void {
  const offset = first - (first % SECTOR);
  const { simulation, target } = start;
  const { ledger } = simulation;
  const image = imageOf(push.offer);
  const { again, mostAgain, cuts, tried } = ledger.fetched(image);
  ledger.expect("trial repeated", !tried, () => `${push.offer.version} is downloaded again after its trial`);
  checkNothingFetched(start);
  const held =
    push.container === undefined
      ? simulation.oracle.holds(target, push.file, HEAD, offset)
      : holdsStaged(start, push.container, offset);
  const there = simulation.network.changed || held;
  ledger.expect(
    "resume of the same image",
    there,
    () => `the download of ${push.offer.version} goes on at ${offset}, and the slot holds something else`,
  );
  const lost = Math.max(0, end - offset);
  const allowed = cuts === 0 ? 0 : SECTOR + inFlight;
  ledger.expect(
    "bytes fetched again",
    lost <= allowed || ledger.networkFaults > 0,
    () => `${lost} bytes are fetched again after ${cuts} cuts: from ${offset}, ${end} were given out`,
  );
  ledger.note(image, { end: Math.max(offset, served), again: again + lost, mostAgain: Math.max(mostAgain, lost) });
}

/** Notes that the server has sent the bytes up to `end`. */
export function noteServed(start: MonitoredStart, push: Push, end: number): void {
  const image = imageOf(push.offer);
  start.simulation.ledger.note(image, { end: Math.max(start.simulation.ledger.fetched(image).end, end) });
  if (start.asking?.push === push) start.asking.served = Math.max(start.asking.served, end);
}

/** A request for bytes up to `end` - 1 of a file, `stored` bytes of which are in flash. */
export function checkRequest(start: MonitoredStart, push: Push, end: number, stored: number): void {
  const { ledger } = start.simulation;
  ledger.expect(
    "bounded",
    end - stored <= WINDOW + SECTOR,
    () => `bytes up to ${end} are asked for with ${stored} stored`,
  );
  ledger.expect(
    "bounded",
    push.offer.size === 0 || end <= push.offer.size,
    () => `bytes up to ${end} of ${push.offer.size} are asked for`,
  );
}
