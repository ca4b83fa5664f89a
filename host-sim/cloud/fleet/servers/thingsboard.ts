import type { Target } from "../../../faults/weak-link";
import type { ProfileId } from "../../../operators/thingsboard/operator";
import { accountFrom, RestOperator } from "../../../operators/thingsboard/rest";
import type { FleetStatistics } from "../statistics";
import type { DeviceSettings, FleetImage, FleetRollout, FleetServer, RolloutPlan } from "./server";
import { plainTarget } from "./server";
import { inOrder, WaveRun } from "./waves";

/** Requests to the REST API at a time. */
const AT_ONCE = 8;

/**
 * A ThingsBoard server of one's own. It has no rollouts: everybody is asked by the device profile, and waves by the
 * assignments of their devices.
 */
export class ThingsBoardServer implements FleetServer {
  readonly place: string;
  readonly targets: readonly Target[];
  readonly #operator: RestOperator;
  #profile: ProfileId = "";
  #title = "";
  #ids: readonly string[] = [];
  #run: WaveRun | undefined;

  private constructor(operator: RestOperator) {
    this.#operator = operator;
    this.place = `ThingsBoard at ${operator.server}`;
    this.targets = [operator.mqtt, plainTarget(operator.server)];
  }

  /** The account is in the environment: XS_OTA_THINGSBOARD_USER, _PASSWORD, and _MQTT_PORT. */
  static async open(server: string): Promise<ThingsBoardServer> {
    const account = accountFrom({ ...process.env, XS_OTA_THINGSBOARD: server });
    return new ThingsBoardServer(await RestOperator.login(account));
  }

  async addDevices(names: readonly string[]): Promise<DeviceSettings[]> {
    this.#title = names[0]!.replace(/-\d+$/, "");
    this.#profile = await this.#operator.createProfile(this.#title);
    const made = await each(names, (name) => this.#operator.createDevice(name, this.#profile));
    this.#ids = made.map(({ id }) => id);
    const { server, mqtt } = this.#operator;
    const broker = { ...mqtt, tls: false };
    return made.map(({ accessToken }) => ({
      platform: { kind: "thingsboard", accessToken, server, title: this.#title },
      broker,
    }));
  }

  async begin({ version, bytes }: FleetImage, plan: RolloutPlan): Promise<void> {
    const firmware = await this.#operator.upload(this.#profile, { title: this.#title, version, bytes });
    const members = inOrder(this.#ids.length, plan.waves);
    this.#run = new WaveRun(members, plan, {
      release: async (wave) => {
        if (plan.waves === undefined) return this.#operator.assignToProfile(this.#profile, firmware);
        await each(members[wave]!, (index) => this.#operator.assign(this.#ids[index]!, firmware));
      },
      halt: async () => {},
    });
    await this.#run.begin();
  }

  look(statistics: FleetStatistics): Promise<FleetRollout> {
    return this.#run!.look(statistics);
  }

  /** The last state that each device has told. */
  async records(): Promise<Readonly<Record<string, number>>> {
    const states = await each(this.#ids, (id) => this.#operator.telemetry(id, ["fw_state"]));
    const counts: Record<string, number> = {};
    for (const { fw_state: told = [] } of states) {
      const state = told.at(-1) ?? "nothing";
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  }

  close(): Promise<void> {
    return this.#operator.cleanUp();
  }
}

/** Like Promise.all over the items, a few at a time. */
async function each<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const worker = async (first: number): Promise<void> => {
    for (let at = first; at < items.length; at += AT_ONCE) answers[at] = await ask(items[at]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => worker(first)));
  return answers;
}
