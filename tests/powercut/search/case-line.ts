/**
 * A case of the search as one line of text: SCENARIO.SCALE.DEVICE.CUTS[.NETWORK]
 *
 *   good.whole.job.37p5-12e700        cut 1 at point 37: a program torn after 5 bytes; cut 2 at point 12 of the next boot cycle: an
 *                                      erase that left the first 700 bytes. The letters are those of faults.ts; a number 0 is left out.
 *   good.small.agent.-.reset2x500      no cut, and a network fault of network-faults.ts
 *   good.small.job-7.12a               a device that sleeps at moments drawn from seed 7, and one cut
 */
import type { Fault, FaultKind } from "../simulation/faults";
import { FAULT_KINDS } from "../simulation/faults";
import type { Scale } from "../simulation/scenarios";
import { SCENARIO_NAMES } from "../simulation/scenarios";

export interface Cut {
  /**
   * Number of the point in the boot cycle after the cut before. A hardware fault does not end the cycle, so the numbers
   * continue.
   */
  readonly at: number;
  readonly fault: Fault;
}

/** With "-SEED": a device that sleeps. "stock": as "job", on a board whose bootloader has no rollback. */
export type DeviceKind = "job" | "agent" | "stock" | `job-${number}` | `agent-${number}`;

const isDevice = (text: string): text is DeviceKind => /^((job|agent)(-[1-9][0-9]{0,6})?|stock)$/.test(text);

export interface Case {
  readonly scenario: string;
  readonly scale: Scale;
  readonly device: DeviceKind;
  readonly cuts: readonly Cut[];
  /** As in the line; "" for a network without faults. */
  readonly network: string;
}

export function lineOf({ scenario, scale, device, cuts, network }: Case): string {
  return [scenario, scale, device, cuts.map(cutText).join("-") || "-", ...(network === "" ? [] : [network])].join(".");
}

/** Throws an Error of one line. */
export function parseCase(line: string): Case {
  const [scenario = "", scale = "", device = "", cuts = "", network = "", ...rest] = line.trim().split(".");
  const wrong = (what: string): never => {
    throw new Error(`case ${JSON.stringify(line)}: ${what}`);
  };
  if (!SCENARIO_NAMES.includes(scenario))
    wrong(`no scenario ${JSON.stringify(scenario)}; there are ${SCENARIO_NAMES.join(", ")}`);
  if (scale !== "whole" && scale !== "small") return wrong(`the scale is "whole" or "small"`);
  if (!isDevice(device))
    return wrong(`the device is "job", "agent" or "stock", the first two with "-SEED" where it sleeps`);
  if (rest.length > 0 || cuts === "")
    wrong("it has the form SCENARIO.SCALE.DEVICE.CUTS or SCENARIO.SCALE.DEVICE.CUTS.NETWORK");
  if (network !== "" && !device.startsWith("agent")) wrong("network faults need the whole agent");
  return {
    scenario,
    scale,
    device,
    network,
    cuts:
      cuts === "-"
        ? []
        : cuts
            .split("-")
            .map(
              (text) =>
                parseCut(text) ??
                wrong(
                  `${JSON.stringify(text)} is no cut: a point, a letter of ${Object.keys(FAULT_KINDS).join("")}, a number`,
                ),
            ),
  };
}

function cutText({ at, fault: { kind, value } }: Cut): string {
  return `${at}${kind}${value === 0 ? "" : value}`;
}

function parseCut(text: string): Cut | undefined {
  const match = /^(\d{1,6})([a-z])(\d{0,10})$/.exec(text);
  const kind = match?.[2];
  if (match === null || kind === undefined || !Object.hasOwn(FAULT_KINDS, kind)) return undefined;
  return { at: Number(match[1]), fault: { kind: kind as FaultKind, value: Number(match[3] ?? 0) } };
}
