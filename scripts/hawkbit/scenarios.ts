/**
 * Updates from the first offer to the server's last record, the same for a device on the double of hawkBit and on a real
 * server: what an operator and the power do, and what has to be in the records then.
 */
import type { ActionRecord, Assignment, HawkbitOperator, PackageId } from "../../host-sim/operators/hawkbit/operator";

/** One device with its server, fresh for each scenario, on version 0.1.0. */
export interface ScenarioBench {
  readonly operator: HawkbitOperator;
  readonly controllerId: string;
  /** Uploads an image of this version; a bad one fails its trial. */
  upload(version: string, bad?: boolean): Promise<PackageId>;
  /** Until the device is in this state of its job. */
  untilState(state: string): Promise<void>;
  /** Until the server's record of the action has this status. */
  untilStatus(action: string, status: string): Promise<ActionRecord>;
  /** Off and on again. */
  powerCut(): Promise<void>;
  /** Until the device has told the server that it runs this version. */
  untilVersion(version: string): Promise<void>;
}

export interface Scenario {
  readonly title: string;
  /** Returns the actions, with the status that each has in the end. Exactly one terminal outcome was sent for each. */
  run(bench: ScenarioBench): Promise<readonly (readonly [action: string, status: string])[]>;
}

const NEXT = "0.2.0";

const assign = async (bench: ScenarioBench, firmware: PackageId, how?: Assignment): Promise<string> => {
  const action = await bench.operator.assign(bench.controllerId, firmware, how);
  if (action === undefined) throw new Error("the set was assigned already");
  return action;
};

const offer = async (bench: ScenarioBench, version = NEXT, bad = false): Promise<string> =>
  assign(bench, await bench.upload(version, bad));

const cutWhile = (phase: string, state: string): Scenario => ({
  title: `power cut in the phase ${phase}`,
  async run(bench) {
    const action = await offer(bench);
    await bench.untilState(state);
    await bench.powerCut();
    await bench.untilStatus(action, "finished");
    await bench.untilVersion(NEXT);
    return [[action, "finished"]];
  },
});

export const SCENARIOS: readonly Scenario[] = [
  {
    title: "clean",
    async run(bench) {
      const action = await offer(bench);
      await bench.untilStatus(action, "finished");
      await bench.untilVersion(NEXT);
      return [[action, "finished"]];
    },
  },
  cutWhile("download", "downloading"),
  cutWhile("sealing", "verifying"),
  cutWhile("before the switch", "burning"),
  cutWhile("trial", "trial"),
  cutWhile("report", "reporting"),
  {
    title: "bad firmware is rolled back, and refused at once when it is assigned again",
    async run(bench) {
      const firmware = await bench.upload(NEXT, true);
      const first = await assign(bench, firmware);
      await bench.untilStatus(first, "error");
      await bench.untilVersion("0.1.0");
      const second = await assign(bench, firmware);
      await bench.untilStatus(second, "error");
      return [
        [first, "error"],
        [second, "error"],
      ];
    },
  },
  {
    title: "cancelled before the switch",
    async run(bench) {
      const action = await offer(bench);
      await bench.untilState("downloading");
      await bench.operator.cancel(bench.controllerId, action);
      await bench.untilStatus(action, "canceled");
      await bench.untilState("idle");
      return [[action, "canceled"]];
    },
  },
  {
    title: "cancelled in the trial: the outcome counts",
    async run(bench) {
      const action = await offer(bench);
      await bench.untilState("trial");
      await bench.operator.cancel(bench.controllerId, action);
      await bench.untilStatus(action, "finished");
      await bench.untilVersion(NEXT);
      return [[action, "finished"]];
    },
  },
  {
    title: "superseded in mid-download",
    async run(bench) {
      const first = await offer(bench);
      await bench.untilState("downloading");
      const second = await offer(bench, "0.3.0");
      await bench.untilStatus(first, "canceled");
      await bench.untilStatus(second, "finished");
      await bench.untilVersion("0.3.0");
      return [
        [first, "canceled"],
        [second, "finished"],
      ];
    },
  },
  {
    title: "withdrawn in mid-download: the set is invalidated",
    async run(bench) {
      const firmware = await bench.upload(NEXT);
      const action = await assign(bench, firmware);
      await bench.untilState("downloading");
      await bench.operator.withdraw(firmware);
      await bench.untilStatus(action, "canceled");
      return [[action, "canceled"]];
    },
  },
  {
    title: "cancelled, and assigned again: the download goes on",
    async run(bench) {
      const firmware = await bench.upload(NEXT);
      const first = await assign(bench, firmware);
      await bench.untilState("downloading");
      await bench.operator.cancel(bench.controllerId, first);
      await bench.untilStatus(first, "canceled");
      const second = await assign(bench, firmware);
      await bench.untilStatus(second, "finished");
      await bench.untilVersion(NEXT);
      return [
        [first, "canceled"],
        [second, "finished"],
      ];
    },
  },
  {
    title: "download-only: stored and not installed, and installed by the next assignment",
    async run(bench) {
      const first = await assign(bench, await bench.upload(NEXT), { type: "downloadonly" });
      await bench.untilStatus(first, "downloaded");
      await bench.untilVersion("0.1.0");
      // The set counts as assigned, so another one has the same artifact.
      const second = await assign(bench, await bench.upload(NEXT));
      await bench.untilStatus(second, "finished");
      await bench.untilVersion(NEXT);
      return [
        [first, "downloaded"],
        [second, "finished"],
      ];
    },
  },
  {
    title: "force quit in mid-download: the device stops",
    async run(bench) {
      const action = await offer(bench);
      await bench.untilState("downloading");
      await bench.operator.cancel(bench.controllerId, action, true);
      await bench.untilState("idle");
      return [[action, "canceled"]];
    },
  },
];
