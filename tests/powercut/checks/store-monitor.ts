/** Checks of the records that the firmware reads and writes. */
import type { Store } from "../../../src/ports";
import { HEAD } from "../../../src/constants";
import type { PhaseRecord } from "../../../src/job/job-codecs";
import type { Outcome } from "../../../src/job/types";
import { beforeExpanding, checkStagedClaim } from "./container-checks";
import { imageOf, isAtFault } from "../simulation/simulation-state";
import { ABSENT } from "./ledger";
import type { MonitoredStart } from "./monitored-start";
import { KEYS, hexOf } from "./stored-records";
import type { Job } from "./stored-records";

/** Records the agent may keep, and the bytes of one (src/ports.ts). */
const RECORDS_MAX = 14;
const RECORD_MAX = 3_900;

export function monitorStore(start: MonitoredStart, store: Store): Store {
  const { ledger } = start.simulation;
  const change = (key: string, value: string, act: () => void): void => {
    const state = start.job && start.stateOf(start.job);
    beforeChange(start, key, value);
    const { records, history } = ledger;
    const before = records.get(key) ?? [ABSENT];
    records.set(key, [...before.filter((each) => each !== value), value]);
    history.set(key, [...(history.get(key) ?? []), value]);
    act();
    records.set(key, [value]);
    afterChange(start, key, value, state);
  };
  return {
    getNumber: (key) => found(start, key, store.getNumber(key), String),
    getBytes: (key) => found(start, key, store.getBytes(key), hexOf),
    setNumber: (key, value) => change(key, String(value), () => store.setNumber(key, value)),
    setBytes: (key, bytes) => {
      ledger.expect("bounded", bytes.length <= RECORD_MAX, () => `record ${key} of ${bytes.length} bytes`);
      change(key, hexOf(bytes), () => store.setBytes(key, bytes));
    },
    delete: (key) => change(key, ABSENT, () => store.delete(key)),
  };
}

/** A record is what it was set to last, or after a power cut in mid-change what it was before; never anything else. */
function found<T>(start: MonitoredStart, key: string, value: T | undefined, text: (value: T) => string): T | undefined {
  const { ledger } = start.simulation;
  const read = value === undefined ? ABSENT : text(value);
  const possible = ledger.records.get(key) ?? [ABSENT];
  ledger.expect(
    "store keeps",
    possible.includes(read),
    () => `record ${key} is ${short(read)}, was set to ${possible.map(short).join(" or ")}`,
  );
  if (ledger.worn === "records") {
    const known = read === ABSENT || possible.includes(read) || (ledger.history.get(key) ?? []).includes(read);
    ledger.expect("record whole or absent", known, () => `record ${key} is ${short(read)}, which was never written`);
    ledger.records.set(key, [read]);
  } else if (possible.length > 1 && possible.at(-1) !== read && possible.includes(read)) {
    // The power cut came before the change: the device uses the old value from here on.
    ledger.records.set(key, [...possible.filter((each) => each !== read), read]);
  }
  if (key === KEYS.state) start.phaseAtStart ??= { phase: start.phase };
  return value;
}

function beforeChange(start: MonitoredStart, key: string, value: string): void {
  const { job } = start;
  const { ledger } = start.simulation;
  const keys = [...ledger.records].filter(([, values]) => values.at(-1) !== ABSENT).length;
  ledger.expect("bounded", keys <= RECORDS_MAX, () => `${keys} records`);
  switch (key) {
    case KEYS.offset:
      return value === ABSENT ? undefined : beforeCheckpoint(start, job, value);
    case KEYS.staged:
      return value === ABSENT ? undefined : beforeStaged(start, job, value);
    case KEYS.state:
      return value === ABSENT || job === undefined ? undefined : beforeState(start, job, start.stateOf(job, value));
    case KEYS.job:
      if (value !== ABSENT || job === undefined) return undefined;
      return ledger.expect(
        "one outcome",
        ledger.acknowledged || start.otherOffered,
        () => `the job for ${job.record.offer.version} is forgotten before its outcome was acknowledged`,
      );
    case KEYS.outcome:
      if (job === undefined) return undefined;
      return value === ABSENT ? beforeReopening(start) : beforeOutcome(start, job, value);
    case KEYS.denylist:
      return beforeDenylist(start, value);
  }
}

function afterChange(start: MonitoredStart, key: string, value: string, before: PhaseRecord | undefined): void {
  const { job } = start;
  const { ledger } = start.simulation;
  if (key === KEYS.job && value !== ABSENT) ledger.acknowledged = false;
  if (key === KEYS.job && value === ABSENT) {
    start.percents.clear();
    start.repairs.clear();
  }
  if (job === undefined) return;
  const image = imageOf(job.record.offer);
  if (key === KEYS.outcome) afterOutcome(start, image);
  if (key !== KEYS.state) return;
  // What was fetched counts for nothing any more, and progress begins anew.
  if (beginsRefetch(before, start.stateOf(job, value))) {
    ledger.fetching.delete(image);
    ledger.note(image, { heads: 1 });
    start.progressRestarts++;
  }
  if (start.phase === "trial") ledger.note(image, { tried: true });
}

/** What is in flash after one of these failures counts for nothing: the next push of the image begins anew. */
function afterOutcome({ outcome, simulation }: MonitoredStart, image: string): void {
  if (outcome?.kind === "fail" && ["digest-mismatch", "flash", "rejected"].includes(outcome.cause))
    simulation.ledger.fetching.delete(image);
  // The next job of it erases the sector again that this one may have left torn.
  else if (outcome?.kind === "fail" && outcome.cause === "not-found") simulation.ledger.repaired(image);
}

/** What the checkpoint claims is in flash, firm and read back. */
function beforeCheckpoint(start: MonitoredStart, job: Job | undefined, value: string): void {
  const { ledger } = start.simulation;
  const sectors = job && start.sectorsOf(job, value);
  if (job?.push === undefined || sectors === undefined)
    return ledger.violate("checkpoint true", "a checkpoint that belongs to no job");
  start.checkClaim(job, job.push, sectors, "is stored");
  for (let sector = 0; sector < sectors; sector++) {
    if (start.unread.has(sector))
      ledger.violate("checkpoint true", `sector ${sector} is claimed and was not read back`);
  }
}

function beforeStaged(start: MonitoredStart, job: Job | undefined, value: string): void {
  const sectors = job && start.stagedOf(job, value);
  if (job?.push?.container === undefined || sectors === undefined)
    return start.simulation.ledger.violate("checkpoint true", "staged sectors that belong to no job");
  checkStagedClaim(start, job.push, sectors, "are stored");
}

/** The record also changes where a fresh URL is asked for, and when a sector follows. */
const beginsRefetch = (before: PhaseRecord | undefined, { refetched, expanding, renewals }: PhaseRecord): boolean =>
  refetched && expanding !== true && before?.renewals === renewals;

function beforeState(start: MonitoredStart, job: Job, state: PhaseRecord): void {
  const { phase, expanding } = state;
  const { ledger } = start.simulation;
  if (beginsRefetch(start.stateOf(job), state)) beforeRefetch(start, job);
  if (expanding === true && job.push !== undefined && start.stateOf(job).expanding !== true)
    beforeExpanding(start, job.push);
  switch (phase) {
    case "committing":
      return ledger.expect(
        "head last",
        start.holdsOffered(job.push, HEAD),
        () => "committing is stored before the slot holds what was offered",
      );
    case "trial":
      return start.checkBeforeTrial();
    case "confirmed":
      return ledger.expect(
        "done after confirm",
        start.confirmed && start.running.version === job.record.offer.version,
        () => "confirmed is stored before the confirm",
      );
    case "downloading":
      return;
  }
}

/** Everything is downloaded once more only where what was offered is not there, and once in a job. */
function beforeRefetch(start: MonitoredStart, job: Job): void {
  const right = start.holdsOffered(job.push, HEAD);
  start.simulation.ledger.expect(
    "bytes fetched again",
    !right && !start.stateOf(job).refetched,
    () => `all is fetched again although ${right ? "it is there" : "that was done before"}`,
  );
}

function beforeOutcome(start: MonitoredStart, job: Job, value: string): void {
  const { ledger } = start.simulation;
  const outcome = start.outcomeOf(job, value);
  if (outcome === undefined) return ledger.violate("one outcome", "an outcome that belongs to no job");
  const earlier = start.record(KEYS.outcome);
  const before = earlier === undefined || earlier === value ? undefined : start.outcomeOf(job, earlier);
  ledger.expect(
    "one outcome",
    before === undefined || (isOpen(before) && outcome.kind === "fail" && !isOpen(outcome)),
    () => "the stored outcome of a job is changed",
  );
  if (outcome.kind === "fail") return;
  ledger.expect(
    "done after confirm",
    start.confirmed && start.running.version === job.record.offer.version,
    () => `done is stored while ${start.running.version} runs, ${start.confirmed ? "" : "un"}confirmed`,
  );
}

/**
 * The trial did not reach the cloud, and it is not decided yet whose fault that is: nothing was reported. In the words of
 * this edition and of edition 1.
 */
const isOpen = (outcome: Outcome): boolean =>
  outcome.kind === "fail" &&
  /^(?:trial: (?!health)|cloud not reached)/.test(outcome.message) &&
  !/ reached it /.test(outcome.message);

/** An outcome goes with its job, or when it was no verdict: the image is tried again. */
function beforeReopening({ simulation, outcome, otherOffered }: MonitoredStart): void {
  const { ledger } = simulation;
  ledger.expect(
    "one outcome",
    outcome === undefined || ledger.acknowledged || otherOffered || isOpen(outcome),
    () => "a stored outcome is dropped before it was acknowledged",
  );
}

/** Only an image with a fault of its own may be remembered. */
function beforeDenylist(start: MonitoredStart, value: string): void {
  const { simulation } = start;
  for (const push of simulation.scenario.pushes) {
    if (!start.denies(push.offer, value)) continue;
    simulation.ledger.expect(
      "blame",
      isAtFault(simulation, push),
      () => `${push.offer.version} is remembered as refused`,
    );
  }
}

const short = (text: string): string =>
  text === ABSENT ? "absent" : text.length > 24 ? `${text.slice(0, 24)}… (${text.length / 2} bytes)` : text;
