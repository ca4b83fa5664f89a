/** Devices of ThingsPanel for the tests of its side. */
import type { MqttClient } from "mqtt";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Task } from "../../host-sim/cloud/core/devices/tasks";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import type { ThingsPanelOptions } from "../../host-sim/cloud/core/platforms/thingspanel/side";
import { firmware, mqtt, withCloud } from "./helpers";

export const V0 = {
  profile: "v0",
  username: "token-123",
  clientId: "dev-1",
  deviceNumber: "dev-1",
  module: "MCU",
} as const;
export const V1 = {
  profile: "v1",
  username: "user-7",
  password: "s3cr3t7",
  clientId: "dev-2",
  deviceNumber: "number-2",
} as const;
export const PROGRESS = { v0: "ota/device/progress", v1: "ota/devices/progress" } as const;

export interface TaskMessage {
  readonly code: string;
  readonly id: string;
  readonly params: {
    readonly url: string;
    readonly sign: string;
    readonly size: unknown;
    readonly module: unknown;
    readonly version: string;
  };
}

/** A device without an agent: collects what it is sent, as text. */
export class Device {
  readonly client: MqttClient;
  readonly texts: string[] = [];
  readonly topics: string[] = [];
  readonly qos: number[] = [];
  #wake: (() => void) | undefined;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on("error", () => undefined);
    client.on("message", (topic, payload, packet) => {
      this.texts.push(payload.toString());
      this.topics.push(topic);
      this.qos.push(packet.qos);
      this.#wake?.();
    });
  }

  static async connect(
    cloud: { readonly mqttPort: number },
    identity: { username: string; password?: string; clientId: string },
  ): Promise<Device> {
    const { username, password, clientId } = identity;
    return new Device(
      await mqtt({ port: cloud.mqttPort, username, clientId, ...(password === undefined ? {} : { password }) }),
    );
  }

  /** The messages, once there are so many. */
  async received(count: number): Promise<TaskMessage[]> {
    while (this.texts.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.texts.map((text) => JSON.parse(text) as TaskMessage);
  }

  async publish(topic: string, message: object, dup = false): Promise<void> {
    await this.client.publishAsync(topic, JSON.stringify(message), { qos: 1, dup });
  }

  /** SUBACK codes; 128 is a refusal. */
  async subscribe(...topics: string[]): Promise<number[]> {
    const codes: number[] = [];
    // The client takes a refusal for an error.
    for (const topic of topics)
      codes.push(
        await this.client.subscribeAsync(topic, { qos: 1 }).then(
          (granted) => granted[0]!.qos,
          () => 128,
        ),
      );
    return codes;
  }

  leave(): Promise<void> {
    return this.client.endAsync(true);
  }
}

export const step = (number: number | string, module?: string): object => ({
  step: String(number),
  desc: `step ${number}`,
  ...(module === undefined ? {} : { module }),
});
export const version = (text: string): object => ({ id: "1234567890", params: { version: text, module: "MCU" } });

export async function onV0(
  use: (cloud: Cloud, device: Device, file: Package) => Promise<void>,
  options: ThingsPanelOptions = {},
): Promise<void> {
  await withCloud({ thingspanel: options }, async (cloud) => {
    cloud.addDevice("thingspanel", V0);
    const device = await Device.connect(cloud, V0);
    await device.subscribe("ota/device/inform/token-123");
    try {
      await use(cloud, device, await cloud.packages.add(firmware(10_000), { version: "0.2.0" }));
    } finally {
      await device.leave();
    }
  });
}

export async function onV1(
  use: (cloud: Cloud, device: Device, file: Package) => Promise<void>,
  options: ThingsPanelOptions = {},
): Promise<void> {
  await withCloud({ thingspanel: options }, async (cloud) => {
    cloud.addDevice("thingspanel", V1);
    const device = await Device.connect(cloud, V1);
    await device.subscribe("ota/devices/inform/number-2", "ota/devices/infrom/number-2");
    try {
      await use(cloud, device, await cloud.packages.add(firmware(10_000), { version: "0.2.0" }));
    } finally {
      await device.leave();
    }
  });
}

export const now = (cloud: Cloud, { id }: Task): Task => cloud.tasks.get(id)!;
