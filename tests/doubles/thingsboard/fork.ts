/** A copy of the records of a server, for a search that goes on from one moment in several ways. Files are shared. */
import type { Device, Profile } from "./model";
import type { Repository } from "./repository";

/** `to` is empty. */
export function forkRecords(from: Repository, to: Repository): void {
  for (const [id, profile] of from.profiles) to.profiles.set(id, { ...profile });
  const profileOf = ({ id }: Profile): Profile => to.profiles.get(id)!;
  for (const [id, firmware] of from.packages) to.packages.set(id, firmware);
  for (const [id, device] of from.devices) {
    const { profile, shared, client, telemetry } = device;
    const copy: Device = {
      ...device,
      profile: profileOf(profile),
      shared: new Map(shared),
      client: new Map(client),
      telemetry: new Map([...telemetry].map(([key, samples]) => [key, [...samples]])),
    };
    to.devices.set(id, copy);
  }
}
