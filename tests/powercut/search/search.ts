/**
 * The search: a scenario runs once, and at each point the simulation is forked. The power of the fork is cut, and the
 * fork runs to its end; it may be cut again on the way. Nothing runs twice for its beginning, so a case costs one
 * recovery.
 */
import type { Case, Cut, DeviceKind } from "./case-line";
import { OWN_BOOTLOADER, STOCK_BOOTLOADER } from "../../../hal/model-chip/bootloader";
import type { MakeDevice } from "../simulation/device";
import { AgentDevice } from "../simulation/agent-device";
import { JobDevice } from "../simulation/job-device";
import type { Density, Fault } from "../simulation/faults";
import { cutsOf, isHardware } from "../simulation/faults";
import type { Point, Visit } from "../simulation/boot-cycle";
import { BootCycle, cutAt } from "../simulation/boot-cycle";
import { parseNetworkFault } from "../simulation/network-faults";
import { Random } from "../simulation/random";
import { scenario } from "../simulation/scenarios";
import type { Scale } from "../simulation/scenarios";
import { SimulationState } from "../simulation/simulation-state";

/** The result of a case. */
export interface Result {
  readonly cuts: readonly Cut[];
  /** The point of the first power cut. */
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

/** The beginning of a setting's scenario, on its kind of board. */
const begin = ({ scenario: name, scale, device }: Pick<Setting, "scenario" | "scale" | "device">): SimulationState =>
  SimulationState.begin(scenario(name, scale), device === "stock" ? STOCK_BOOTLOADER : OWN_BOOTLOADER);

/** The device under test of a setting. */
export function deviceOf({ device, network }: Pick<Setting, "device" | "network">): MakeDevice {
  const [kind, seed = "0"] = device.split("-");
  const sleeps = Number(seed);
  if (kind !== "agent") return (surroundings) => new JobDevice(surroundings, undefined, sleeps);
  const fault = parseNetworkFault(network);
  return (surroundings) => new AgentDevice(surroundings, fault, undefined, sleeps);
}

/**
 * Runs a case as its line says. The result has the last simulation; cuts beyond the end of the scenario do not happen,
 * see `fired`. `deviceFor`: another device than the right one.
 */
export function replay(
  which: Case,
  visit?: (point: Point) => void,
  deviceFor: (which: Case) => MakeDevice = deviceOf,
): Result & { readonly fired: number } {
  const make = deviceFor(which);
  let simulation = begin(which);
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

/** Runs a boot cycle. An exception from the device or the board is a violation, not the end of the search. */
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
  /** The n-th entry: the cuts in the n-th boot cycle. After the last entry there are no further cuts. */
  readonly densities: readonly Density[];
  /** The n-th entry: the distance between points that are cut in the n-th boot cycle; default 1. */
  readonly strides?: readonly number[];
  /** Only this part of the points of the first boot cycle, so that workers can share a setting. */
  readonly part?: { readonly index: number; readonly of: number };
  /** Flash time counts every read; slower. */
  readonly exact?: boolean;
}

/**
 * Every cut at every point; for each further density, every cut in the boot cycle after it: singles, pairs, and so on.
 */
export function exhaust(setting: Setting, branching: Branching, sink: Sink): void {
  exhaustFrom(begin(setting), deviceOf(setting), branching, sink);
}

/** The same, from any simulation state and with any device. */
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

/** The cuts of one point: those of its flash operation, or before and after its message. */
export function cutsAt(point: Point, density: Density, depth: number): Fault[] {
  if (point.operation !== undefined) return cutsOf(point.operation, density, point.number * 8 + depth);
  return [
    { kind: "b", value: 0 },
    { kind: "a", value: 0 },
  ];
}

/** Places from which a sampled cut is chosen. */
const SAMPLED: Density = { positions: 255, subsets: 1, unstable: 1 };
/**
 * Upper bounds for the point of a sampled cut in the next boot cycle. Small ones are frequent, because repairs happen
 * right after the start.
 */
const REACHES = [8, 24, 24, 64, 240] as const;

/**
 * `count` sequences of `depth` cuts from a seed: the first cut anywhere in the scenario, each further one in the boot
 * cycle after it.
 */
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
  runGuarded(new BootCycle(begin(setting), make, visit));
}

function sampled(point: Point, random: Random): Fault {
  const { operation } = point;
  if (operation === undefined) return { kind: random.below(2) === 0 ? "b" : "a", value: 0 };
  const faults = cutsOf(operation, SAMPLED, random.bits());
  // Most faults of the list are writes torn at a byte: the kind is chosen first, so that each gets its share.
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  const kind = random.pick(kinds);
  return random.pick(faults.filter((fault) => fault.kind === kind));
}

/** Points of a scenario without a cut. */
export function pointsOf(setting: Setting): number {
  const cycle = new BootCycle(begin(setting), deviceOf(setting));
  cycle.run();
  return cycle.points;
}

/**
 * Hardware faults: each runs the scenario from its beginning, since a fault that does not end the boot cycle can not be
 * forked.
 */
export function wear(setting: Setting, kinds: readonly ("n" | "s")[], seeds: number, stride: number, sink: Sink): void {
  const operations: Point[] = [];
  const scout = new BootCycle(
    begin(setting),
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
