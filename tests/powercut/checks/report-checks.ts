/** Checks of the reports of a device, at the moment when one reaches the cloud. */
import { TRIALS_MAX } from "../../../src/constants";
import { DEFAULT_POLICY } from "../../../src/job/policy";
import type { Heard, HeardOutcome } from "../simulation/cloud-side";
import { NEVER_AGAIN, fits } from "../simulation/cloud-side";
import { rulesOf } from "../simulation/platforms";
import { isAtFault } from "../simulation/simulation-state";
import type { SimulationState } from "../simulation/simulation-state";
import type { MonitoredStart } from "./monitored-start";

/** What the checks know of one connection. */
export interface Connection {
  /** A `fail` was in the store when the connection came up, and has not been reported on it yet. */
  owesFail: boolean;
  version: boolean;
}

/** A new connection of a device. */
export function connected(monitor: MonitoredStart): Connection {
  const { job } = monitor;
  const stored = job === undefined ? undefined : monitor.outcome;
  return { owesFail: stored?.kind === "fail" && !monitor.simulation.ledger.acknowledged, version: false };
}

/** Checks a report before the cloud takes it. `simulation`: the one in which it arrives. */
export function checkReport(
  simulation: SimulationState,
  monitor: MonitoredStart,
  connection: Connection,
  report: Heard,
): void {
  const { ledger } = simulation;
  switch (report.kind) {
    case "version":
      ledger.expect("order of reports", !connection.owesFail, () => "the version is reported before a fail that waits");
      ledger.expect(
        "done after confirm",
        report.version === monitor.running.version,
        () => `version ${report.version} is reported, ${monitor.running.version} runs`,
      );
      connection.version = true;
      return;
    case "progress": {
      const before = monitor.percents.get(report.version ?? "") ?? 0;
      const restarted = report.percent < before && monitor.progressRestarts-- > 0;
      ledger.expect(
        "order of reports",
        report.percent >= before || restarted || ledger.networkFaults > 0,
        () => `progress goes back from ${before} to ${report.percent} percent`,
      );
      monitor.percents.set(report.version ?? "", report.percent);
      return;
    }
    case "burning":
      return;
    case "outcome":
      connection.owesFail = false;
      checkOutcome(simulation, monitor, connection, report);
  }
}

function checkOutcome(
  simulation: SimulationState,
  monitor: MonitoredStart,
  connection: Connection,
  report: HeardOutcome,
): void {
  const { ledger } = simulation;
  const { job } = monitor;
  const ofJob =
    job !== undefined &&
    (report.version === undefined || job.record.offer.version === report.version) &&
    monitor.outcome !== undefined;
  if (ofJob) {
    ledger.expect("one outcome", !ledger.acknowledged, () => "an outcome is said after its acknowledgement");
    const words = monitor.outcome;
    const same = words?.kind === "done" ? report.done : !report.done && words?.message === report.message;
    ledger.expect(
      "one outcome",
      same,
      () => `said ${report.message || "done"}, stored is ${words?.kind === "fail" ? words.message : "done"}`,
    );
  } else {
    // An offer that never became a job has only one possible outcome: refused.
    ledger.expect(
      "one outcome",
      !report.done && (report.cause ?? "rejected") === "rejected",
      () => `an outcome that is not in the store: ${report.message || "done"}`,
    );
  }
  if (report.done) checkDone(simulation, monitor, connection, report);
  else checkFail(simulation, monitor, report);
}

function checkDone(
  simulation: SimulationState,
  monitor: MonitoredStart,
  connection: Connection,
  report: HeardOutcome,
): void {
  const { ledger } = simulation;
  const version = report.version ?? monitor.running.version;
  ledger.expect(
    "done after confirm",
    monitor.running.version === version && monitor.confirmed,
    () => `done for ${version} while ${monitor.running.version} runs, ${monitor.confirmed ? "" : "un"}confirmed`,
  );
  const { platform } = simulation.scenario;
  // One message has both.
  if (platform.startsWith("thingsboard")) return;
  const { versionReport, versionAfterOutcome } = rulesOf(platform);
  const before = versionReport && versionAfterOutcome === undefined;
  ledger.expect("order of reports", connection.version === before || !versionReport, () =>
    before ? "done before the version" : "the version before done",
  );
}

function checkFail(simulation: SimulationState, monitor: MonitoredStart, report: HeardOutcome): void {
  const { ledger, cloud } = simulation;
  const { job } = monitor;
  const rolledBack =
    (report.cause ?? "rolled-back") === "rolled-back" &&
    /rolled back|cut short|not reached|health check|did not start/.test(report.message) &&
    !/before/.test(report.message);
  if (rolledBack && job !== undefined) {
    const other = simulation.oracle.bootable(monitor.running.index === 0 ? 1 : 0);
    ledger.expect(
      "done after confirm",
      job.record.slot !== monitor.running.slot || other === undefined,
      () => "a rollback is reported by the firmware that was rolled back",
    );
  }
  const task = report.version === undefined ? cloud.tasks.find(({ open }) => open) : cloud.taskOf(report.version);
  if (task === undefined) return;
  const push = cloud.pushOf(task);
  const cutShort = /cut short by power loss/.test(report.message);
  if (cutShort) {
    ledger.expect(
      "trial repeated",
      ledger.trialCuts >= DEFAULT_POLICY.maxAttempts,
      () => `given up after ${ledger.trialCuts} trials were cut short`,
    );
    return;
  }
  if (NEVER_AGAIN.test(report.message)) {
    // Trials that a power cut has ended, and trials that did not reach the cloud: in the outage, or of earlier pushes.
    const trials =
      ledger.trialCuts +
      (simulation.scenario.outage === undefined ? 0 : 1) +
      cloud.tasks.filter((each) => cloud.pushOf(each).file === push.file && cloud.pushOf(each).behaviour === "offline")
        .length;
    ledger.expect("trial repeated", trials >= TRIALS_MAX, () => `given up after ${trials} trials`);
    return;
  }
  // A power cut loses up to a minute of awake time, so the device may ask for a longer wait than the operator's.
  if (/; the next trial in \d+ min$/.test(report.message) && ledger.cuts > 0) return;
  if (ledger.worn === "slot" && (report.cause ?? "flash") === "flash") return;
  if (/did not come to powerOn|failed in its trial|health check/.test(report.message))
    ledger.expect(
      "blame",
      monitor.denies(push.offer),
      () => `${push.offer.version} failed its trial by itself and is not remembered`,
    );
  // The denylist has the image from a trial whose outcome a power cut has changed: its next push is refused.
  if (/was (rolled back|refused) before/.test(report.message) && isAtFault(simulation, push) && ledger.cuts > 0) return;
  ledger.expect(
    "scenario's end",
    fits(push.ends, report) || ledger.networkFaults > 0,
    () => `${push.offer.version} failed: ${report.message}`,
  );
}
