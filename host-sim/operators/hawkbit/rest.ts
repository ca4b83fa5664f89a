/**
 * A hawkBit server of one's own through its management API, `/rest/v1` with Basic authentication. Made for 1.1.0: forms
 * from its resource interfaces and models (hawkbit-mgmt-api). What it creates has names of its own, and `cleanUp`
 * removes it.
 */
import { setTimeout as wait } from "node:timers/promises";
import { callJson } from "../json-api";
import type { Json } from "../json-api";
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
} from "./operator";

export interface Account {
  /** http://host:port */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** From XS_OTA_HAWKBIT (http://host:port), XS_OTA_HAWKBIT_USER and XS_OTA_HAWKBIT_PASSWORD. */
export function accountFrom(environment: Readonly<Record<string, string | undefined>>): Account {
  const { XS_OTA_HAWKBIT: url, XS_OTA_HAWKBIT_USER, XS_OTA_HAWKBIT_PASSWORD } = environment;
  if (url === undefined || !/^https?:\/\/[^/]+\/*$/.test(url))
    throw new Error("set XS_OTA_HAWKBIT: the address of your hawkBit server, http://host:port");
  // Those of a stock server.
  const [user = "admin", password = "admin"] = [XS_OTA_HAWKBIT_USER, XS_OTA_HAWKBIT_PASSWORD];
  return { url: url.replace(/\/+$/, ""), user, password };
}

/** Entries of an action in one answer: the quota of a stock server is 1,000, its largest page 500. */
const PAGE = 500;
/** Targets made by one call. */
const BATCH = 200;
/** Between two looks at a rollout that is being made, ms. */
const LOOK = 500;

export class RestOperator implements HawkbitOperator {
  readonly tenant = "DEFAULT";
  readonly server: string;
  readonly #authorization: string;
  /** Paths of what was made, the oldest first. */
  readonly #made: string[] = [];

  constructor({ url, user, password }: Account) {
    this.server = url;
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }

  async prepare({ confirmation, autoClose, gatewayToken, pollingTime }: TenantSettings = {}): Promise<void> {
    await this.#set("authentication.targettoken.enabled", true);
    if (confirmation !== undefined) await this.#set("user.confirmation.flow.enabled", confirmation);
    if (autoClose !== undefined) await this.#set("repository.actions.autoclose.enabled", autoClose);
    if (pollingTime !== undefined) await this.#set("pollingTime", pollingTime);
    if (gatewayToken === undefined) return;
    if (gatewayToken !== "") await this.#set("authentication.gatewaytoken.key", gatewayToken);
    await this.#set("authentication.gatewaytoken.enabled", gatewayToken !== "");
  }

  async createDevice(controllerId: string): Promise<{ readonly targetToken: string }> {
    const [targetToken = ""] = await this.createDevices([controllerId]);
    return { targetToken };
  }

  /** Their target tokens, in this order. */
  async createDevices(controllerIds: readonly string[]): Promise<string[]> {
    const tokens = new Map<unknown, string>();
    for (let at = 0; at < controllerIds.length; at += BATCH) {
      const order = controllerIds.slice(at, at + BATCH).map((controllerId) => ({ controllerId, name: controllerId }));
      const made = (await this.#call("POST", "targets", order)) as Json[];
      for (const { controllerId, securityToken } of made) tokens.set(controllerId, String(securityToken));
      this.#made.push(...order.map(({ controllerId }) => target(controllerId)));
    }
    return controllerIds.map((controllerId) => tokens.get(controllerId)!);
  }

  async deleteDevice(controllerId: string): Promise<void> {
    const path = `targets/${encodeURIComponent(controllerId)}`;
    await this.#call("DELETE", path);
    const at = this.#made.indexOf(path);
    if (at >= 0) this.#made.splice(at, 1);
  }

  async upload({ name, version, part, fileName, bytes, metadata = {} }: Package): Promise<PackageId> {
    const moduleType = await this.#type("softwaremodule", part, { maxAssignments: 1 });
    const setType = `xs_ota_${part}`;
    await this.#type("distributionset", setType, { mandatorymodules: [{ id: moduleType }], optionalmodules: [] });
    const module = await this.#create("softwaremodules", { name, version, type: part });
    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(bytes)]), fileName);
    await this.#call("POST", `softwaremodules/${module}/artifacts`, form);
    const entries = Object.entries(metadata).map(([key, value]) => ({ key, value, targetVisible: true }));
    if (entries.length > 0) await this.#call("POST", `softwaremodules/${module}/metadata`, entries);
    const modules = [{ id: Number(module) }];
    return this.#create("distributionsets", { name, version, type: setType, modules, requiredMigrationStep: false });
  }

  async assign(controllerId: string, firmware: PackageId, how: Assignment = {}): Promise<Assigned> {
    const { type = "forced", forceTime, weight, confirmationRequired, window } = how;
    const { assignedActions } = (await this.#call("POST", `${target(controllerId)}/assignedDS`, {
      id: Number(firmware),
      type,
      ...(forceTime === undefined ? {} : { forcetime: forceTime }),
      ...(weight === undefined ? {} : { weight }),
      ...(confirmationRequired === undefined ? {} : { confirmationRequired }),
      ...(window === undefined ? {} : { maintenanceWindow: maintenanceWindow(window) }),
    })) as { readonly assignedActions?: readonly Json[] };
    const id = assignedActions?.[0]?.["id"];
    return id === undefined ? undefined : String(id);
  }

  async cancel(controllerId: string, actionId: string, force = false): Promise<void> {
    const path = `${target(controllerId)}/actions/${actionId}`;
    const { status } = await this.action(controllerId, actionId);
    if (status !== "canceling") await this.#call("DELETE", path);
    if (force) await this.#call("DELETE", `${path}?force=true`);
  }

  async forceNow(controllerId: string, actionId: string): Promise<void> {
    await this.#call("PUT", `${target(controllerId)}/actions/${actionId}`, { forceType: "forced" });
  }

  async withdraw(firmware: PackageId): Promise<void> {
    await this.#call("POST", `distributionsets/${firmware}/invalidate`, { actionCancelationType: "soft" });
  }

  async action(controllerId: string, actionId: string): Promise<ActionRecord> {
    return this.#record(controllerId, (await this.#call("GET", `${target(controllerId)}/actions/${actionId}`)) as Json);
  }

  async actions(controllerId: string): Promise<readonly ActionRecord[]> {
    const { content } = (await this.#call("GET", `${target(controllerId)}/actions?sort=id:desc&limit=${PAGE}`)) as {
      readonly content: readonly Json[];
    };
    const records: ActionRecord[] = [];
    for (const each of content) records.push(await this.#record(controllerId, each));
    return records;
  }

  async device(controllerId: string): Promise<DeviceRecord> {
    const path = target(controllerId);
    const { updateStatus } = (await this.#call("GET", path)) as Json;
    const attributes = (await this.#call("GET", `${path}/attributes`)) as Record<string, string> | undefined;
    const setOf = async (which: string): Promise<string | undefined> => {
      const set = (await this.#call("GET", `${path}/${which}DS`)) as Json | undefined;
      return set?.["id"] === undefined ? undefined : String(set["id"]);
    };
    return {
      updateStatus: String(updateStatus),
      attributes: attributes ?? {},
      assigned: await setOf("assigned"),
      installed: await setOf("installed"),
    };
  }

  async rollOut({ name, targets, firmware, groups, success, error }: RolloutOrder): Promise<RolloutId> {
    const made = (await this.#call("POST", "rollouts", {
      name,
      targetFilterQuery: targets,
      distributionSetId: Number(firmware),
      amountGroups: groups,
      type: "forced",
      successCondition: { condition: "THRESHOLD", expression: String(success) },
      successAction: { action: "NEXTGROUP", expression: "" },
      errorCondition: { condition: "THRESHOLD", expression: String(error) },
      errorAction: { action: "PAUSE", expression: "" },
    })) as Json;
    const id = String(made["id"]);
    this.#made.push(`rollouts/${id}`);
    // A real server makes the groups after it has answered.
    while ((await this.rollout(id)).status === "creating") await wait(LOOK);
    await this.#call("POST", `rollouts/${id}/start`);
    return id;
  }

  async resume(rollout: RolloutId): Promise<void> {
    await this.#call("POST", `rollouts/${rollout}/resume`);
  }

  async rollout(id: RolloutId): Promise<RolloutRecord> {
    const { status, totalTargets, totalTargetsPerStatus } = (await this.#call("GET", `rollouts/${id}`)) as Json;
    const perStatus = (totalTargetsPerStatus ?? {}) as Record<string, number>;
    return { status: String(status), total: Number(totalTargets), perStatus };
  }

  /** The newest first: what uses something goes before it. */
  async cleanUp(): Promise<void> {
    for (const path of this.#made.toReversed()) await this.#call("DELETE", path).catch(() => undefined);
    this.#made.length = 0;
  }

  #set(key: string, value: unknown): Promise<unknown> {
    return this.#call("PUT", `system/configs/${key}`, { value });
  }

  async #record(controllerId: string, action: Json): Promise<ActionRecord> {
    const { id, active, lastStatusCode, detailStatus, status = detailStatus } = action;
    const path = `${target(controllerId)}/actions/${String(id)}/status`;
    const history: ActionRecord["history"][number][] = [];
    for (let offset = 0, total = 1; offset < total; offset += PAGE) {
      const page = (await this.#call("GET", `${path}?sort=id:asc&limit=${PAGE}&offset=${offset}`)) as {
        readonly content: readonly { readonly type: string; readonly messages?: readonly string[] }[];
        readonly total: number;
      };
      total = page.total;
      for (const { type, messages = [] } of page.content) history.push({ type, messages });
    }
    return {
      id: String(id),
      // Servers before 1.1.0 call it detailStatus, and `status` is coarser there.
      status: String(detailStatus ?? status).toLowerCase(),
      active: active !== false && (active === true || status === "pending"),
      ...(typeof lastStatusCode === "number" ? { lastStatusCode } : {}),
      history,
    };
  }

  /** Types stay on the server: other sets may use them by then. */
  async #type(kind: string, key: string, rest: Json): Promise<number> {
    const { content } = (await this.#call("GET", `${kind}types?q=key==${key}`)) as {
      readonly content: readonly Json[];
    };
    const [found = ((await this.#call("POST", `${kind}types`, [{ key, name: key, ...rest }])) as Json[])[0]] = content;
    return Number(found!["id"]);
  }

  async #create(path: string, value: Json): Promise<string> {
    const [made] = (await this.#call("POST", path, [value])) as Json[];
    const id = String(made!["id"]);
    this.#made.push(`${path}/${id}`);
    return id;
  }

  #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { Authorization: this.#authorization, Accept: "application/json" };
    return callJson({ name: "hawkBit", root: `${this.server}/rest/v1`, headers }, method, path, body);
  }
}

const target = (controllerId: string): string => `targets/${encodeURIComponent(controllerId)}`;

/** Quartz cron with seconds and a year: once. */
function maintenanceWindow({ opensAt, seconds }: { opensAt: number; seconds: number }): Json {
  const at = new Date(opensAt);
  const schedule = [
    at.getUTCSeconds(),
    at.getUTCMinutes(),
    at.getUTCHours(),
    at.getUTCDate(),
    at.getUTCMonth() + 1,
    "?",
    at.getUTCFullYear(),
  ].join(" ");
  const pad = (value: number): string => String(Math.trunc(value)).padStart(2, "0");
  return {
    schedule,
    duration: [seconds / 3_600, (seconds / 60) % 60, seconds % 60].map(pad).join(":"),
    timezone: "+00:00",
  };
}
