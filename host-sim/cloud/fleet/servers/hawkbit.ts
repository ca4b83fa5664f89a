import type { Target } from "../../../faults/weak-link";
import { accountFrom, RestOperator } from "../../../operators/hawkbit/rest";
import type { DeviceSettings, FleetImage, FleetRollout, FleetServer, RolloutPlan } from "./server";
import { plainTarget } from "./server";

/** Type of the software module. */
const PART = "xs_ota_firmware";
/** Percent of a group that may fail, where nothing else is asked for. */
const LIMIT = 50;

/** An Eclipse hawkBit server of one's own. Groups and the error threshold are the server's. */
export class HawkbitServer implements FleetServer {
  readonly place: string;
  readonly targets: readonly Target[];
  readonly #operator: RestOperator;
  readonly #pollSeconds: number;
  #prefix = "";
  #rollout = "";

  private constructor(operator: RestOperator, pollSeconds: number) {
    this.#operator = operator;
    this.#pollSeconds = pollSeconds;
    this.place = `hawkBit at ${operator.server}`;
    this.targets = [plainTarget(operator.server)];
  }

  /** The account is in the environment: XS_OTA_HAWKBIT_USER, XS_OTA_HAWKBIT_PASSWORD. */
  static async open(server: string, pollSeconds: number): Promise<HawkbitServer> {
    const operator = new RestOperator(accountFrom({ ...process.env, XS_OTA_HAWKBIT: server }));
    const opened = new HawkbitServer(operator, pollSeconds);
    await operator.prepare();
    return opened;
  }

  async addDevices(names: readonly string[]): Promise<DeviceSettings[]> {
    const { server, tenant } = this.#operator;
    // All but the number.
    this.#prefix = names[0]!.replace(/\d+$/, "");
    const tokens = await this.#operator.createDevices(names);
    return names.map((controllerId, index) => ({
      platform: {
        kind: "hawkbit",
        server,
        tenant,
        controllerId,
        targetToken: tokens[index]!,
        part: PART,
        pollSeconds: this.#pollSeconds,
      },
    }));
  }

  async begin({ version, bytes }: FleetImage, { groups = 1, failureLimit = LIMIT }: RolloutPlan): Promise<void> {
    const name = this.#prefix;
    const firmware = await this.#operator.upload({ name, version, part: PART, fileName: "fw.bin", bytes });
    this.#rollout = await this.#operator.rollOut({
      name,
      targets: `controllerid==${this.#prefix}*`,
      firmware,
      groups,
      // The next group follows when no more than those that may fail are left.
      success: Math.max(1, 100 - failureLimit),
      error: failureLimit,
    });
  }

  async look(): Promise<FleetRollout> {
    const { status, total, perStatus } = await this.#operator.rollout(this.#rollout);
    const of = (...keys: readonly string[]): number => keys.reduce((sum, key) => sum + (perStatus[key] ?? 0), 0);
    const counts = {
      pending: of("notstarted", "scheduled"),
      pushed: 0,
      upgrading: of("running"),
      success: of("finished"),
      failure: of("error"),
      cancelled: of("cancelled"),
    };
    const reason = `hawkBit has paused it: ${counts.failure} of ${total} devices failed`;
    if (status === "paused") return { state: "halted", reason, counts, waves: [] };
    const over = status === "finished" || counts.success + counts.failure + counts.cancelled === total;
    return { state: over ? "finished" : "running", counts, waves: [] };
  }

  async records(): Promise<Readonly<Record<string, number>>> {
    return (await this.#operator.rollout(this.#rollout)).perStatus;
  }

  close(): Promise<void> {
    return this.#operator.cleanUp();
  }
}
