/** The counts of a search. Plain data that can be added up, sent by workers and stored by a long run. */
import { createHash } from "node:crypto";
import type { FlashOperation } from "../../../hal/model-chip/flash-chip";
import type { Case, Cut } from "../search/case-line";
import { lineOf } from "../search/case-line";
import { FAULT_KINDS } from "../simulation/faults";
import type { Fault, FaultKind } from "../simulation/faults";
import type { Limit } from "./ledger";
import type { Result, Setting } from "../search/search";

export interface Finding {
  readonly line: string;
  readonly check: string;
  readonly message: string;
}

export interface Worst {
  readonly value: number;
  readonly line: string;
}

export interface Tally {
  /** Cases, and the power cuts in them. */
  cases: number;
  cuts: number;
  /** All power cuts of all cases, by letter of the fault. */
  readonly kinds: { [kind in FaultKind]?: number };
  /** Cases by the phase of their first power cut. */
  readonly phases: { [phase: string]: number };
  /** Hashes of single power cuts that differ in operation, fault or place; filled only where a work asks for them. */
  readonly points: number[];
  /** Cases with a network fault that took place. */
  networkFaults: number;
  violations: number;
  readonly findings: Finding[];
  /** Cases with a power cut beyond what ESP-IDF protects, and those of them in which a check failed. */
  readonly beyond: { [limit in Limit]?: number };
  readonly excused: { [limit in Limit]?: number };
  readonly excuses: Finding[];
  /** Most bytes served again at one power cut. */
  again: Worst;
  /** Most sector erases of an image beyond those of its sectors, of each power cut, and repairs. */
  erases: Worst | undefined;
}

const FINDINGS_MAX = 10;

export function emptyTally(): Tally {
  const none: Worst = { value: 0, line: "" };
  return {
    cases: 0,
    cuts: 0,
    kinds: {},
    phases: {},
    points: [],
    networkFaults: 0,
    violations: 0,
    findings: [],
    beyond: {},
    excused: {},
    excuses: [],
    again: none,
    erases: undefined,
  };
}

/** Hash of an operation and the fault that hits it. Operations with the same address and content are the same. */
export function pointOf(operation: FlashOperation, fault: Fault): number {
  const hash = createHash("md5").update(
    `${operation.kind} ${operation.address} ${operation.length} ${fault.kind} ${fault.value} `,
  );
  if (operation.kind === "program") hash.update(operation.data);
  return hash.digest().readUIntBE(0, 6);
}

/** Adds a case. */
export function count(tally: Tally, setting: Setting, { cuts, point, simulation }: Result): void {
  const { ledger } = simulation;
  tally.cases++;
  tally.cuts += ledger.cuts;
  for (const { fault } of cuts) tally.kinds[fault.kind] = (tally.kinds[fault.kind] ?? 0) + 1;
  if (point !== undefined) tally.phases[point.phase] = (tally.phases[point.phase] ?? 0) + 1;
  if (ledger.networkFaults > 0) tally.networkFaults++;
  const line = (): string => lineOf(caseOf(setting, cuts));
  const [violation] = ledger.violations;
  if (violation !== undefined) {
    tally.violations++;
    if (tally.findings.length < FINDINGS_MAX) tally.findings.push({ line: line(), ...violation });
  }
  if (ledger.limit !== undefined) {
    tally.beyond[ledger.limit] = (tally.beyond[ledger.limit] ?? 0) + 1;
    const [excuse] = ledger.excused;
    if (excuse !== undefined) {
      tally.excused[ledger.limit] = (tally.excused[ledger.limit] ?? 0) + 1;
      if (tally.excuses.length < FINDINGS_MAX) tally.excuses.push({ line: line(), ...excuse });
    }
    return;
  }
  if (ledger.worn !== "nowhere" || ledger.networkFaults > 0) return;
  for (const { mostAgain, erases, repairs, sectors, allowed, heads, cuts: atCuts } of ledger.fetching.values()) {
    if (mostAgain > tally.again.value) tally.again = { value: mostAgain, line: line() };
    const all = erases.reduce((sum, each) => sum + (each ?? 0), 0);
    const extra = all - allowed.all - allowed.cut * atCuts - repairs - heads;
    if (sectors > 0 && extra > (tally.erases?.value ?? -Infinity)) tally.erases = { value: extra, line: line() };
  }
}

export function caseOf(setting: Setting, cuts: readonly Cut[]): Case {
  return { scenario: setting.scenario, scale: setting.scale, device: setting.device, network: setting.network, cuts };
}

/** Adds `other` to `tally`. */
export function add(tally: Tally, other: Tally): void {
  tally.cases += other.cases;
  tally.cuts += other.cuts;
  tally.networkFaults += other.networkFaults;
  tally.violations += other.violations;
  for (const point of other.points) tally.points.push(point);
  addUp(tally.kinds, other.kinds);
  addUp(tally.phases, other.phases);
  addUp(tally.beyond, other.beyond);
  addUp(tally.excused, other.excused);
  tally.findings.push(...other.findings.slice(0, FINDINGS_MAX - tally.findings.length));
  tally.excuses.push(...other.excuses.slice(0, FINDINGS_MAX - tally.excuses.length));
  if (other.again.value > tally.again.value) tally.again = other.again;
  if (other.erases !== undefined && other.erases.value > (tally.erases?.value ?? -Infinity))
    tally.erases = other.erases;
}

function addUp(into: { [key: string]: number }, from: { readonly [key: string]: number }): void {
  for (const [key, value] of Object.entries(from)) into[key] = (into[key] ?? 0) + value;
}

/** The counts as lines of text. */
export function lines(tally: Tally): string[] {
  const kinds = (Object.keys(FAULT_KINDS) as FaultKind[]).filter((kind) => tally.kinds[kind] !== undefined);
  const beyond = Object.entries(tally.beyond).map(
    ([limit, cases]) => `${limit} ${cases} (${tally.excused[limit as Limit] ?? 0} with a consequence)`,
  );
  return [
    `cases ${tally.cases}, power cuts ${tally.cuts}, violations ${tally.violations}`,
    ...kinds.map((kind) => `  ${String(tally.kinds[kind]).padStart(9)}  ${FAULT_KINDS[kind]}`),
    ...(tally.points.length > 0
      ? [`distinct points (operation, kind of fault, place): ${new Set(tally.points).size}`]
      : []),
    `by phase: ${Object.entries(tally.phases)
      .map(([phase, cases]) => `${phase} ${cases}`)
      .join(", ")}`,
    ...(tally.networkFaults > 0 ? [`with a network fault: ${tally.networkFaults}`] : []),
    `worst case of one cut: ${tally.again.value} bytes fetched again${tally.again.line === "" ? "" : ` (${tally.again.line})`}`,
    `sector erases of an image beyond sectors + cuts + repairs: ${tally.erases?.value ?? "none counted"}`,
    ...(beyond.length > 0 ? [`beyond what ESP-IDF protects: ${beyond.join(", ")}`] : []),
    ...tally.excuses.map(({ line, check, message }) => `  excused  ${line}  ${check}: ${message}`),
    ...tally.findings.map(
      ({ line, check, message }) => `  VIOLATION  ${check}: ${message}\n    npm run powercut -- --replay ${line}`,
    ),
  ];
}
