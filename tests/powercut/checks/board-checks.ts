/** Checks of the board from outside: at each flash operation, at each start, and at the end of the scenario. */
import type { FlashOperation } from "../../../hal/model-chip/flash-chip";
import { SLOT_LABELS } from "../../../hal/model-chip/bootloader";
import type { Device } from "../simulation/device";
import type { Push } from "../simulation/push";
import { checkRecords } from "./hawkbit-checks";
import type { MonitoredStart } from "./monitored-start";
import { KEYS } from "./stored-records";
import { isAsOffered, isAtFault } from "../simulation/simulation-state";
import type { SimulationState } from "../simulation/simulation-state";

/** An operation is legal in NVS, in the boot entries and, for the firmware, in the slot that does not run. */
export function checkOperation(
  { board, ledger, oracle }: SimulationState,
  monitor: MonitoredStart | undefined,
  { kind, address, length }: FlashOperation,
): void {
  const inside = (at: { readonly address: number; readonly size: number }): boolean =>
    address >= at.address && address + length <= at.address + at.size;
  if (inside(board.table.nvs) || inside(board.table.otadata)) return;
  if (monitor !== undefined && inside(oracle.slots.partitions[monitor.target])) return;
  ledger.violate(
    "running slot untouched",
    `${kind} of ${length} bytes at 0x${address.toString(16)}${monitor === undefined ? " before the firmware runs" : ""}`,
  );
}

/** Whatever the boot entries say, a bootable slot holds a file that was offered, or the factory's. */
export function checkSlots(simulation: SimulationState): void {
  const { oracle, ledger, scenario } = simulation;
  for (const index of [0, 1] as const) {
    const stamp = oracle.stamp(index);
    if (ledger.checked[index] === stamp) continue;
    ledger.checked[index] = stamp;
    if (oracle.bootable(index) === undefined) continue;
    const known = scenario.factory !== undefined && oracle.holds(index, scenario.factory, 0, scenario.factory.length);
    const offered = scenario.pushes.some(
      (push) => isAsOffered(push) && oracle.holds(index, push.file, 0, push.file.length),
    );
    ledger.expect(
      "no half-written slot boots",
      known || offered,
      () => `${SLOT_LABELS[index]} would boot and holds nothing that was offered`,
    );
  }
}

/** The end of the scenario: nothing is left to happen. */
export function checkEnd(simulation: SimulationState, monitor: MonitoredStart, device: Device): void {
  const { ledger, cloud, oracle } = simulation;
  checkSlots(simulation);
  for (const complaint of cloud.complaints) ledger.violate("one outcome", complaint);
  ledger.expect("never wedged", device.answers(), () => `the device is ${device.state} and does not answer`);
  if (ledger.worn !== "nowhere") return;
  ledger.expect("never wedged", device.state === "idle", () => `the device ends as ${device.state}`);
  for (const task of cloud.tasks) {
    if (task.open)
      ledger.violate(
        "scenario's end",
        `${cloud.pushOf(task).offer.version} was sent ${task.deliveries} times and has no outcome`,
      );
  }
  ledger.expect("scenario's end", cloud.finished, () => "not every push has had its end");
  checkRecords(simulation, monitor);
  const last = lastGood(simulation);
  const wanted = last?.offer.version ?? "0.1.0";
  ledger.expect(
    "scenario's end",
    monitor.running.version === wanted,
    () => `${monitor.running.version} runs in the end, not ${wanted}`,
  );
  ledger.expect("scenario's end", monitor.confirmed, () => `${monitor.running.version} is unconfirmed in the end`);
  ledger.expect(
    "no half-written slot boots",
    !keepsRefused(simulation, monitor),
    () => `${SLOT_LABELS[monitor.target]} would boot in the end, from an image that was refused`,
  );
  const whole = last === undefined || oracle.holds(monitor.running.index, last.file, 0, last.file.length);
  ledger.expect("scenario's end", whole, () => "the running slot does not hold the whole file");
  // Other records that a power cut has left without their job mean nothing; the next job replaces them.
  for (const key of ledger.cuts > 0
    ? [KEYS.job]
    : [KEYS.job, KEYS.state, KEYS.outcome, KEYS.pendingOffer, KEYS.pendingAnswer]) {
    ledger.expect("one outcome", monitor.record(key) === undefined, () => `record ${key} is left in the end`);
  }
  if (!simulation.scenario.pushes.some((push) => isAtFault(simulation, push)))
    ledger.expect("blame", monitor.record(KEYS.denylist) === undefined, () => "an image is remembered as refused");
}

/** The slot that does not run is bootable, and does not hold a valid image that was offered. */
function keepsRefused({ oracle, scenario }: SimulationState, { target }: MonitoredStart): boolean {
  const image = oracle.bootable(target);
  if (image === undefined || oracle.holds(target, scenario.factory, 0, scenario.factory.length)) return false;
  return !scenario.pushes.some(
    (push) =>
      isAsOffered(push) && image.length <= push.file.length && oracle.holds(target, push.file, 0, push.file.length),
  );
}

/** The push whose image runs at the end. */
function lastGood({ scenario, cloud }: SimulationState): Push | undefined {
  return scenario.pushes.findLast(
    (push) => push.ends === "done" && push.supersededAt === undefined && !cloud.usedUp(push),
  );
}
