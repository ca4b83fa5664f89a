/** The operator's side of the double, in code: the interface that the REST client has for a real server. */
import type {
  ActionRecord,
  Assigned,
  Assignment,
  DeviceRecord,
  HawkbitOperator,
  Package,
  PackageId,
  RolloutId,
  RolloutOrder,
  RolloutRecord,
  TenantSettings,
} from "../../../host-sim/operators/hawkbit/operator";
import { actionRecord, deviceRecord } from "./records";
import type { Repository } from "./repository";
import type { Rollouts } from "./rollouts";

export class DoubleOperator implements HawkbitOperator {
  readonly tenant = "DEFAULT";
  readonly #server: { readonly url: string; restart(): Promise<void> };
  readonly #repository: Repository;
  readonly #rollouts: Rollouts;

  constructor(server: { readonly url: string; restart(): Promise<void> }, repository: Repository, rollouts: Rollouts) {
    this.#server = server;
    this.#repository = repository;
    this.#rollouts = rollouts;
  }

  get server(): string {
    return this.#server.url;
  }

  async prepare(settings: TenantSettings = {}): Promise<void> {
    const own = this.#repository.settings;
    own.targetTokens = true;
    own.confirmation = settings.confirmation ?? own.confirmation;
    own.autoClose = settings.autoClose ?? own.autoClose;
    if (settings.pollingTime !== undefined) this.#repository.setPollingTime(settings.pollingTime);
    if (settings.gatewayToken !== undefined) own.gatewayToken = settings.gatewayToken || undefined;
  }

  async createDevice(controllerId: string): Promise<{ readonly targetToken: string }> {
    return { targetToken: this.#repository.createTarget(controllerId).securityToken };
  }

  async deleteDevice(controllerId: string): Promise<void> {
    this.#repository.deleteTarget(controllerId);
  }

  async upload({ name, version, part, fileName, bytes, metadata = {} }: Package): Promise<PackageId> {
    const module = this.#repository.createModule(name, version, part);
    this.#repository.addArtifact(module, fileName, bytes);
    for (const [key, value] of Object.entries(metadata)) module.metadata.set(key, value);
    return String(this.#repository.createSet(name, version, [module]).id);
  }

  async assign(controllerId: string, firmware: PackageId, how: Assignment = {}): Promise<Assigned> {
    const { window, ...options } = how;
    const action = this.#repository.assign(this.#repository.target(controllerId), this.#repository.set(firmware), {
      ...options,
      ...(window && { window: { opens: window.opensAt, closes: window.opensAt + window.seconds * 1_000 } }),
    });
    return action && String(action.id);
  }

  async cancel(controllerId: string, actionId: string, force = false): Promise<void> {
    const action = this.#repository.actionOf(controllerId, actionId);
    if (action.status !== "canceling") this.#repository.cancel(action, false);
    if (force) this.#repository.cancel(action, true);
  }

  async forceNow(controllerId: string, actionId: string): Promise<void> {
    this.#repository.forceNow(this.#repository.actionOf(controllerId, actionId));
  }

  async withdraw(firmware: PackageId): Promise<void> {
    this.#repository.invalidate(this.#repository.set(firmware));
  }

  async action(controllerId: string, actionId: string): Promise<ActionRecord> {
    return actionRecord(this.#repository.actionOf(controllerId, actionId));
  }

  async actions(controllerId: string): Promise<readonly ActionRecord[]> {
    return this.#repository.target(controllerId).actions.map(actionRecord).toReversed();
  }

  async device(controllerId: string): Promise<DeviceRecord> {
    return deviceRecord(this.#repository.target(controllerId));
  }

  async rollOut({ name, targets, firmware, groups, success, error }: RolloutOrder): Promise<RolloutId> {
    const set = this.#repository.set(firmware);
    const rollout = this.#rollouts.create({
      name,
      targets: this.#repository.matching(targets),
      set,
      groups,
      success,
      error,
    });
    this.#rollouts.start(rollout);
    return String(rollout.id);
  }

  async resume(rollout: RolloutId): Promise<void> {
    this.#rollouts.resume(this.#rollouts.rollout(rollout));
  }

  async rollout(id: RolloutId): Promise<RolloutRecord> {
    this.#rollouts.look();
    const rollout = this.#rollouts.rollout(id);
    return { status: rollout.status, total: rollout.targets.length, perStatus: this.#rollouts.perStatus(rollout) };
  }

  restart(): Promise<void> {
    return this.#server.restart();
  }

  async cleanUp(): Promise<void> {
    for (const controllerId of this.#repository.targets.keys()) this.#repository.deleteTarget(controllerId);
  }
}
