/** Checks of what the firmware does with the boot choice. */
import type { Boot } from "../../../src/ports";
import type { MonitoredStart } from "./monitored-start";
import { KEYS } from "./stored-records";

export function monitorBoot(start: MonitoredStart, boot: Boot): Boot {
  const passed = <K extends keyof Boot>(name: K): Boot[K] => (boot[name] as () => unknown).bind(boot) as Boot[K];
  const { ledger } = start.simulation;
  return {
    running: passed("running"),
    startUp: passed("startUp"),
    target: passed("target"),
    resetReason: passed("resetReason"),
    readRunning: passed("readRunning"),
    expander: passed("expander"),
    targetStarted: passed("targetStarted"),
    lastInvalid: passed("lastInvalid"),
    invalidateTarget: passed("invalidateTarget"),
    verifyTarget: () => {
      const length = boot.verifyTarget();
      start.verified = true;
      return length;
    },
    activate: () => {
      beforeActivate(start);
      boot.activate();
    },
    confirm: () => {
      const { reached, healthy } = start;
      ledger.expect(
        "health before confirm",
        healthy && reached,
        () =>
          `confirmed with the cloud ${reached ? "" : "not "}reached and the application ${healthy ? "" : "not "}well`,
      );
      boot.confirm();
    },
    rollback: () => {
      const stored = start.record(KEYS.outcome) !== undefined;
      ledger.expect("one outcome", start.job === undefined || stored, () => "given up before the outcome is stored");
      boot.rollback();
    },
    deadline: passed("deadline"),
    sleep: passed("sleep"),
    restart: passed("restart"),
  };
}

function beforeActivate(start: MonitoredStart): void {
  const { job, simulation } = start;
  const { ledger } = simulation;
  const image = simulation.oracle.bootable(start.target);
  ledger.expect(
    "image before boot choice",
    image !== undefined && start.holdsOffered(job?.push, 0),
    () => "the boot choice changes to a slot that does not hold what was offered",
  );
  ledger.expect(
    "image before boot choice",
    (image?.length ?? 0) <= (job?.push?.file.length ?? 0),
    () => `the image has ${image?.length} bytes, the file ${job?.push?.file.length}`,
  );
  ledger.expect(
    "trial repeated",
    start.phase === "trial",
    () => `the boot choice changes while the job is stored as ${start.phase}`,
  );
  ledger.expect(
    "unconfirmed waits",
    start.confirmed,
    () => "the boot choice changes while the running firmware is on trial",
  );
  ledger.expect(
    "blame",
    job === undefined || !start.denies(job.record.offer),
    () => `the boot choice changes to ${job?.record.offer.version}, which is remembered as refused`,
  );
  start.checkBeforeTrial();
}
