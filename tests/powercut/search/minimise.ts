/**
 * Makes a failing case simpler while it breaks the same check: fewer and simpler power cuts, no network fault, the
 * small image, the job alone.
 */
import type { Case, Cut, DeviceKind } from "./case-line";
import { lineOf } from "./case-line";
import type { MakeDevice } from "../simulation/device";
import type { Fault } from "../simulation/faults";
import type { Violation } from "../checks/ledger";
import { deviceOf, replay } from "./search";

/** The first check that a case breaks. */
export function failureOf(which: Case, deviceFor: (which: Case) => MakeDevice = deviceOf): Violation | undefined {
  return replay(which, undefined, deviceFor).simulation.ledger.violations[0];
}

/** `tries`: cases that may be run. `deviceFor`: as for `replay`. Returns the case itself if it does not fail. */
export function minimise(which: Case, tries = 2_000, deviceFor: (which: Case) => MakeDevice = deviceOf): Case {
  const failure = failureOf(which, deviceFor);
  if (failure === undefined) return which;
  let best = which;
  let left = tries;
  const seen = new Set<string>();
  for (let better = true; better && left > 0;) {
    better = false;
    for (const candidate of candidates(best)) {
      const line = lineOf(candidate);
      if (seen.has(line) || left-- <= 0) continue;
      seen.add(line);
      if (failureOf(candidate, deviceFor)?.check !== failure.check) continue;
      best = candidate;
      better = true;
      break;
    }
  }
  return best;
}

/** Simpler cases, the largest simplification first. */
function* candidates(which: Case): Generator<Case> {
  const { cuts } = which;
  for (let skip = 0; skip < cuts.length; skip++) yield { ...which, cuts: cuts.filter((_, index) => index !== skip) };
  if (which.network !== "") yield { ...which, network: "" };
  if (which.network === "" && which.device.startsWith("agent"))
    yield { ...which, device: which.device.replace("agent", "job") as DeviceKind };
  if (which.scale === "whole") yield { ...which, scale: "small" };
  const change = (index: number, cut: Cut): Case => ({
    ...which,
    cuts: cuts.map((each, at) => (at === index ? cut : each)),
  });
  for (const [index, { at, fault }] of cuts.entries()) {
    for (const simpler of simplerFaults(fault)) yield change(index, { at, fault: simpler });
    // An earlier point, by larger steps first.
    for (let step = at; step >= 1; step = Math.floor(step / 2)) yield change(index, { at: at - step, fault });
  }
}

function simplerFaults({ kind, value }: Fault): Fault[] {
  if (kind === "b") return [];
  const plain: Fault[] = [{ kind: "b", value: 0 }];
  if (kind === "a") return plain;
  plain.push({ kind: "a", value: 0 });
  if (kind === "p" || kind === "e" || kind === "f")
    for (const smaller of [1, Math.floor(value / 2), value - 1])
      if (smaller > 0 && smaller < value) plain.push({ kind, value: smaller });
  if (kind === "u" || kind === "w") plain.push({ kind: "r", value });
  return plain;
}
