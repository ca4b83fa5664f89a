import type { PublishVerdict } from "../../broker/gate";
import { GENERATIONS } from "./generations";
import { deviceNumberOf, type ThingsPanelDevice } from "./identity";

/** How v1 spells the topic of its tasks: the shipped configuration has "infrom". */
export type Spelling = "inform" | "infrom";

export function taskTopic(device: ThingsPanelDevice, spelling: Spelling): string {
  return device.profile === "v0"
    ? `ota/device/inform/${device.username}`
    : `ota/devices/${spelling}/${deviceNumberOf(device)}`;
}

/**
 * The broker's permissions. v1 lets anybody have any device's tasks, but none by a wildcard; v0 lets everybody have
 * everything. False: SUBACK 0x80.
 */
export function maySubscribe({ profile }: ThingsPanelDevice, filter: string, permits: readonly Spelling[]): boolean {
  return profile === "v0" || permits.some((spelling) => new RegExp(`^ota/devices/${spelling}/[^/+#]+$`).test(filter));
}

/** A topic that v1's broker does not know is acknowledged and thrown away: the device can not notice. */
export function mayPublish(device: ThingsPanelDevice, topic: string): PublishVerdict {
  const { progress, version } = GENERATIONS[device.profile];
  return topic === progress || topic === version || topic === behindVerneMq(device) ? "accept" : "drop";
}

/** v0 with VerneMQ in front listens one level deeper. */
export function behindVerneMq({ profile, username }: ThingsPanelDevice): string | undefined {
  return profile === "v0" ? `${GENERATIONS.v0.progress}/${username}` : undefined;
}
