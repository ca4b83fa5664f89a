/**
 * What a report of a device does to its action and target (facts 29 to 42): the same for all that is accepted, so that
 * the traps of the real server are here as it has them. `closed` with anything but failure is success, and nothing else
 * ends an action.
 */
import { MESSAGE_MAX, QUOTA, SERVER_MESSAGE } from "./model";
import type { Action, ActionStatus, Target } from "./model";
import type { Repository } from "./repository";

export const EXECUTIONS = [
  "closed",
  "proceeding",
  "canceled",
  "scheduled",
  "rejected",
  "resumed",
  "downloaded",
  "download",
] as const;
export const RESULTS = ["success", "failure", "none"] as const;

export interface Feedback {
  readonly execution: (typeof EXECUTIONS)[number];
  readonly finished: (typeof RESULTS)[number];
  readonly code: number | undefined;
  readonly details: readonly string[];
  /** Milliseconds since 1970; the time of arrival where the device sent none. */
  readonly timestamp: number;
}

/** A quota is used up: 429 with this message. */
export class QuotaExceeded extends Error {}

/** A status entry for each execution (fact 30). */
const ENTRY: Readonly<Record<Feedback["execution"], ActionStatus>> = {
  proceeding: "running",
  scheduled: "running",
  resumed: "running",
  download: "download",
  downloaded: "downloaded",
  rejected: "warning",
  canceled: "canceled",
  closed: "finished",
};

/** Of an action that is active. */
export function reportUpdate(repository: Repository, action: Action, feedback: Feedback): void {
  const { execution, finished, code, details, timestamp } = feedback;
  const status = execution === "closed" && finished === "failure" ? "error" : ENTRY[execution];
  const messages = [...details, ...(code === undefined ? [] : [`Device reported status code: ${code}`])];
  assertQuotas(action, status, messages);
  if (status === "error") failed(action);
  if (status === "finished") finish(action, timestamp);
  if (status === "downloaded" && action.type === "downloadonly") downloadedOnly(action);
  const fallback = `${SERVER_MESSAGE}Target reported ${execution.toUpperCase()}`;
  repository.record(action, status, pieces(messages.length === 0 ? [fallback] : messages), timestamp, code);
  action.lastStatusCode = code;
}

/** Of an action that is canceling, or was canceled (fact 40). */
export function reportCancel(repository: Repository, action: Action, feedback: Feedback): void {
  const { execution, finished, code, details, timestamp } = feedback;
  const record = (status: ActionStatus, ...own: readonly string[]): void => {
    const messages = [...own.map((each) => SERVER_MESSAGE + each), ...details];
    if (status === "running" || status === "warning") assertQuotas(action, status, messages);
    repository.record(action, status, pieces(messages), timestamp, code);
  };
  if (execution === "closed" && finished !== "failure") {
    record("canceled", "Cancellation completion is finished successfully.");
    if (action.active) repository.canceled(action);
  } else if (execution === "closed" || execution === "rejected") {
    record(execution === "closed" ? "error" : "cancel_rejected", "Target rejected the cancellation request.");
    action.status = "running";
  } else if (execution === "canceled") record("warning", "Target reported cancel for a cancel which is not supported.");
  else record("running");
}

/** Consent: "denied" ends nothing, the action waits on (fact 48). */
export function reportConsent(repository: Repository, action: Action, confirmed: boolean, details: string[]): void {
  const status = confirmed ? "running" : "wait_for_confirmation";
  const own = `${SERVER_MESSAGE}Target ${confirmed ? "confirmed" : "denied"} action.`;
  assertQuotas(action, status, details);
  repository.record(action, status, pieces([own, ...details]));
  action.status = status;
}

/** One entry for GETs in a row. That of a CLOSED action flips it back to `retrieved` (fact 25, hawkBit 1085). */
export function retrieved(repository: Repository, action: Action, what: string): void {
  if (action.entries.at(-1)?.status === "retrieved") return;
  repository.record(action, "retrieved", [`${SERVER_MESSAGE}Target retrieved ${what}.`]);
  if (action.status !== "canceling" && action.status !== "canceled") action.status = "retrieved";
}

/** A whole file was fetched (fact 54). */
export function downloaded(repository: Repository, action: Action, path: string): void {
  assertQuotas(action, "download", []);
  repository.record(action, "download", [`${SERVER_MESSAGE}Target downloads ${path}`]);
}

/** The server's own entries count; a final report is exempt from the quota of entries (fact 35). */
function assertQuotas({ id, entries }: Action, status: ActionStatus, messages: readonly string[]): void {
  const quota = (count: number, what: string, of: string, most: number): QuotaExceeded =>
    new QuotaExceeded(`Quota exceeded: Cannot assign ${count} more ${what} entities to ${of}. The maximum is ${most}.`);
  if (status !== "finished" && status !== "error" && entries.length >= QUOTA.statusEntries)
    throw quota(1, "ActionStatus", `Action '${id}'`, QUOTA.statusEntries);
  if (messages.length > QUOTA.messages) throw quota(messages.length, "Message", "ActionStatus '<new>'", QUOTA.messages);
}

/** A long message is cut into pieces, nothing is lost (fact 34). Counted in characters, not in bytes. */
function pieces(messages: readonly string[]): string[] {
  return messages.flatMap((message) => {
    const cut: string[] = [];
    for (let at = 0; at === 0 || at < message.length; at += MESSAGE_MAX) cut.push(message.slice(at, at + MESSAGE_MAX));
    return cut;
  });
}

/** Target `error` even where a newer action is assigned by now (trap 8). */
function failed(action: Action): void {
  const { target } = action;
  action.active = false;
  action.status = "error";
  target.updateStatus = "error";
  target.assigned = undefined;
}

/** A time at or before that of the last installation: the action ends, the target stays `pending` (fact 36). */
function finish(action: Action, timestamp: number): void {
  const { target, set } = action;
  action.active = false;
  action.status = "finished";
  target.requestAttributes = true;
  if (target.installedAt !== undefined && target.installedAt >= timestamp) return;
  target.installed = set;
  target.installedAt = timestamp;
  if (action.type === "downloadonly") target.assigned = set;
  if (target.assigned === set) target.updateStatus = "in_sync";
}

function downloadedOnly(action: Action): void {
  action.active = false;
  action.status = "downloaded";
  action.target.updateStatus = "in_sync";
  action.target.requestAttributes = true;
}

/** `PUT configData` (fact 19). False: more attributes than a target may have. */
export function mergeAttributes(
  target: Target,
  mode: "merge" | "replace" | "remove",
  data: Map<string, string>,
): boolean {
  const next = mode === "replace" ? new Map<string, string>() : new Map(target.attributes);
  for (const [key, value] of data)
    if (mode === "remove") next.delete(key);
    else next.set(key, value);
  if (next.size > target.attributes.size && next.size > QUOTA.attributes) return false;
  target.attributes = next;
  // Read in the source of 1.1.0: remove does not clear the request (fact 20).
  if (mode !== "remove") target.requestAttributes = false;
  return true;
}
