import type { Device } from "../devices/devices";
import type { Selection } from "./rollout";

export interface Selected {
  readonly devices: readonly string[];
  /** Left out because they run the version already: only where they were not named. */
  readonly current: number;
  /** Asked for and not known, or not the only ones of that name. */
  readonly unknown: readonly string[];
}

/** Devices in the order of the list, or that in which they were added; each once. */
export function select(selection: Selection, version: string, all: readonly Device[]): Selected {
  switch (selection.kind) {
    case "all":
      return outdated(all, version);
    case "version":
      return outdated(
        all.filter((device) => device.version === selection.version),
        version,
      );
    case "devices":
      return listed(selection.devices, new Map(all.map(({ id }) => [id, [id]])));
    case "names":
      return listed(selection.names, byName(all));
  }
}

function outdated(devices: readonly Device[], version: string): Selected {
  const old = devices.filter((device) => device.version !== version);
  return { devices: old.map(({ id }) => id), current: devices.length - old.length, unknown: [] };
}

function byName(all: readonly Device[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { id, name } of all) names.set(name, [...(names.get(name) ?? []), id]);
  for (const { id } of all) names.set(id, [id]);
  return names;
}

function listed(wanted: readonly string[], known: ReadonlyMap<string, readonly string[]>): Selected {
  const devices = new Set<string>();
  const unknown: string[] = [];
  for (const name of wanted) {
    const [id, ...more] = known.get(name) ?? [];
    if (id === undefined || more.length > 0) unknown.push(name);
    else devices.add(id);
  }
  return { devices: [...devices], current: 0, unknown };
}
