/** The rows of the tables of broken devices (breakages-of-*.ts), and helpers for them. */
import type { MakeDevice, Surroundings } from "./simulation/device";
import type { Check } from "./checks/ledger";
import { checkReport, connected } from "./checks/report-checks";
import type { Heard } from "./simulation/cloud-side";
import type { Point } from "./simulation/boot-cycle";
import type { DeviceKind } from "./search/case-line";
import type { Scale } from "./simulation/scenarios";
import type { Push } from "./simulation/push";
import { withStore } from "./broken-device";

/** One broken device, and the check that has to fail for it. */
export interface Breakage {
  readonly check: Check;
  /** What the device does wrong, as the end of "a device that ...". */
  readonly device: string;
  readonly scenario: string;
  readonly scale?: Scale;
  /** Of the right device. Default: the job alone. */
  readonly kind?: DeviceKind;
  /** Makes a new device for each case. */
  make(): MakeDevice;
  /** The point of the power cut, or with `wear` of the lost operation; default: none. */
  where?(point: Point): boolean;
  readonly wear?: boolean;
}

export const SECTOR = 4096;
/** Address of ota_1 and end of NVS in the layout of simulation-state.ts. */
const OTHER_SLOT = 0x30000;
const NVS_END = 0xc000;
/** Version of the firmware that every scenario begins with. */
export const FACTORY = "0.1.0";

/** Acts once in a case, over all its starts. */
export function once(
  act: (surroundings: Surroundings) => void,
  when: (surroundings: Surroundings) => boolean = () => true,
): (surroundings: Surroundings) => void {
  let done = false;
  return (surroundings) => {
    if (done || !when(surroundings)) return;
    done = true;
    act(surroundings);
  };
}

export const firstPush = ({ simulation }: Surroundings): Push => simulation.scenario.pushes[0]!;

/** The old firmware finds no record under these keys. */
export function forgetting(...keys: string[]): MakeDevice {
  return withStore((store, { monitor }) => ({
    getNumber: (key) => (keys.includes(key) && monitor.running.version === FACTORY ? undefined : store.getNumber(key)),
  }));
}

/* ---- reports ---- */

/** Makes a report arrive on a new connection. */
export function report({ simulation, monitor }: Surroundings, heard: Heard): void {
  checkReport(simulation, monitor, connected(monitor), heard);
}

export const failed = (message: string): Heard => ({
  kind: "outcome",
  done: false,
  cause: "rolled-back",
  message,
  version: "0.2.0",
});
export const DONE: Heard = { kind: "outcome", done: true, cause: undefined, message: "", version: "0.2.0" };

/* ---- points for cuts ---- */

export const onTrial = ({ phase }: Point): boolean => phase === "trial";

/** A sector of the other slot is about to be written. */
export const storing =
  (sector: number) =>
  ({ operation }: Point): boolean =>
    operation?.kind === "program" && operation.address === OTHER_SLOT + sector * SECTOR;

/** The program of the job's record in NVS: the only one longer than two entries. */
export const inRecord = ({ operation }: Point): boolean =>
  operation?.kind === "program" && operation.address < NVS_END && operation.length > 64;

/** The program of the first entry of the outcome's record. */
export const outcomeStored = ({ operation }: Point): boolean =>
  operation?.kind === "program" &&
  operation.address < NVS_END &&
  Buffer.from(operation.data).toString("latin1", 8, 12) === "out\0";
