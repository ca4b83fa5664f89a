import assert from "node:assert/strict";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import type { CloudOptions } from "../../host-sim/cloud/core/cloud-options";
import type { RolloutRequest } from "../../host-sim/cloud/core/rollouts/rollouts";
import { firmware } from "./helpers";

const START = 1_000_000;

/** A cloud that is never started, with devices that a test plays by hand through the broker's ear. */
export class Field {
  /** The machine's clock, minus the time that has passed. */
  clockError = 0;
  now: number;
  readonly cloud: Cloud;
  readonly package: string;

  private constructor(cloud: Cloud, file: string, now: number) {
    this.cloud = cloud;
    this.package = file;
    this.now = now;
  }

  static async of(count: number, options: CloudOptions = {}): Promise<Field> {
    const field = await Field.opened(options, START);
    for (let index = 0; index < count; index++)
      field.cloud.addDevice("tencent", { productId: "P", deviceName: name(index), deviceSecret: "AAAA" });
    return field;
  }

  /** With the devices that the state folder has. */
  static async opened(options: CloudOptions, at: number): Promise<Field> {
    let field: Field | undefined;
    const cloud = await createCloud({
      ...options,
      now: () => (field?.now ?? at) + (field?.clockError ?? 0),
      running: () => field?.now ?? at,
    });
    const [file = await cloud.packages.add(firmware(5_000), { version: "2" })] = cloud.packages.list();
    return (field = new Field(cloud, file.id, at));
  }

  online(...devices: number[]): void {
    for (const device of devices) {
      const session = {
        clientId: `P${name(device)}`,
        username: "",
        serial: device,
        side: "tencent",
        device: id(device),
      };
      this.cloud.devices.presence(session, true, this.now);
    }
  }

  /** What the device's own report would come to. */
  ends(status: "success" | "failure", ...devices: number[]): void {
    for (const device of devices) {
      assert.ok(this.cloud.tasks.active(id(device)), `device ${device} was asked`);
      this.result(status, device);
    }
  }

  /** A result, of a task that was given up too. */
  result(status: "success" | "failure", device: number): void {
    const task = this.cloud.tasks.awaited(id(device));
    assert.ok(task, `device ${device} was asked`);
    const failed = status === "failure" ? { code: -5, message: "no" } : {};
    this.cloud.tasks.update(task.id, { status, finishedAt: this.now, ...failed });
  }

  create(request: Partial<RolloutRequest> = {}): string {
    return this.cloud.rollouts.create({ package: this.package, selection: { kind: "all" }, ...request }).rollout.id;
  }

  /** Devices that have a task under way. */
  asked(): number[] {
    return this.cloud.devices.list().flatMap((device, index) => (this.cloud.tasks.active(device.id) ? [index] : []));
  }

  state(rollout: string): string | undefined {
    return this.cloud.rollouts.get(rollout)?.state;
  }

  counts(rollout: string): object {
    const counts = Object.entries(this.cloud.rollouts.members(rollout)!.counts());
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}

const name = (index: number): string => `d${String(index).padStart(3, "0")}`;
export const id = (index: number): string => `tencent/P/${name(index)}`;
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
