/** Checks of what a device tells hawkBit, against the server's own records. */
import type { HttpRequest } from "../../doubles/http/message";
import type { End, HawkbitSide } from "../simulation/hawkbit-side";
import { HAWKBIT_DEVICE } from "../simulation/hawkbit-side";
import type { SimulationState } from "../simulation/simulation-state";
import type { MonitoredStart } from "./monitored-start";

/** Entries of one action, the server's own among them, that a bad network and many cuts stay below; its quota is 1,000. */
const ENTRIES_MAX = 250;

/** A request that the server would take, and that does harm: a closed action is brought back, or the target stays pending. */
export function checkRequest(
  { ledger }: SimulationState,
  side: HawkbitSide,
  { method, target, body }: HttpRequest,
): void {
  const text = Buffer.from(body).toString();
  const id = /\/deploymentBase\/(\d+)(?:\?|$)/.exec(target)?.[1];
  const action = method === "GET" && id !== undefined ? side.double.repository.actions.get(BigInt(id)) : undefined;
  ledger.expect("closed for good", action === undefined || action.active, () => `GET of the closed action ${id}`);
  ledger.expect(
    "closed for good",
    !/"timestamp"|"closed","result":\{"finished":"none"/.test(text),
    () => `a report that the server understands otherwise: ${text}`,
  );
}

/** The device says how an action has ended, again perhaps: always in the same way. */
export function checkEnding({ ledger }: SimulationState, side: HawkbitSide, id: string, end: End): void {
  const before = side.ends.get(id) ?? end;
  ledger.expect("one end an action", before === end, () => `the action ${id} ends with ${before}, then with ${end}`);
  side.ends.set(id, before);
}

/** The device agrees to a cancellation: nothing of the image is, or will be, installed. */
export function checkCancelled({ ledger, oracle }: SimulationState, start: MonitoredStart, version: string): void {
  const chosen = oracle.entryOf(start.target)?.decides === true && oracle.bootable(start.target)?.version === version;
  ledger.expect(
    "cancel kept",
    start.running.version !== version && !chosen,
    () => `${version} is cancelled, and ${chosen ? "starts next" : "runs"}`,
  );
}

/** At a start: what was cancelled does not run, unless it was assigned anew. */
export function checkNotCancelled({ ledger, cloud, hawkbit }: SimulationState, running: string): void {
  const last = cloud.tasks.findLastIndex((task) => cloud.pushOf(task).offer.version === running);
  const id = hawkbit?.actions[last];
  ledger.expect(
    "cancel kept",
    id === undefined || hawkbit?.ends.get(id) !== "canceled",
    () => `${running} runs, whose action ${id} was cancelled`,
  );
}

/** In the end: each action is closed, and the records name what runs. */
export function checkRecords({ ledger, hawkbit, cloud }: SimulationState, { running }: MonitoredStart): void {
  if (hawkbit === undefined || hawkbit.actions.length === 0) return;
  const target = hawkbit.double.repository.target(HAWKBIT_DEVICE.controllerId);
  const wrong = (message: string): void => ledger.violate("server's records", message);
  for (const [task, { id, status, active, entries }] of target.actions.entries()) {
    if (active) wrong(`the action ${id} is still ${status}`);
    const said = hawkbit.ends.get(String(id));
    const expected =
      said === undefined ? undefined : { success: "finished", failure: "error", canceled: "canceled" }[said];
    if (status !== expected) wrong(`the action ${id} of task ${task} is ${status}, the device said ${said}`);
    if (entries.length > ENTRIES_MAX) wrong(`the action ${id} has ${entries.length} entries`);
  }
  const installed = target.installed?.version ?? "0.1.0";
  if (installed !== running.version) wrong(`${installed} is installed by the records, ${running.version} runs`);
  const told = target.attributes.get("fw.version");
  if (told !== running.version) wrong(`fw.version is ${told}, ${running.version} runs`);
  const { updateStatus } = target;
  const last = hawkbit.ends.get(hawkbit.actions.at(-1)!);
  const wanted = last === "failure" ? "error" : "in_sync";
  if (updateStatus !== wanted && cloud.finished) wrong(`the target is ${updateStatus}, not ${wanted}`);
}
