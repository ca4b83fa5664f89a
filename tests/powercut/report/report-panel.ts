/** The data of one panel of the report: every case of a scenario's search as a dot, its phases and its worst cases. */
import { AGAIN_MAX } from "../checks/download-checks";
import type { Cut } from "../search/case-line";
import { lineOf } from "../search/case-line";
import type { Density, FaultKind } from "../simulation/faults";
import type { Limit } from "../checks/ledger";
import { BootCycle } from "../simulation/boot-cycle";
import { deviceOf, exhaust } from "../search/search";
import type { Result, Setting } from "../search/search";
import { scenario } from "../simulation/scenarios";
import { caseOf } from "../checks/tally";
import { SimulationState } from "../simulation/simulation-state";

/** One power cut and its cost. */
export interface Dot {
  /** Point of the scenario, and the place among the cuts of that point, from 0 to 1. */
  readonly at: number;
  readonly within: number;
  readonly kind: FaultKind;
  readonly phase: string;
  /** Bytes that the file server served again because of it. */
  readonly again: number;
  /** Modelled flash time from the next power-on to the first message to the cloud, ms; undefined: there was none. */
  readonly back: number | undefined;
  /** The case line. */
  readonly line: string;
  /** The check that failed, with its message. */
  readonly violation?: string;
  /** Set where the cut went beyond what ESP-IDF protects: bounds do not apply. */
  readonly limit?: Limit;
}

/** Points `from` to `to` - 1 of the scenario, which are in one phase. */
export interface Band {
  readonly phase: string;
  readonly from: number;
  readonly to: number;
}

export interface Panel {
  readonly title: string;
  readonly about: string;
  readonly points: number;
  readonly bands: readonly Band[];
  readonly dots: readonly Dot[];
  /** The bound for bytes fetched again after one cut, and the worst cases among the cuts to which bounds apply. */
  readonly bound: number;
  readonly worstAgain: Dot | undefined;
  readonly worstBack: Dot | undefined;
}

/** Dots between two progress reports. */
const EVERY = 50;

/** Runs every single cut of a scenario. Reads count as flash time, those of the bootloader included. */
export function searchPanel(setting: Setting, density: Density, onProgress: (done: number) => void): Panel {
  const bands: Band[] = [];
  const cycle = new BootCycle(
    SimulationState.begin(scenario(setting.scenario, setting.scale)),
    deviceOf(setting),
    ({ number, phase }) => {
      const last = bands.at(-1);
      if (last?.phase === phase) bands[bands.length - 1] = { ...last, to: number + 1 };
      else bands.push({ phase, from: number, to: number + 1 });
    },
  );
  cycle.run();
  const found: Dot[] = [];
  exhaust(setting, { densities: [density], exact: true }, (result) => {
    found.push(dotOf(setting, result));
    if (found.length % EVERY === 0) onProgress(found.length);
  });
  return panelOf(setting, cycle.points, bands, spread(found));
}

function panelOf(
  { scenario: name, scale, device }: Setting,
  points: number,
  bands: readonly Band[],
  dots: readonly Dot[],
): Panel {
  const promised = dots.filter(({ limit }) => limit === undefined);
  const about = `${scenario(name, scale).about}; ${device === "agent" ? "the whole agent over an in-memory network" : "the update job without its network"}`;
  return {
    title: name,
    about,
    points,
    bands,
    dots,
    bound: AGAIN_MAX,
    worstAgain: most(promised, ({ again }) => again),
    worstBack: most(promised, ({ back }) => back ?? 0),
  };
}

function dotOf(setting: Setting, { cuts, point, simulation: { ledger } }: Result): Dot {
  const [cut] = cuts as readonly [Cut];
  const [violation] = ledger.violations;
  return {
    at: cut.at,
    within: 0,
    kind: cut.fault.kind,
    phase: point?.phase ?? "bootloader",
    again: Math.max(0, ...[...ledger.fetching.values()].map(({ mostAgain }) => mostAgain)),
    back: ledger.backAfter,
    line: lineOf(caseOf(setting, cuts)),
    ...(violation === undefined ? {} : { violation: `${violation.check}: ${violation.message}` }),
    ...(ledger.limit === undefined ? {} : { limit: ledger.limit }),
  };
}

/** Places the cuts of one point side by side, in the order in which they were tried. */
function spread(dots: readonly Dot[]): Dot[] {
  const counts = new Map<number, number>();
  for (const { at } of dots) counts.set(at, (counts.get(at) ?? 0) + 1);
  const seen = new Map<number, number>();
  return dots.map((dot) => {
    const index = seen.get(dot.at) ?? 0;
    seen.set(dot.at, index + 1);
    return { ...dot, within: (index + 0.5) / counts.get(dot.at)! };
  });
}

/** The first dot with the highest value. */
function most(dots: readonly Dot[], value: (dot: Dot) => number): Dot | undefined {
  return dots.reduce<Dot | undefined>(
    (best, dot) => (best === undefined || value(dot) > value(best) ? dot : best),
    undefined,
  );
}
