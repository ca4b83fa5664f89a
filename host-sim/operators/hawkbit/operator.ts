/**
 * What an operator does on a hawkBit server, and what the server's own records say: one interface for a real server
 * (rest.ts, through the management API) and for the double in tests/doubles/hawkbit, so that the same scenarios run
 * against both.
 */

export interface HawkbitOperator {
  /** http://host:port, and the tenant, of the device API. */
  readonly server: string;
  readonly tenant: string;
  /** Turns on what the scenarios need: target tokens, and the given settings of the tenant. */
  prepare(settings?: TenantSettings): Promise<void>;
  /** A target with its own token. */
  createDevice(controllerId: string): Promise<{ readonly targetToken: string }>;
  deleteDevice(controllerId: string): Promise<void>;
  /** A distribution set with one software module and its artifact. */
  upload(firmware: Package): Promise<PackageId>;
  assign(controllerId: string, firmware: PackageId, how?: Assignment): Promise<Assigned>;
  /** The device has to agree, unless `force`. */
  cancel(controllerId: string, actionId: string, force?: boolean): Promise<void>;
  /** From soft or time-forced to forced. */
  forceNow(controllerId: string, actionId: string): Promise<void>;
  /** The set is invalidated: its open actions become cancellations. */
  withdraw(firmware: PackageId): Promise<void>;
  action(controllerId: string, actionId: string): Promise<ActionRecord>;
  /** Of a target, the newest first. */
  actions(controllerId: string): Promise<readonly ActionRecord[]>;
  device(controllerId: string): Promise<DeviceRecord>;
  /** Begins at once. */
  rollOut(rollout: RolloutOrder): Promise<RolloutId>;
  resume(rollout: RolloutId): Promise<void>;
  rollout(rollout: RolloutId): Promise<RolloutRecord>;
  /** Undefined where a person has to do it: a real server is not restarted through its REST API. */
  restart?(): Promise<void>;
  /** Removes all that this operator made. */
  cleanUp(): Promise<void>;
}

export interface TenantSettings {
  /** `user.confirmation.flow.enabled` */
  readonly confirmation?: boolean;
  /** `repository.actions.autoclose.enabled` */
  readonly autoClose?: boolean;
  /** `authentication.gatewaytoken.key`; "" turns gateway tokens off. */
  readonly gatewayToken?: string;
  /** `pollingTime`, HH:mm:ss */
  readonly pollingTime?: string;
}

export interface Package {
  readonly name: string;
  readonly version: string;
  /** Key of the type of the software module: `part` of the deployment. */
  readonly part: string;
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /** Shown to targets. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Id of the distribution set. */
export type PackageId = string;
export type RolloutId = string;

export interface Assignment {
  readonly type?: "forced" | "soft" | "timeforced" | "downloadonly";
  /** Milliseconds since 1970; of a time-forced one. */
  readonly forceTime?: number;
  readonly weight?: number;
  readonly confirmationRequired?: boolean;
  readonly window?: MaintenanceWindow;
}

/** Once: opens at that time (ms since 1970, whole seconds) for so many seconds. */
export interface MaintenanceWindow {
  readonly opensAt: number;
  readonly seconds: number;
}

/** Undefined: the set was assigned already, there is no new action. */
export type Assigned = string | undefined;

export interface ActionRecord {
  readonly id: string;
  /** `detailStatus`, lower case: running, retrieved, finished, error, canceling, canceled, downloaded, ... */
  readonly status: string;
  readonly active: boolean;
  readonly lastStatusCode?: number;
  /** Oldest first. */
  readonly history: readonly { readonly type: string; readonly messages: readonly string[] }[];
}

export interface DeviceRecord {
  readonly updateStatus: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly assigned: PackageId | undefined;
  readonly installed: PackageId | undefined;
}

export interface RolloutOrder {
  readonly name: string;
  /** A query of hawkBit's filter language, for example `controllerid==fleet-*`. */
  readonly targets: string;
  readonly firmware: PackageId;
  readonly groups: number;
  /** Percent of a group that succeeded, for the next to begin. */
  readonly success: number;
  /** Percent of a group that failed, above which the rollout pauses. */
  readonly error: number;
}

export interface RolloutRecord {
  /** ready, starting, running, paused, finished, ... */
  readonly status: string;
  readonly total: number;
  /** Targets by state: notstarted, scheduled, running, error, finished, cancelled. */
  readonly perStatus: Readonly<Record<string, number>>;
}
