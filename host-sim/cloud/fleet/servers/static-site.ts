import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readHeader } from "../../../../src/image/esp-image";
import { readFirmware } from "../../../../src/image/firmware-block";
import { placeOf } from "../../../../src/platforms/static/rollout";
import { NodeCrypto } from "../../../board/node-crypto";
import type { Target } from "../../../faults/weak-link";
import { Site } from "../../../publish/site";
import { chipFamily, withRelease } from "../../../publish/site-manifest";
import type { SiteManifest } from "../../../publish/site-manifest";
import type { FleetStatistics } from "../statistics";
import type { DeviceSettings, FleetImage, FleetRollout, FleetServer, RolloutPlan } from "./server";
import { plainTarget } from "./server";
import { SiteServer } from "./site-server";
import { WaveRun } from "./waves";

const quiet = (): void => undefined;

/**
 * A folder of `xs-ota publish` behind any web server, or behind one of our own. Waves are percentages of the manifest,
 * so their sizes are what the devices' places make of them.
 */
export class StaticSite implements FleetServer {
  readonly place: string;
  readonly targets: readonly Target[];
  readonly #site: Site;
  readonly #name: string;
  readonly #url: string;
  readonly #server: SiteServer;
  readonly #pollSeconds: number;
  readonly #isOurs: boolean;
  #deviceIds: readonly string[] = [];
  /** What was put into the folder. */
  #files: readonly string[] = [];
  #run: WaveRun | undefined;

  private constructor(
    at: { readonly url: string; readonly folder: string; readonly name: string },
    server: SiteServer,
    pollSeconds: number,
    isOurs: boolean,
  ) {
    this.#site = new Site(at.folder);
    this.#name = at.name;
    this.#url = at.url;
    this.#server = server;
    this.#pollSeconds = pollSeconds;
    this.#isOurs = isOurs;
    this.place = `manifest at ${at.url}`;
    this.targets = [plainTarget(at.url)];
  }

  /** `elsewhere`: the URL under which a web server of one's own serves a folder. Default: our own server and folder. */
  static async open(
    pollSeconds: number,
    elsewhere?: { readonly server: string; readonly site: string },
  ): Promise<StaticSite> {
    const folder = elsewhere?.site ?? (await mkdtemp(join(tmpdir(), "xs-ota-fleet-")));
    const server = await SiteServer.open(folder);
    const base = (elsewhere?.server ?? server.url).replace(/\/+$/, "");
    // Of its own, so that what the folder has is left alone.
    const name = `fleet-${process.pid}-${Date.now().toString(36)}.json`;
    return new StaticSite({ url: `${base}/${name}`, folder, name }, server, pollSeconds, elsewhere === undefined);
  }

  async addDevices(names: readonly string[]): Promise<DeviceSettings[]> {
    this.#deviceIds = names;
    // A poll of a manifest that is not there is a failure: devices would come back late.
    this.#site.write(this.#name, { name: "fleet", version: "0", builds: [], percent: 0 }, quiet);
    return names.map((deviceId) => ({
      platform: {
        kind: "static",
        manifest: this.#url,
        deviceId,
        pollSeconds: this.#pollSeconds,
        report: `${this.#server.url}/report`,
      },
    }));
  }

  async begin({ version, bytes }: FleetImage, plan: RolloutPlan): Promise<void> {
    const { product } = readFirmware(bytes.subarray(0, 4096), false);
    const ota = this.#site.add(`${product}-${version}`, ".bin", bytes);
    this.#files = [ota.path];
    const build = { chipFamily: chipFamily(readHeader(bytes).chip), ota };
    const manifest = withRelease(undefined, { product, version, build }, 0, false);
    const { waves = [100] } = plan;
    this.#run = new WaveRun(membersOf(this.#deviceIds, product, version, waves), plan, {
      release: async (wave) => this.#publish(manifest, waves[wave]!),
      halt: async () => this.#publish(manifest, 0),
    });
    await this.#run.begin();
  }

  look(statistics: FleetStatistics): Promise<FleetRollout> {
    return this.#run!.look(statistics);
  }

  async served(): Promise<number> {
    return this.#server.served;
  }

  /** Devices by the outcome that they have posted last. */
  async records(): Promise<Readonly<Record<string, number>>> {
    return this.#server.outcomes();
  }

  async close(): Promise<void> {
    await this.#server.close();
    const { folder } = this.#site;
    if (this.#isOurs) await rm(folder, { recursive: true, force: true });
    else for (const name of [this.#name, ...this.#files]) await rm(join(folder, name), { force: true });
  }

  #publish(manifest: SiteManifest, percent: number): void {
    this.#site.write(this.#name, { ...manifest, percent }, quiet);
  }
}

/** Numbers of the devices that each raise of the percentage adds. */
function membersOf(ids: readonly string[], product: string, version: string, waves: readonly number[]): number[][] {
  const crypto = new NodeCrypto();
  const members: number[][] = waves.map(() => []);
  for (const [index, id] of ids.entries()) {
    const percent = placeOf(crypto, product, version, id) * 100;
    members[waves.findIndex((upTo) => percent < upTo)]!.push(index);
  }
  return members;
}
