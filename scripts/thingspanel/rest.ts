/**
 * A ThingsPanel server through the REST API that its console uses. v0: e14f42dc of thingspanel-backend-community
 * (controllers/, routers/router.go); v1: 121c930f (internal/api, router/apps).
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Server, Task } from "./scenarios";

export interface Account {
  /** http://host:port of the backend. */
  readonly url: string;
  readonly email: string;
  readonly password: string;
  /** device.json of a device that may be updated, and its id in the console. */
  readonly device: Record<string, unknown>;
  readonly deviceId: string;
  /** v0: the product that packages belong to; v1: the device configuration. */
  readonly groupId: string;
}

/** Milliseconds between two looks at a task, and until it should be over. */
const POLL = 2_000;
const SETTLED_WITHIN = 300_000;
/** Neither generation tells by its API whether a device has subscribed. */
const READY = 3_000;

type Json = Record<string, unknown>;

/** Ids and states of one generation. */
interface Dialect {
  readonly prefix: string;
  readonly login: string;
  headers(token: string): Record<string, string>;
  upload(path: string): string;
  createPackage(name: string, version: string, url: string): { readonly path: string; readonly body: Json };
  /** Where the new package, or the task of one, is looked up. */
  package(name: string): Request;
  createTask(name: string, packageId: string): { readonly path: string; readonly body: Json };
  task(packageId: string): Request;
  state(taskId: string): Request;
  cancel(row: Json, taskId: string): Request;
  /** Of a row of `state`. */
  status(row: Json): { readonly over: boolean; readonly success: boolean; readonly text: string };
}

interface Request {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: Json;
}

const V0 = ({ deviceId, groupId, url }: Account): Dialect => ({
  prefix: "/api",
  login: "/auth/login",
  headers: (token) => ({ Authorization: `Bearer ${token}` }),
  upload: (path) => `${url}/api/ota/download/${path.replace(/^\.?\//, "")}`,
  createPackage: (name, version, package_url) => ({
    path: "/tp_ota/add",
    body: {
      package_name: name,
      package_version: version,
      package_module: "",
      product_id: groupId,
      signature_algorithm: "SHA256",
      package_url,
      additional_info: "{}",
    },
  }),
  package: (name) => ({
    method: "POST",
    path: "/tp_ota/list",
    body: { current_page: 1, per_page: 10, package_name: name, product_id: groupId },
  }),
  createTask: (name, ota_id) => ({
    path: "/tp_ota_task/add",
    body: {
      task_name: name,
      upgrade_time_type: "0",
      ota_id,
      product_id: groupId,
      select_device_flag: "1",
      device_id_list: [deviceId],
    },
  }),
  task: (ota_id) => ({ method: "POST", path: "/tp_ota_task/list", body: { current_page: 1, per_page: 10, ota_id } }),
  state: (ota_task_id) => ({
    method: "POST",
    path: "/tp_ota_device/list",
    body: { current_page: 1, per_page: 10, ota_task_id, device_id: "", name: "" },
  }),
  cancel: ({ id }, ota_task_id) => ({
    method: "POST",
    path: "/tp_ota_device/modfiyupdate",
    body: { id, ota_task_id, upgrade_status: "5" },
  }),
  status: ({ upgrade_status, status_detail }) => ({
    over: ["3", "4", "5"].includes(String(upgrade_status)),
    success: upgrade_status === "3",
    text: String(status_detail ?? ""),
  }),
});

const V1 = ({ deviceId, groupId }: Account): Dialect => ({
  prefix: "/api/v1",
  login: "/login",
  headers: (token) => ({ "x-token": token }),
  upload: (path) => path,
  createPackage: (name, version, package_url) => ({
    path: "/ota/package",
    body: {
      name,
      version,
      device_config_id: groupId,
      package_type: 2,
      signature_type: "SHA256",
      additional_info: "{}",
      package_url,
    },
  }),
  package: (name) => ({
    method: "GET",
    path: `/ota/package?page=1&page_size=10&device_config_id=${groupId}&name=${encodeURIComponent(name)}`,
  }),
  createTask: (name, ota_upgrade_package_id) => ({
    path: "/ota/task",
    body: { name, ota_upgrade_package_id, device_id_list: [deviceId] },
  }),
  task: (id) => ({ method: "GET", path: `/ota/task?page=1&page_size=10&ota_upgrade_package_id=${id}` }),
  state: (id) => ({ method: "GET", path: `/ota/task/detail?page=1&page_size=10&ota_upgrade_task_id=${id}` }),
  cancel: ({ id }) => ({ method: "PUT", path: "/ota/task/detail", body: { id, action: 6 } }),
  status: ({ status, status_description }) => ({
    over: [4, 5, 6].includes(Number(status)),
    success: status === 4,
    text: String(status_description ?? ""),
  }),
});

/** Logs in. Rejects with one line where the server does not answer as one of its generation. */
export async function restServer(account: Account): Promise<Server> {
  const { profile } = account.device;
  if (profile !== "v0" && profile !== "v1") throw new Error('device.json: profile is "v0" or "v1"');
  const dialect = (profile === "v0" ? V0 : V1)(account);
  const api = new Api(account.url + dialect.prefix);
  const { email, password } = account;
  const session = (await api.call({ method: "POST", path: dialect.login, body: { email, password } })) as Json;
  api.headers = dialect.headers(String(session["access_token"] ?? session["token"]));
  return {
    profile,
    device: account.device,
    ready: () => wait(READY),
    push: (image, version) => push(api, dialect, image, version),
  };
}

async function push(api: Api, dialect: Dialect, image: Uint8Array, version: string): Promise<Task> {
  const name = `xs-ota ${version} ${Date.now().toString(36)}`;
  const url = dialect.upload(await api.upload(image));
  await api.post(dialect.createPackage(name, version, url));
  const packageId = await api.first(dialect.package(name));
  await api.post(dialect.createTask(name, String(packageId["id"])));
  const taskId = String((await api.first(dialect.task(String(packageId["id"]))))["id"]);
  const look = (): Promise<Json> => api.first(dialect.state(taskId));
  return {
    async settled() {
      for (const end = performance.now() + SETTLED_WITHIN; performance.now() < end; await wait(POLL)) {
        const { over, success, text } = dialect.status(await look());
        if (over) return { success, text };
      }
      throw new Error(`${version}: the task is still open after ${SETTLED_WITHIN / 1000} s`);
    },
    async cancel() {
      await api.call(dialect.cancel(await look(), taskId)).catch(() => undefined);
    },
  };
}

class Api {
  headers: Record<string, string> = {};
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** `data` of the answer. Rejects with one line on anything but success. */
  async call({ method, path, body }: Request): Promise<unknown> {
    return this.#fetch(path, {
      method,
      headers: { ...this.headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  post({ path, body }: { readonly path: string; readonly body: Json }): Promise<unknown> {
    return this.call({ method: "POST", path, body });
  }

  /** The first row of a list. Lists are `data.list` (v1), `data.data` or `data.data.list` (v0). */
  async first(request: Request): Promise<Json> {
    const found = (await this.call(request)) as Json;
    const inner = (found["list"] ?? found["data"] ?? found) as Json | Json[];
    const rows = Array.isArray(inner) ? inner : inner["list"];
    const [row] = Array.isArray(rows) ? (rows as Json[]) : [];
    if (row === undefined) throw new Error(`${request.path}: the list is empty`);
    return row;
  }

  /** Path of the stored file. */
  async upload(image: Uint8Array): Promise<string> {
    const form = new FormData();
    form.set("type", "upgradePackage");
    form.set("file", new Blob([new Uint8Array(image)]), "firmware.bin");
    const data = await this.#fetch("/file/up", { method: "POST", headers: this.headers, body: form });
    return typeof data === "string" ? data : String((data as Json)["path"]);
  }

  async #fetch(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(this.#base + path, init).catch((error: unknown) => {
      throw new Error(`${this.#base}${path}: ${String((error as Error).cause ?? error)}`);
    });
    const answer = (await response.json().catch(() => ({}))) as Json;
    if (answer["code"] !== 200)
      throw new Error(`${path}: HTTP ${response.status}, ${String(answer["message"] ?? "no JSON of ThingsPanel")}`);
    return answer["data"];
  }
}
