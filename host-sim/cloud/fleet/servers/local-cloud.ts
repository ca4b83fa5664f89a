import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomDevice } from "../../core/platforms/sides";
import type { Target } from "../../../faults/weak-link";
import { CloudClient } from "../cloud-client";
import { OwnCloud } from "../own-cloud";
import type { DeviceSettings, FleetImage, FleetRollout, FleetServer, RolloutPlan } from "./server";

/** A local cloud that runs already, or one of our own. It plays Tencent's platform and ThingsPanel. */
export class LocalCloud implements FleetServer {
  readonly place: string;
  readonly targets: readonly Target[];
  readonly process: { kill(): Promise<void>; start(): Promise<void> } | undefined;
  readonly #client: CloudClient;
  readonly #kind: string;
  readonly #removeAll: () => Promise<void>;
  /** Devices outside this fleet that were online before. */
  readonly #others: number;
  #ids: readonly string[] = [];
  #rollout = "";

  private constructor(
    client: CloudClient,
    kind: string,
    at: { place: string; targets: readonly Target[]; others: number },
    own: OwnCloud | undefined,
    removeAll: () => Promise<void>,
  ) {
    this.#client = client;
    this.#kind = kind;
    this.#others = at.others;
    this.place = at.place;
    this.targets = at.targets;
    this.process = own;
    this.#removeAll = removeAll;
  }

  /** `kind`: of the devices, "tencent", "thingspanel-v0" or "thingspanel-v1". */
  static async open(kind: string, cloud?: { readonly url: string; readonly token: string }): Promise<LocalCloud> {
    if (cloud !== undefined) return LocalCloud.#at(kind, cloud);
    const folder = await mkdtemp(join(tmpdir(), "xs-ota-fleet-"));
    const own = new OwnCloud(join(folder, "cloud"), ["--engine", "node"]);
    const remove = async (): Promise<void> => {
      await own.kill();
      await rm(folder, { recursive: true, force: true });
    };
    try {
      await own.start();
      return await LocalCloud.#at(kind, { url: own.url, token: await own.token() }, own, remove);
    } catch (error) {
      await remove();
      throw error;
    }
  }

  static async #at(
    kind: string,
    { url, token }: { readonly url: string; readonly token: string },
    own?: OwnCloud,
    remove?: () => Promise<void>,
  ): Promise<LocalCloud> {
    const client = new CloudClient(url, token);
    const targets = await client.targets();
    const others = (await client.overview()).devices.online;
    return new LocalCloud(client, kind, { place: `cloud at ${url}`, targets, others }, own, remove ?? (async () => {}));
  }

  async addDevices(names: readonly string[]): Promise<DeviceSettings[]> {
    const devices = names.map((name) => randomDevice(this.#kind, name));
    const platform = devices[0]!.platform;
    this.#ids = await this.#client.addDevices(
      platform,
      devices.map(({ identity }) => identity),
    );
    const broker = { ...this.targets[0]!, tls: false };
    const more = platform === "tencent" ? { authMode: "KEY" } : { brokerHost: broker.host };
    return devices.map(({ identity }) => ({ platform: { kind: platform, ...more, ...identity }, broker }));
  }

  async online(): Promise<number> {
    return (await this.#client.overview()).devices.online - this.#others;
  }

  async begin({ version, bytes }: FleetImage, { waves, failureLimit, timeLimit }: RolloutPlan): Promise<void> {
    const file = await this.#client.upload(bytes, `fleet-${version}.bin`);
    const { rollout } = await this.#client.createRollout({
      package: file.id,
      selection: { kind: "devices", devices: [...this.#ids] },
      ...(waves === undefined ? {} : { waves: [...waves] }),
      ...(failureLimit === undefined ? {} : { failureLimit }),
      timeout: Math.ceil(timeLimit / 1000),
    });
    this.#rollout = rollout.id;
  }

  async look(): Promise<FleetRollout> {
    return (await this.#client.rollout(this.#rollout)).rollout;
  }

  async served(): Promise<number> {
    return (await this.#client.overview()).served.bytes;
  }

  async close(): Promise<void> {
    // In a cloud that goes on without us nothing is left behind.
    if (this.process === undefined) for (const id of this.#ids) await this.#client.removeDevice(id);
    await this.#removeAll();
  }
}
