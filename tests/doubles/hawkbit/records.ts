/** What the server's records say of an action and a target, as the management API shows it. */
import type { ActionRecord, DeviceRecord } from "../../../host-sim/operators/hawkbit/operator";
import type { Action, Target } from "./model";

export const actionRecord = ({ id, status, active, lastStatusCode, entries }: Action): ActionRecord => ({
  id: String(id),
  status,
  active,
  ...(lastStatusCode === undefined ? {} : { lastStatusCode }),
  history: entries.map((entry) => ({ type: entry.status, messages: entry.messages })),
});

export const deviceRecord = ({ updateStatus, attributes, assigned, installed }: Target): DeviceRecord => ({
  updateStatus,
  attributes: Object.fromEntries(attributes),
  assigned: assigned && String(assigned.id),
  installed: installed && String(installed.id),
});
