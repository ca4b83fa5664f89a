import type { DeviceRegistry, LoggedMessage } from "../devices/devices";
import type { Rollouts } from "../rollouts/rollouts";
import type { TaskLedger } from "../devices/tasks";
import type { StateDatabase } from "./database";
import { lastRollout, loadDevices, loadMessages, loadRollouts, loadTasks } from "./rows";

/** What is brought back: a cloud, as far as this goes. */
export interface Restored {
  readonly devices: DeviceRegistry;
  readonly tasks: TaskLedger;
  readonly rollouts: Rollouts;
  readonly platforms: readonly string[];
  addDevice(platform: string, identity: unknown): string;
}

/**
 * Restores the stored state. `online`: devices were not disconnected by the end of the process, since their broker is
 * elsewhere. What is there of a platform that is not played any more stays in the database, untouched.
 */
export function restore(database: StateDatabase, cloud: Restored, { online }: { readonly online: boolean }): void {
  const messages = new Map<string, LoggedMessage[]>();
  for (const { device, message } of loadMessages(database)) {
    const list = messages.get(device) ?? [];
    list.push(message);
    messages.set(device, list);
  }
  for (const stored of loadDevices(database)) {
    if (!cloud.platforms.includes(stored.platform)) continue;
    const { id, version, lastSeen } = stored;
    cloud.addDevice(stored.platform, stored.identity);
    cloud.devices.load(
      id,
      {
        ...(version === undefined ? {} : { version }),
        ...(lastSeen === undefined ? {} : { lastSeen }),
        ...(online && stored.online ? { online: true } : {}),
      },
      messages.get(id) ?? [],
    );
  }
  for (const task of loadTasks(database)) if (cloud.devices.get(task.device)) cloud.tasks.load(task);
  cloud.rollouts.reserve(lastRollout(database));
  for (const { rollout, members } of loadRollouts(database)) cloud.rollouts.load(rollout, members);
}
