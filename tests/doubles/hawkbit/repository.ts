/**
 * The operator's side of the server: targets, sets, assignments, cancellations (facts 39 to 45). What a device reports is
 * in action-reports.ts.
 */
import { randomBytes } from "node:crypto";
import { artifact, SERVER_MESSAGE, windowOf } from "./model";
import type { Action, ActionStatus, ActionType, DistributionSet, SoftwareModule, Target, Window } from "./model";

export interface Settings {
  targetTokens: boolean;
  /** Undefined: gateway tokens are off. */
  gatewayToken: string | undefined;
  pollingTime: string;
  confirmation: boolean;
  autoClose: boolean;
}

export interface AssignmentOptions {
  readonly type?: ActionType;
  readonly forceTime?: number;
  readonly weight?: number;
  readonly confirmationRequired?: boolean;
  readonly window?: Window;
}

/** The server refuses: a status of the management API, and the reason. */
export class OperatorError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

export const missing = (what: string): OperatorError => new OperatorError(404, `${what} does not exist`);

/** Seconds. */
const POLLING_MIN = 30;
/** repository.action-weight-if-absent */
const WEIGHT = 1_000;

export class Repository {
  readonly now: () => number;
  readonly settings: Settings = {
    targetTokens: false,
    gatewayToken: undefined,
    pollingTime: "00:05:00",
    confirmation: false,
    autoClose: false,
  };
  readonly targets = new Map<string, Target>();
  readonly modules = new Map<bigint, SoftwareModule>();
  readonly sets = new Map<bigint, DistributionSet>();
  readonly actions = new Map<bigint, Action>();
  #nextAction: bigint;

  /** `firstAction`: a server that has been in use for long has large ids. */
  constructor(now: () => number, firstAction: bigint) {
    this.now = now;
    this.#nextAction = firstAction;
  }

  /** HH:mm:ss, 30 s to a day, with `~10%` behind it where it varies (fact 16). */
  setPollingTime(text: string): void {
    const [, hours, minutes, seconds] = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:~\d{1,2}%)?$/.exec(text) ?? [];
    if (hours === undefined || Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds) < POLLING_MIN)
      throw new OperatorError(400, "the polling time is not valid");
    this.settings.pollingTime = text;
  }

  get nextAction(): bigint {
    return this.#nextAction;
  }

  createTarget(controllerId: string, securityToken = randomBytes(16).toString("hex")): Target {
    if (this.targets.has(controllerId)) throw new OperatorError(409, `target ${controllerId} exists already`);
    const target: Target = {
      controllerId,
      securityToken,
      updateStatus: "unknown",
      attributes: new Map(),
      requestAttributes: true,
      assigned: undefined,
      installed: undefined,
      installedAt: undefined,
      lastSeen: undefined,
      autoConfirm: undefined,
      actions: [],
    };
    this.targets.set(controllerId, target);
    return target;
  }

  deleteTarget(controllerId: string): void {
    for (const { id } of this.target(controllerId).actions) this.actions.delete(id);
    this.targets.delete(controllerId);
  }

  createModule(name: string, version: string, type: string): SoftwareModule {
    const id = BigInt(this.modules.size + 1);
    const module: SoftwareModule = { id, name, version, type, artifacts: [], metadata: new Map() };
    this.modules.set(id, module);
    return module;
  }

  addArtifact(module: SoftwareModule, fileName: string, bytes: Uint8Array): void {
    if ([...this.sets.values()].some(({ locked, modules }) => locked && modules.includes(module)))
      throw new OperatorError(423, "the software module is locked");
    module.artifacts.push(artifact(fileName, bytes, this.now()));
  }

  createSet(name: string, version: string, modules: readonly SoftwareModule[]): DistributionSet {
    const set = { id: BigInt(this.sets.size + 1), name, version, modules, locked: false, valid: true };
    this.sets.set(set.id, set);
    return set;
  }

  /** Undefined where the set is assigned already (fact 45). */
  assign(target: Target, set: DistributionSet, options: AssignmentOptions = {}): Action | undefined {
    if (!set.valid) throw new OperatorError(400, "the distribution set is invalid");
    if (target.assigned === set) return undefined;
    this.#supersede(target);
    const action = this.#createAction(target, set, options);
    const { confirmation } = this.settings;
    const waits = confirmation && options.confirmationRequired !== false && target.autoConfirm === undefined;
    this.#activate(action);
    this.change(action, waits ? "wait_for_confirmation" : "running", `Assignment initiated by user 'admin'`);
    return action;
  }

  /** The device says what it runs: a finished action (fact 57). */
  installedOffline(target: Target, set: DistributionSet): void {
    const action = this.#createAction(target, set, {});
    this.change(action, "finished", "Assigned offline");
    Object.assign(target, { assigned: set, installed: set, installedAt: this.now(), updateStatus: "in_sync" });
  }

  /** An action of a rollout's later group: not active until the group begins. */
  schedule(target: Target, set: DistributionSet): Action {
    const action = this.#createAction(target, set, {});
    this.change(action, "scheduled", "Scheduled by a rollout group");
    return action;
  }

  begin(action: Action): void {
    this.#supersede(action.target);
    this.#activate(action);
    this.change(action, "running", "Initiated by a rollout group");
  }

  /** `force`: closed at once, whatever the device does (fact 42). */
  cancel(action: Action, force: boolean): void {
    if (!action.active) throw new OperatorError(405, "the action is not active and can not be canceled");
    if (force) {
      if (action.status !== "canceling") throw new OperatorError(405, "the action is not canceling yet");
      this.record(action, "canceled", [`${SERVER_MESSAGE}A force quit has been performed.`]);
      return this.canceled(action);
    }
    if (action.status === "canceling") throw new OperatorError(405, "the action is canceling already");
    this.change(action, "canceling", "manual cancelation requested");
  }

  /** The cancellation is through: the target is as it was before the action (facts 40 and 59). */
  canceled(action: Action): void {
    const { target } = action;
    action.active = false;
    action.status = "canceled";
    action.revision++;
    const next = target.actions.find(({ active }) => active);
    target.assigned = next === undefined ? target.installed : next.set;
    if (next === undefined) target.updateStatus = "in_sync";
  }

  forceNow(action: Action): void {
    action.type = "forced";
    action.revision++;
  }

  /** Its open actions become cancellations (fact 42). */
  invalidate(set: DistributionSet): void {
    set.valid = false;
    for (const action of this.actions.values())
      if (action.set === set && action.active && action.status !== "canceling") this.cancel(action, false);
  }

  /** A window that went by makes the action a cancellation, at the next look at it (fact 27). */
  cancelIfLapsed(action: Action | undefined): void {
    if (action === undefined || windowOf(action, this.now()) !== "lapsed") return;
    if (action.active && action.status !== "canceling") this.cancel(action, false);
  }

  change(action: Action, status: ActionStatus, message: string): void {
    this.record(action, status, [`${SERVER_MESSAGE}${message}`]);
    action.status = status;
  }

  record(action: Action, status: ActionStatus, messages: readonly string[], at = this.now(), code?: number): void {
    action.entries.push({ status, messages, at, ...(code === undefined ? {} : { code }) });
    action.revision++;
  }

  target(controllerId: string): Target {
    const target = this.targets.get(controllerId);
    if (target === undefined) throw missing(`target ${controllerId}`);
    return target;
  }

  set(id: string): DistributionSet {
    const set = this.sets.get(BigInt(id));
    if (set === undefined) throw missing(`distribution set ${id}`);
    return set;
  }

  /** Targets of a filter query, of which only `controllerid==PREFIX*` and `id==...` are understood. */
  matching(query: string): Target[] {
    const [, pattern] = /^(?:controllerid|id)==([\w.*-]+)$/i.exec(query) ?? [];
    if (pattern === undefined) throw new OperatorError(400, `${query}: a filter that is not understood`);
    const [prefix = "", rest] = pattern.split("*");
    return [...this.targets.values()].filter(({ controllerId }) =>
      rest === undefined ? controllerId === prefix : controllerId.startsWith(prefix),
    );
  }

  actionOf(controllerId: string, id: string): Action {
    const action = this.actions.get(BigInt(id));
    if (action?.target !== this.target(controllerId)) throw missing(`action ${id}`);
    return action;
  }

  /** The new one is offered only after the old ones are closed, one after the other (fact 43). */
  #supersede(target: Target): void {
    for (const action of target.actions) {
      if (!action.active) continue;
      if (this.settings.autoClose) {
        this.change(action, "canceled", "close obsolete action due to new update");
        action.active = false;
      } else if (action.status !== "canceling")
        this.change(action, "canceling", "cancel obsolete action due to new update");
    }
  }

  #activate(action: Action): void {
    action.active = true;
    action.target.assigned = action.set;
    action.target.updateStatus = "pending";
  }

  #createAction(target: Target, set: DistributionSet, options: AssignmentOptions): Action {
    const { type = "forced", forceTime = 0, weight = WEIGHT, window } = options;
    const action: Action = {
      id: this.#nextAction++,
      target,
      set,
      type,
      forceTime,
      weight,
      window,
      status: "running",
      active: false,
      entries: [],
      revision: 0,
      lastStatusCode: undefined,
    };
    set.locked = true;
    this.actions.set(action.id, action);
    target.actions.push(action);
    return action;
  }
}
