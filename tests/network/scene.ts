/** One fault, one device, one cloud: from the offer to its outcome, and on to the next offer. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { CloudOptions } from "../../host-sim/cloud/core/cloud-options";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import type { Task } from "../../host-sim/cloud/core/devices/tasks";
import type { Explanation } from "../../host-sim/replay/explanations/explanations";
import { firmwareImage } from "../kit/images";
import { NetworkDevice, SIZE } from "./device";
import type { NetworkDeviceOptions } from "./device";

export interface Row {
  readonly fault: string;
  /** What the server or broker does. */
  readonly does: string;
  /** What the agent does about it. */
  readonly agent: string;
  /** State, code and message on the wire. */
  readonly report: string;
  /** Bytes of the file that were served and not kept. */
  readonly again: number;
  /** What `xs-ota replay --explain` makes of the recording. */
  readonly explained: Explanation;
}

export const NEW = firmwareImage("0.2.0", SIZE);
export const NEXT = firmwareImage("0.3.0", SIZE);
const PRODUCT = "NETWORK001";

export class Scenery {
  readonly cloud: Cloud;
  readonly #images: readonly [Package, Package];
  #devices = 0;

  private constructor(cloud: Cloud, images: readonly [Package, Package]) {
    this.cloud = cloud;
    this.#images = images;
  }

  /** `files`: what is offered, of version 0.2.0 and then of 0.3.0. */
  static async make(
    options: CloudOptions = {},
    files: readonly [Uint8Array, Uint8Array] = [NEW, NEXT],
  ): Promise<Scenery> {
    const cloud = await createCloud({ tencent: { pushDelay: 1 }, ...options });
    await cloud.start();
    return new Scenery(cloud, [
      await cloud.packages.add(files[0], { name: "new.bin" }),
      await cloud.packages.add(files[1], { name: "next.bin" }),
    ]);
  }

  /** A device of its own, with the broker at `port`. */
  device(port = this.cloud.mqttPort, change: Partial<NetworkDeviceOptions> = {}): Case {
    const identity = {
      productId: PRODUCT,
      deviceName: `device-${++this.#devices}`,
      deviceSecret: randomBytes(16).toString("base64"),
    };
    const id = this.cloud.addDevice("tencent", identity);
    const device = new NetworkDevice({
      platform: { kind: "tencent", authMode: "KEY", ...identity },
      broker: { host: "127.0.0.1", port, tls: false },
      ...change,
    });
    return new Case(this.cloud, id, identity, device, this.#images);
  }

  stop(): Promise<void> {
    return this.cloud.stop();
  }
}

export class Case {
  readonly id: string;
  readonly identity: { readonly productId: string; readonly deviceName: string; readonly deviceSecret: string };
  readonly device: NetworkDevice;
  readonly cloud: Cloud;
  /** Reports of the device as they came: version, state, code and message. */
  readonly said: {
    readonly version: string;
    readonly state: string;
    readonly code: string;
    readonly message: string;
  }[] = [];
  versionReports = 0;
  /** Publishes that came marked as repeated. */
  repeated = 0;
  readonly #images: readonly [Package, Package];
  readonly #listener: Parameters<Cloud["on"]>[1];

  constructor(
    cloud: Cloud,
    id: string,
    identity: Case["identity"],
    device: NetworkDevice,
    images: readonly [Package, Package],
  ) {
    this.cloud = cloud;
    this.id = id;
    this.identity = identity;
    this.device = device;
    this.#images = images;
    const listener = (
      from: { readonly id: string },
      message: { readonly direction: string; readonly payload: string; readonly dup: boolean },
    ): void => {
      if (from.id !== id || message.direction !== "up") return;
      if (message.dup) this.repeated++;
      this.#hear(message.payload);
    };
    this.#listener = listener as Parameters<Cloud["on"]>[1];
    cloud.on("message", listener);
  }

  #hear(payload: string): void {
    const { type, report } = JSON.parse(payload) as {
      type: string;
      report: { version: string; progress?: { state: string; result_code: string; result_msg: string } };
    };
    if (type === "report_version") this.versionReports++;
    else if (report.progress !== undefined)
      this.said.push({
        version: report.version,
        state: report.progress.state,
        code: report.progress.result_code,
        message: report.progress.result_msg,
      });
  }

  /** Offers version 0.2.0 and waits for the end of it. Connects first. */
  async update(afterPush?: () => void): Promise<Task> {
    this.device.powerOn();
    await this.device.clock.until(() => this.cloud.devices.get(this.id)?.version !== undefined);
    return this.offer(0, afterPush);
  }

  /** The next offer, from a server without a fault, is accepted and completed. */
  async recover(): Promise<void> {
    this.cloud.route(this.id, undefined);
    const task = await this.offer(1);
    assert.equal(task.status, "success", `the next offer: ${task.message}`);
    assert.equal(this.device.version, "0.3.0");
    const breaches = this.cloud.violations().filter(({ device }) => device === this.id);
    assert.deepEqual(breaches, []);
  }

  async offer(image: 0 | 1, afterPush?: () => void): Promise<Task> {
    const { cloud, device } = this;
    const task = cloud.push(this.id, this.#images[image]);
    afterPush?.();
    const settled = await cloud.settled(task.id);
    await device.clock.until(() => device.state === "idle");
    return settled;
  }

  /** Distinct terminal outcomes reported for one version; an identical repetition is the same outcome. */
  outcomes(version = "0.2.0"): string[] {
    const ends = this.said.filter((one) => one.version === version && (one.state === "done" || one.state === "fail"));
    return [
      ...new Set(ends.map(({ state, code, message }) => `${state} ${code}${message === "" ? "" : `: ${message}`}`)),
    ];
  }

  end(): void {
    this.cloud.off("message", this.#listener as never);
    this.device.powerOff();
  }
}

/** What the agent did, from its log and its notices. */
export function deeds(device: NetworkDevice, port: number, renewals = 0): string {
  const waits = device.log.flatMap((line) => /^download: (.*); again in (\d+) ms$/.exec(line)?.slice(1) ?? []);
  const reasons = [...new Set(waits.filter((_, index) => index % 2 === 0))];
  const times = waits.filter((_, index) => index % 2 === 1).map(Number);
  const connections = device.connects.filter((one) => one.port === port).length;
  const words = [`${connections} connection${connections === 1 ? "" : "s"}`];
  if (times.length > 0)
    words.push(
      `waits ${times.length} time${times.length === 1 ? "" : "s"}, ${Math.round(times.reduce((a, b) => a + b, 0) / 1000)} s in all (${reasons.slice(0, 2).join("; ")})`,
    );
  if (renewals > 0) words.push(`asks for a fresh URL ${renewals} time${renewals === 1 ? "" : "s"}`);
  return words.join(", ");
}
