/**
 * The search: a scenario is lived once, and at each point the simulation is forked, the fork cut and lived to its end. The lives behind a cut
 * can be cut again. Nothing is lived twice for the sake of its beginning, so that a case costs one recovery.
 */
import type { Case, Cut, DeviceKind } from "./case-line";
import type { MakeDevice } from "../simulation/device";
import { AgentDevice } from "../simulation/agent-device";
import { DeskDevice } from "../simulation/desk-device";
import type { Density, Fault } from "../simulation/faults";
import { cutsOf, isHardware } from "../simulation/faults";
import type { Point, Visit } from "../simulation/boot-cycle";
import { BootCycle, cutAt } from "../simulation/boot-cycle";
import { parseNetworkFault } from "../simulation/network-faults";
import { Random } from "../simulation/random";
import { scenario } from "../simulation/scenarios";
import type { Scale } from "../simulation/scenarios";
import { SimulationState } from "../simulation/simulation-state";

/** What a case came to. */
export interface Result {
  readonly cuts: readonly Cut[];
  /** Where the first of them fell. */
  readonly point: Point | undefined;
  readonly simulation: SimulationState;
}
export type Sink = (result: Result) => void;

export interface Setting {
  readonly scenario: string;
  readonly scale: Scale;
  readonly device: DeviceKind;
  readonly network: string;
}

/** What plays the firmware in a setting. */
export function deviceOf({ device, network }: Pick<Setting, "device" | "network">): MakeDevice {
  if (device === "desk") return (surroundings) => new DeskDevice(surroundings);
  const fault = parseNetworkFault(network);
  return (surroundings) => new AgentDevice(surroundings, fault);
}

/** Lives a case as its line says. The result's simulation is the last one; cuts beyond the end of the scenario do not happen. `deviceFor`: another device than the right one. */
export function replay(
  which: Case,
  visit?: (point: Point) => void,
  deviceFor: (which: Case) => MakeDevice = deviceOf,
): Result & { readonly fired: number } {
  const make = deviceFor(which);
  let simulation = SimulationState.begin(scenario(which.scenario, which.scale));
  let point: Point | undefined;
  let fired = 0;
  for (let over = false; !over;) {
    let next: SimulationState | undefined;
    const cycle = new BootCycle(simulation, make, (here, inside) => {
      visit?.(here);
      const cut = which.cuts[fired];
      if (cut === undefined || cut.at !== here.number) return undefined;
      point ??= here;
      fired++;
      if (isHardware(cut.fault)) return here.operation === undefined ? undefined : cut.fault;
      next = cutAt(inside, here, cut.fault);
      return "stop";
    });
    over = runGuarded(cycle) || next === undefined;
    simulation = next ?? simulation;
  }
  return { cuts: which.cuts.slice(0, fired), point, simulation, fired };
}

/** An exception out of the device or the board is a finding, not the end of the search. */
function runGuarded(cycle: BootCycle): boolean {
  try {
    return cycle.run();
  } catch (error) {
    cycle.simulation.ledger.violate(
      "never wedged",
      `exception: ${(error as Error).stack?.split("\n").slice(0, 3).join(" ") ?? String(error)}`,
    );
    return true;
  }
}

export interface Branching {
  /** Cuts of the n-th cycle; the last entry ends the branching. */
  readonly densities: readonly Density[];
  /** Every n-th point only, of the n-th cycle; default all. */
  readonly strides?: readonly number[];
  /** This part of the points of the first cycle, for workers. */
  readonly part?: { readonly index: number; readonly of: number };
  /** Flash time counts every read; slower. */
  readonly exact?: boolean;
}

/** Every cut at every point, and for each further density every cut of what follows: singles, pairs, and so on. */
export function exhaust(setting: Setting, branching: Branching, sink: Sink): void {
  exhaustFrom(SimulationState.begin(scenario(setting.scenario, setting.scale)), deviceOf(setting), branching, sink);
}

/** The same from any simulation, with any device. */
export function exhaustFrom(
  start: SimulationState,
  make: MakeDevice,
  { densities, strides = [], part, exact = false }: Branching,
  sink: Sink,
): void {
  const branch = (
    simulation: SimulationState,
    depth: number,
    before: readonly Cut[],
    first: Point | undefined,
  ): void => {
    const density = densities[depth];
    const visit: Visit = (point, inside) => {
      if (density === undefined) return;
      if (point.number % (strides[depth] ?? 1) !== 0) return;
      if (depth === 0 && part !== undefined && point.number % part.of !== part.index) return;
      for (const fault of cutsAt(point, density, depth)) {
        const child = cutAt(inside, point, fault);
        branch(child, depth + 1, [...before, { at: point.number, fault }], first ?? point);
      }
    };
    runGuarded(new BootCycle(simulation, make, visit, exact));
    if (depth > 0) sink({ cuts: before, point: first, simulation });
  };
  branch(start, 0, [], undefined);
}

/** The cuts of one point: all of an operation's, before and after a message. */
export function cutsAt(point: Point, density: Density, depth: number): Fault[] {
  if (point.operation !== undefined) return cutsOf(point.operation, density, point.number * 8 + depth);
  return [
    { kind: "b", value: 0 },
    { kind: "a", value: 0 },
  ];
}

/** Places of a sector's operation that samples are taken from. */
const SAMPLED: Density = { positions: 255, subsets: 1, unstable: 1 };
/** How far into the next cycle a sampled cut falls: often into its first moments, where repairs are made. */
const REACHES = [8, 24, 24, 64, 240] as const;

/** `count` sequences of `depth` cuts, from a seed: the first spread over the scenario, each further one somewhere in what follows. */
export function sample(setting: Setting, seed: number, count: number, depth: number, sink: Sink): void {
  const make = deviceOf(setting);
  const random = new Random(seed);
  const length = pointsOf(setting);
  const firsts = Array.from({ length: count }, () => random.below(length)).sort((a, b) => a - b);
  let next = 0;
  const visit: Visit = (point, simulation) => {
    for (; firsts[next] === point.number; next++) {
      const fault = sampled(point, random);
      follow(cutAt(simulation, point, fault), [{ at: point.number, fault }], point);
    }
    return next >= firsts.length ? "stop" : undefined;
  };
  const follow = (simulation: SimulationState, cuts: readonly Cut[], first: Point): void => {
    const at = cuts.length >= depth ? Infinity : random.below(random.pick(REACHES));
    let branched: { readonly simulation: SimulationState; readonly cut: Cut } | undefined;
    runGuarded(
      new BootCycle(simulation, make, (point, inside) => {
        if (point.number !== at) return undefined;
        const fault = sampled(point, random);
        branched = { simulation: cutAt(inside, point, fault), cut: { at, fault } };
        return "stop";
      }),
    );
    if (branched === undefined) sink({ cuts, point: first, simulation });
    else follow(branched.simulation, [...cuts, branched.cut], first);
  };
  runGuarded(new BootCycle(SimulationState.begin(scenario(setting.scenario, setting.scale)), make, visit));
}

function sampled(point: Point, random: Random): Fault {
  const { operation } = point;
  if (operation === undefined) return { kind: random.below(2) === 0 ? "b" : "a", value: 0 };
  const faults = cutsOf(operation, SAMPLED, random.bits());
  // Torn at a byte is most of the list; the other kinds get their share.
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  const kind = random.pick(kinds);
  return random.pick(faults.filter((fault) => fault.kind === kind));
}

/** Points of a scenario without a cut. */
export function pointsOf(setting: Setting): number {
  const cycle = new BootCycle(SimulationState.begin(scenario(setting.scenario, setting.scale)), deviceOf(setting));
  cycle.run();
  return cycle.points;
}

/** Faults of the hardware: each needs a cycle of its own from the beginning, since nothing is lost by it. */
export function wear(setting: Setting, kinds: readonly ("n" | "s")[], seeds: number, stride: number, sink: Sink): void {
  const operations: Point[] = [];
  const scout = new BootCycle(
    SimulationState.begin(scenario(setting.scenario, setting.scale)),
    deviceOf(setting),
    (point) => void (point.operation !== undefined && operations.push(point)),
  );
  scout.run();
  const chosen = operations.filter((_, index) => index % stride === 0);
  for (const { number } of chosen) {
    for (const kind of kinds) {
      for (let seed = 0; seed < (kind === "n" ? 1 : seeds); seed++) {
        const cut: Cut = { at: number, fault: { kind, value: kind === "n" ? 0 : number * 64 + seed } };
        sink(replay({ ...setting, cuts: [cut] }));
      }
    }
  }
}
