/** The pieces of work of each run: the one in `npm test`, the long run, and the search for mutants. */
import type { Density } from "../simulation/faults";
import type { NetworkFault } from "../simulation/network-faults";
import { Random } from "../simulation/random";
import type { DeviceKind } from "./case-line";
import type { Setting } from "./search";
import { hawkbitScenarios } from "../simulation/hawkbit-scenarios";
import { SCENARIO_NAMES } from "../simulation/scenarios";
import { thingsboardScenarios } from "../simulation/thingsboard-scenarios";
import type { Work } from "./work";

/** Every kind of torn write at every operation; programs and erases of a sector are torn at this many places. */
export const SINGLES: Density = { positions: 18, subsets: 3, unstable: 2 };
/** Those of `npm test`: the same kinds, at fewer places. */
const SAMPLED: Density = { positions: 5, small: 7, subsets: 1, unstable: 1 };
/** Before, after, torn in the middle, and torn by bits. */
export const PAIRS: Density = { positions: 1, small: 1, subsets: 1, unstable: 0 };
export const SPARED: Density = { positions: 1, small: 2, subsets: 1, unstable: 0 };
const FEW: Density = { positions: 2, small: 2, subsets: 1, unstable: 1 };

/** Scenarios that `npm test` searches at every place; the others get fewer places. */
export const MAIN = ["good", "throws", "unhealthy", "offline", "mismatch", "supersede", "panel"];
/** Scenarios with containers, and the distance between their cuts in a run that has to be short. */
const STRIDES: { readonly [scenario: string]: number } = { delta: 5, packed: 5, turns: 19, lies: 5 };
const CONTAINERS = Object.keys(STRIDES);
/** Scenarios in which the file may change: the end is then a digest mismatch, which the others do not expect. */
const ANY_FILE = ["good", "supersede", "waits", "panel", "files", "staged"];

/** Network faults: each kind, at places where it interrupts something. */
export const NETWORK: readonly string[] = [
  "reset1x0",
  "reset1x100",
  "reset2x4095",
  "reset3x5000",
  "stall1x0",
  "stall2x4096",
  "stall3x8191",
  "whole1",
  "whole3",
  "changed2",
  "expired1",
  "expired3",
  "busy2",
  "twice1",
  "twice2",
  "lost1",
  "lost2",
  "lost3",
  "lost4",
  "lost5",
  "unacked1",
  "unacked3",
  "unacked4",
  "unacked5",
  "down1",
  "down2",
];

/** One part of a search. */
export interface PlanPhase {
  readonly title: string;
  readonly works: readonly Work[];
}

export const whole = (scenario: string): Setting => ({ scenario, scale: "whole", device: "job", network: "" });
const stock = (scenario: string): Setting => ({ scenario, scale: "small", device: "stock", network: "" });
export const small = (scenario: string): Setting => ({ scenario, scale: "small", device: "job", network: "" });
export const agent = (scenario: string, network = ""): Setting => ({
  scenario,
  scale: "small",
  device: "agent",
  network,
});

export function parts(of: number): { readonly index: number; readonly of: number }[] {
  return Array.from({ length: of }, (_, index) => ({ index, of }));
}

export function networkSettings(kinds: readonly string[], scenarios: readonly string[]): Setting[] {
  return scenarios.flatMap((scenario) =>
    kinds
      .filter((kind) => !kind.startsWith("changed") || ANY_FILE.includes(scenario))
      .map((kind) => agent(scenario, kind)),
  );
}

/** The whole of a setting in one piece. */
export const ALL = { index: 0, of: 1 } as const;

/** Every cut of a setting. */
const every = (setting: Setting, density: Density, strides: readonly number[] = [1]): Work => ({
  kind: "exhaust",
  setting,
  densities: [density],
  strides,
  part: ALL,
});

/** How much of the search: what `npm test` has time for, all places of a cut, or all pairs of cuts as well. */
export type Share = "sample" | "places" | "pairs";

/** The search of `npm test` and of `npm run powercut`: minutes, not hours. */
export function commitPlan(share: Share): PlanPhase[] {
  const isSample = share === "sample";
  const [single, stride, pairs] = isSample ? [SAMPLED, 4, 24] : [SINGLES, 2, 12];
  // What ThingsBoard and hawkBit have of their own is in the agent: their samples are tests of their own.
  const own = { ...thingsboardScenarios, ...hawkbitScenarios };
  const long = isSample ? ["good", "panel"] : MAIN;
  const rest = SCENARIO_NAMES.filter((scenario) => !MAIN.includes(scenario) && !(scenario in own));
  return [
    { title: "every cut, 22 sectors", works: long.flatMap((scenario, index) => everyPoint(scenario, index, single)) },
    {
      title: "every cut, 4 sectors",
      works: MAIN.filter((scenario) => !long.includes(scenario)).map((scenario) => ({
        ...every(small(scenario), single),
        points: true,
      })),
    },
    {
      title: `every ${isSample ? "fourth" : "second"} cut, further scenarios; fewer with containers`,
      works: rest.map((scenario) => every(small(scenario), FEW, [STRIDES[scenario] ?? stride])),
    },
    {
      title: "every cut, whole agent",
      works: ["good", "unhealthy", "panel1", "files"].map((scenario) =>
        every(agent(scenario), FEW, isSample ? [stride] : []),
      ),
    },
    {
      title: "pairs of cuts",
      works: parts(48)
        .filter(({ index }) => share === "pairs" || index % pairs === 0)
        .map((part): Work => ({
          kind: "exhaust",
          setting: small("good"),
          densities: [PAIRS, PAIRS],
          part,
        })),
    },
    {
      title: "three to five cuts",
      works: [3, 4, 5].flatMap((depth) =>
        MAIN.map((scenario): Work => ({
          kind: "sample",
          setting: whole(scenario),
          seed: depth,
          count: isSample ? 30 : 60,
          depth,
        })),
      ),
    },
    {
      title: "bootloader without rollback",
      works: [...stockTrials(20), ...TRIALS.map((scenario) => every(stock(scenario), SPARED, [isSample ? 5 : 2]))],
    },
    {
      title: "cuts and a bad network",
      works: networkSettings(NETWORK, ["good"]).map((setting) =>
        every(setting, { positions: 1, small: 1, subsets: 0, unstable: 0 }, [isSample ? 7 : 3]),
      ),
    },
    {
      title: "containers",
      works: [
        ...CONTAINERS.map((scenario): Work => ({
          kind: "sample",
          setting: whole(scenario),
          seed: 3,
          count: 20,
          depth: 3,
        })),
        ...networkSettings(NETWORK, ["delta"]).map((setting) =>
          every(setting, { positions: 1, small: 1, subsets: 0, unstable: 0 }, [37]),
        ),
      ],
    },
    ...sleepPlan(1, 12),
    {
      title: "worn chip",
      works: ["good", "unhealthy", "offline", "panel"].map((scenario): Work => ({
        kind: "wear",
        setting: small(scenario),
        seeds: isSample ? 1 : 2,
        stride: isSample ? 2 : 1,
      })),
    },
  ];
}

/**
 * Power cuts in devices that sleep. `seeds`: for each scenario, different moments at which they sleep; `count`:
 * sequences of one to three cuts for each, and a quarter of that for the whole agent.
 */
export function sleepPlan(seeds: number, count: number): PlanPhase[] {
  const works = Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) =>
    SCENARIO_NAMES.flatMap((scenario, at) => {
      const depth = 1 + ((seed + at) % 3);
      const piece = (device: DeviceKind, cases: number): Work => ({
        kind: "sample",
        setting: { ...small(scenario), device },
        seed: seed * 100 + at,
        count: cases,
        depth,
      });
      return [piece(`job-${seed}`, count), piece(`agent-${seed}`, Math.ceil(count / 4))];
    }),
  );
  return [{ title: "sleep and cuts", works }];
}

/** The long search with containers. Of the pairs each third of both cuts, or with `pairs` all. */
export function containerPlan(pairs: boolean): PlanPhase[] {
  const stride = pairs ? 1 : 3;
  return [
    { title: "every cut, 18 sectors", works: CONTAINERS.map((scenario) => every(whole(scenario), SINGLES)) },
    { title: "every cut, whole agent", works: CONTAINERS.map((scenario) => every(agent(scenario), FEW)) },
    {
      title: "pairs of cuts",
      works: parts(12).map((part): Work => ({
        kind: "exhaust",
        setting: small("delta"),
        densities: [PAIRS, PAIRS],
        strides: [stride, stride],
        part,
      })),
    },
    {
      title: "three to five cuts",
      works: [3, 4, 5].flatMap((depth) =>
        CONTAINERS.map((scenario): Work => ({
          kind: "sample",
          setting: whole(scenario),
          seed: depth,
          count: 400,
          depth,
        })),
      ),
    },
    {
      title: "cuts and a bad network",
      works: networkSettings(NETWORK, CONTAINERS).map((setting) =>
        every(setting, { positions: 1, small: 1, subsets: 0, unstable: 0 }, [3]),
      ),
    },
  ];
}

/** What new firmware may do on its trial. */
const TRIALS = ["good", "throws", "hangs", "offline", "unhealthy", "sleeps"];

/** Trials under a bootloader without rollback: so many of each, each with a power cut somewhere. */
const stockTrials = (count: number): Work[] =>
  TRIALS.map((scenario, seed): Work => ({ kind: "sample", setting: stock(scenario), seed, count, depth: 1 }));

/** The long search under a bootloader without rollback. */
export function stockPlan(): PlanPhase[] {
  return [
    { title: "a thousand trials each", works: stockTrials(1_000) },
    { title: "every cut", works: SCENARIO_NAMES.map((scenario) => every(stock(scenario), SINGLES)) },
    {
      title: "pairs of cuts",
      works: TRIALS.map((scenario) => ({
        ...every(stock(scenario), PAIRS),
        densities: [PAIRS, PAIRS],
        strides: [2, 2],
      })),
    },
    {
      title: "three to five cuts",
      works: [3, 4, 5].flatMap((depth) =>
        SCENARIO_NAMES.map((scenario): Work => ({
          kind: "sample",
          setting: stock(scenario),
          seed: depth,
          count: 200,
          depth,
        })),
      ),
    },
  ];
}

/** Every power cut of a scenario in three pieces. The torn places inside an operation differ between scenarios. */
function everyPoint(scenario: string, index: number, density: Density): Work[] {
  return parts(3).map((part) => ({
    kind: "exhaust",
    setting: whole(scenario),
    densities: [{ ...density, shift: index / MAIN.length }],
    part,
    points: true,
  }));
}

/** Sequences in one piece of the long run, and power cuts in the longest sequence. */
const PIECE = 250;
const DEPTH_MAX = 8;

/**
 * The n-th piece of the long run of a seed: any scenario, scale and device, one to eight power cuts, sometimes a
 * network fault. The pieces do not depend on each other, so that a run can be stopped and continued.
 */
export function longPiece(seed: number, number: number): Work {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const scenario = random.pick(SCENARIO_NAMES);
  const scale = random.below(3) === 0 ? "small" : "whole";
  const device = random.below(4) === 0 ? "agent" : "job";
  const faults = NETWORK.filter((kind) => !kind.startsWith("changed") || ANY_FILE.includes(scenario));
  const network = device === "agent" && random.below(2) === 0 ? moved(random.pick(faults), random) : "";
  return {
    kind: "sample",
    setting: { scenario, scale, device, network },
    seed: random.bits(),
    count: PIECE,
    depth: 1 + random.below(DEPTH_MAX),
  };
}

/** The same kind of network fault at another place. */
function moved(fault: string, random: Random): string {
  const kind = /^[a-z]+/.exec(fault)![0] as NetworkFault["kind"];
  const n = 1 + random.below(8);
  return kind === "reset" || kind === "stall" ? `${kind}${n}x${random.below(8_192)}` : `${kind}${n}`;
}
