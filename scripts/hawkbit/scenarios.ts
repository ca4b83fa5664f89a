/**
 * Updates from the first offer to the server's last record, the same for a device on the double of hawkBit and on a real
 * server: what an operator and the power do, and what has to be in the records then.
 */
import type { ActionRecord, Assignment, HawkbitOperator, PackageId } from "../../host-sim/operators/hawkbit/operator";

/** What an image does on its trial: throws or hangs at its start, or never reaches the server. */
export type Fault = "throw" | "hang" | "offline";

/** Kinds of request that a device makes. */
export const REQUESTS = {
  poll: /\/controller\/v1\/[^/]+$/,
  document: /\/deploymentBase\/\d+(\?|$)/,
  file: /\/artifacts\//,
  report: /\/feedback$/,
} as const;
export type Request = keyof typeof REQUESTS;

/** One device with its server, fresh for each scenario, on version 0.1.0. */
export interface ScenarioBench {
  readonly operator: HawkbitOperator;
  readonly controllerId: string;
  /** Uploads an image of this version; one with a fault fails its trial. */
  upload(version: string, fault?: Fault): Promise<PackageId>;
  /** Until the device is in this state of its job. */
  untilState(state: string): Promise<void>;
  /** Until the server's record of the action has this status. */
  untilStatus(action: string, status: string): Promise<ActionRecord>;
  /** Off and on again. */
  powerCut(): Promise<void>;
  /** Off, until something is expected of the device. */
  powerOff(): Promise<void>;
  /** Lets so much time pass, ms. */
  wait(milliseconds: number): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** The next requests of this kind are refused; a file with 404 in the server's own way, as JSON in chunked form. */
  refuse(kind: Request, status: number, times: number): void;
  /** Connections break, and for some seconds nobody listens. */
  restartServer(): Promise<void>;
  /** Somebody at the device answers the server's question whether the action may begin. */
  consent(action: string, answer: "confirmed" | "denied"): Promise<void>;
  /** What the device did so far, in words. */
  deeds(): string;
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

const offer = async (bench: ScenarioBench, version = NEXT, fault?: Fault): Promise<string> =>
  assign(bench, await bench.upload(version, fault));

/** The action ends with success, and the device says what it runs. */
const succeeds = async (bench: ScenarioBench, action: string): Promise<readonly [string, string][]> => {
  await bench.untilStatus(action, "finished");
  await bench.untilVersion(NEXT);
  return [[action, "finished"]];
};

const cutWhile = (phase: string, state: string): Scenario => ({
  title: `power cut in the phase ${phase}`,
  async run(bench) {
    const action = await offer(bench);
    await bench.untilState(state);
    await bench.powerCut();
    return succeeds(bench, action);
  },
});

const bad = (fault: Fault): Scenario => ({
  title: `firmware with the fault ${fault} is rolled back, and refused at once when it is assigned again`,
  async run(bench) {
    const firmware = await bench.upload(NEXT, fault);
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
});

const refusedWith = (status: number): Scenario => ({
  title: `${status} to each kind of request, twice`,
  async run(bench) {
    for (const kind of Object.keys(REQUESTS) as Request[]) bench.refuse(kind, status, 2);
    return succeeds(bench, await offer(bench));
  },
});

/** Milliseconds until a maintenance window opens, and that it stays open: a few seconds of each are lost on a real server. */
const OPENS = 8_000;
const OPEN = 30_000;

export const SCENARIOS: readonly Scenario[] = [
  {
    title: "clean",
    run: async (bench) => succeeds(bench, await offer(bench)),
  },
  cutWhile("download", "downloading"),
  cutWhile("sealing", "verifying"),
  cutWhile("before the switch", "burning"),
  cutWhile("trial", "trial"),
  cutWhile("report", "reporting"),
  bad("throw"),
  bad("hang"),
  {
    title: "firmware that never reaches the server is rolled back",
    async run(bench) {
      const action = await offer(bench, NEXT, "offline");
      await bench.untilStatus(action, "error");
      await bench.untilVersion("0.1.0");
      return [[action, "error"]];
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
      return succeeds(bench, action);
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
  {
    title: "expired in mid-download: the maintenance window lapses while the device is off",
    async run(bench) {
      const window = { opensAt: Math.ceil((bench.now() + OPENS) / 1_000) * 1_000, seconds: OPEN / 1_000 };
      const action = await assign(bench, await bench.upload(NEXT), { window });
      await bench.wait(OPENS + 2_000);
      await bench.untilState("downloading");
      await bench.powerOff();
      await bench.wait(OPEN);
      await bench.untilStatus(action, "canceled");
      return [[action, "canceled"]];
    },
  },
  {
    title: "a maintenance window that lapsed before the device was there",
    async run(bench) {
      await bench.powerOff();
      const window = { opensAt: Math.ceil((bench.now() + OPENS) / 1_000) * 1_000, seconds: 1 };
      const action = await assign(bench, await bench.upload(NEXT), { window });
      await bench.wait(OPENS + 4_000);
      await bench.untilStatus(action, "canceled");
      return [[action, "canceled"]];
    },
  },
  {
    title: "a maintenance window that opens later: the device waits for it",
    async run(bench) {
      const window = { opensAt: Math.ceil((bench.now() + 90_000) / 1_000) * 1_000, seconds: 1_800 };
      const action = await assign(bench, await bench.upload(NEXT), { window });
      await bench.untilStatus(action, "retrieved");
      return succeeds(bench, action);
    },
  },
  {
    title: "consent that is refused leaves the action waiting, and the device does nothing; given later, it begins",
    async run(bench) {
      const { operator } = bench;
      await operator.prepare({ confirmation: true });
      try {
        const action = await offer(bench);
        await bench.untilStatus(action, "wait_for_confirmation");
        await bench.consent(action, "denied");
        await bench.wait(5_000);
        await bench.untilStatus(action, "wait_for_confirmation");
        await bench.consent(action, "confirmed");
        return await succeeds(bench, action);
      } finally {
        await operator.prepare({ confirmation: false });
      }
    },
  },
  {
    title: "consent that is refused, and the action is cancelled",
    async run(bench) {
      const { operator } = bench;
      await operator.prepare({ confirmation: true });
      try {
        const action = await offer(bench);
        await bench.consent(action, "denied");
        await operator.cancel(bench.controllerId, action);
        await bench.untilStatus(action, "canceled");
        return [[action, "canceled"]];
      } finally {
        await operator.prepare({ confirmation: false });
      }
    },
  },
  {
    title: "the server restarts in mid-download",
    async run(bench) {
      const action = await offer(bench);
      await bench.untilState("downloading");
      await bench.restartServer();
      return succeeds(bench, action);
    },
  },
  ...[401, 404, 429, 500].map(refusedWith),
  {
    title: "a JSON error in chunked form in mid-download",
    async run(bench) {
      const action = await offer(bench);
      await bench.untilState("downloading");
      bench.refuse("file", 404, 1);
      return succeeds(bench, action);
    },
  },
];
