/** What a hawkBit server keeps. Facts by number: hawkbit.md, "The contract". */
import { createHash } from "node:crypto";

/** Names of the management API; `actionHistory` shows them in upper case. */
export type ActionStatus =
  | "running"
  | "retrieved"
  | "wait_for_confirmation"
  | "scheduled"
  | "finished"
  | "error"
  | "warning"
  | "canceling"
  | "canceled"
  | "cancel_rejected"
  | "download"
  | "downloaded";

export type ActionType = "forced" | "soft" | "timeforced" | "downloadonly";
export type UpdateStatus = "unknown" | "registered" | "pending" | "in_sync" | "error";

export interface Artifact {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly sha1: string;
  readonly md5: string;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface SoftwareModule {
  readonly id: bigint;
  readonly name: string;
  readonly version: string;
  /** Key of its type. */
  readonly type: string;
  readonly artifacts: Artifact[];
  /** Those that targets see. */
  readonly metadata: Map<string, string>;
}

export interface DistributionSet {
  readonly id: bigint;
  readonly name: string;
  readonly version: string;
  readonly modules: readonly SoftwareModule[];
  /** Assigned once: its artifacts can not be changed any more (fact 23). */
  locked: boolean;
  valid: boolean;
}

export interface StatusEntry {
  readonly status: ActionStatus;
  readonly messages: readonly string[];
  readonly at: number;
  readonly code?: number;
}

/** A maintenance window, milliseconds since 1970. */
export interface Window {
  readonly opens: number;
  readonly closes: number;
}

export interface Action {
  readonly id: bigint;
  readonly target: Target;
  readonly set: DistributionSet;
  type: ActionType;
  readonly forceTime: number;
  readonly weight: number;
  readonly window: Window | undefined;
  status: ActionStatus;
  active: boolean;
  readonly entries: StatusEntry[];
  /** Counts every change, for `c` in its link (fact 17). */
  revision: number;
  lastStatusCode: number | undefined;
}

export interface Target {
  readonly controllerId: string;
  readonly securityToken: string;
  updateStatus: UpdateStatus;
  attributes: Map<string, string>;
  /** The poll shows the link configData. */
  requestAttributes: boolean;
  assigned: DistributionSet | undefined;
  installed: DistributionSet | undefined;
  installedAt: number | undefined;
  /** Of the last poll: nothing else counts as "last seen" (fact 18). */
  lastSeen: number | undefined;
  autoConfirm: { readonly initiator: string | undefined; readonly remark: string; readonly at: number } | undefined;
  /** In the order of their ids. */
  readonly actions: Action[];
}

/** Entries of the server itself begin with it; `actionHistory` leaves them out (fact 28). */
export const SERVER_MESSAGE = "Update Server: ";

/** Quotas of a stock server (facts 19, 34, 35). */
export const QUOTA = { statusEntries: 1_000, messages: 50, attributes: 100, history: 100 } as const;
export const MESSAGE_MAX = 512;
export const ATTRIBUTE_MAX = 128;
/** An id may have 256 characters, but auto-registration copies it to `name`, which is shorter (fact 4). */
export const NAME_MAX = 128;

const hex = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest("hex");

export function artifact(fileName: string, bytes: Uint8Array, createdAt: number): Artifact {
  // What the server refuses at upload (fact 56).
  if (bytes.length === 0) throw new Error("an empty file is refused");
  if (/[&<>]/.test(fileName)) throw new Error(`${fileName}: a character that is refused`);
  return {
    fileName,
    bytes,
    sha1: hex("sha1", bytes),
    md5: hex("md5", bytes),
    sha256: hex("sha256", bytes),
    createdAt,
  };
}

export const isCancelingOrCanceled = ({ status }: Action): boolean => status === "canceling" || status === "canceled";

/** As hawkBit orders them: the highest weight, then the oldest (fact 17). */
export function activeAction(target: Target): Action | undefined {
  let best: Action | undefined;
  for (const action of target.actions)
    if (action.active && (best === undefined || action.weight > best.weight)) best = action;
  return best;
}

/** What `installedBase` names: the newest finished action of the installed set (fact 25). */
export function installedAction({ installed, actions }: Target): Action | undefined {
  return actions.findLast(({ set, status, active }) => set === installed && status === "finished" && !active);
}

/** The action that artifacts of a module are handed out for (fact 55). */
export function downloadAction(target: Target, module: SoftwareModule): Action | undefined {
  return target.actions.find(
    (action) => action.active && !isCancelingOrCanceled(action) && action.set.modules.includes(module),
  );
}

export const windowOf = ({ window }: Action, now: number): "available" | "unavailable" | "lapsed" | undefined => {
  if (window === undefined) return undefined;
  if (now < window.opens) return "unavailable";
  return now < window.closes ? "available" : "lapsed";
};

export const isForced = ({ type, forceTime }: Action, now: number): boolean =>
  type === "forced" || type === "downloadonly" || (type === "timeforced" && now >= forceTime);

/** `c` of a link: a Java hash, so it may be negative. */
export function linkHash(action: Action, now: number): number {
  const { id, revision } = action;
  const offset = windowOf(action, now) === "available" ? 1249 : isForced(action, now) ? 1231 : 1237;
  return (Math.imul(Math.imul(Number(id % 65_521n) + 17, 1_000_003) + revision, 31) + offset) | 0;
}
