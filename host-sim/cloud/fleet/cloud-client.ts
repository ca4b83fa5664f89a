import type { Views } from "../api/schemas/views";
import type { Target } from "../../faults/weak-link";

/** Devices added by one call. */
const BATCH = 500;

/** The API of a cloud, as far as a fleet needs it. Every call rejects with one line. */
export class CloudClient {
  readonly #base: string;
  readonly #token: string;

  /** `url`: where the console is, without a path. */
  constructor(url: string, token: string) {
    this.#base = `${url.replace(/\/+$/, "")}/cloud/v1`;
    this.#token = token;
  }

  overview(): Promise<Views["overview"]> {
    return this.#ask("GET", "/overview");
  }

  /** Broker and file server, for plain TCP. */
  async targets(): Promise<[Target, Target]> {
    const { addresses } = await this.overview();
    const [broker, files] = [addresses.mqtt, addresses.http];
    if (broker === undefined || files === undefined)
      throw new Error("a fleet needs plain MQTT and HTTP, and this cloud has not both");
    return [target(broker), target(files)];
  }

  async addDevices(platform: string, identities: readonly Record<string, unknown>[]): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < identities.length; at += BATCH) {
      const devices = identities.slice(at, at + BATCH).map((identity) => ({ platform, identity }));
      ids.push(...(await this.#ask<{ ids: string[] }>("POST", "/devices", { devices })).ids);
    }
    return ids;
  }

  /** The first 500, in the order in which they were added. */
  async devices(): Promise<Views["device"][]> {
    return (await this.#ask<Views["deviceList"]>("GET", "/devices?limit=500")).items;
  }

  async packages(): Promise<Views["package"][]> {
    return (await this.#ask<{ items: Views["package"][] }>("GET", "/packages")).items;
  }

  removeDevice(id: string): Promise<void> {
    return this.#ask("DELETE", `/devices/${encodeURIComponent(id)}`);
  }

  config(id: string): Promise<Record<string, unknown>> {
    return this.#ask("GET", `/devices/${encodeURIComponent(id)}/config`);
  }

  upload(bytes: Uint8Array, name: string): Promise<Views["package"]> {
    return this.#ask("POST", `/packages?${new URLSearchParams({ name }).toString()}`, bytes);
  }

  createRollout(wish: Views["createRollout"]): Promise<Views["createdRollout"]> {
    return this.#ask("POST", "/rollouts", wish);
  }

  rollout(id: string): Promise<Views["rolloutDetail"]> {
    return this.#ask("GET", `/rollouts/${id}`);
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const isBytes = body instanceof Uint8Array;
    let answer: Response;
    try {
      answer = await fetch(this.#base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
        },
        ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Error(`no answer from the cloud at ${this.#base}`, { cause: error });
    }
    const text = await answer.text();
    if (answer.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
    throw new Error(`the cloud refused: ${reason(text) ?? `status ${answer.status}`}`);
  }
}

function reason(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error?: string }).error;
  } catch {
    return undefined;
  }
}

function target(url: string): Target {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}
