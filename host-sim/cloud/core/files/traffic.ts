/** What the file server handed out. Bytes are those of bodies that the system took from us; headers are not counted. */
export interface Count {
  readonly requests: number;
  readonly bytes: number;
  /** Responses that the client, or its power, cut short. */
  readonly aborted: number;
}

const NOTHING: Count = { requests: 0, bytes: 0, aborted: 0 };
/** Devices and packages counted by name; beyond it only the sum goes on. */
const NAMES_MAX = 20_000;

export class Traffic {
  #total = NOTHING;
  #connections = 0;
  readonly #packages = new Map<string, Count>();
  readonly #devices = new Map<string, Count>();

  connection(): void {
    this.#connections++;
  }

  add(packageId: string, device: string | undefined, change: Partial<Count>): void {
    this.#total = sum(this.#total, change);
    addTo(this.#packages, packageId, change);
    if (device !== undefined) addTo(this.#devices, device, change);
  }

  /** Connections that the file server has taken. */
  get connections(): number {
    return this.#connections;
  }

  total(): Count {
    return this.#total;
  }

  ofPackage(id: string): Count {
    return this.#packages.get(id) ?? NOTHING;
  }

  ofDevice(id: string): Count {
    return this.#devices.get(id) ?? NOTHING;
  }
}

function addTo(counts: Map<string, Count>, name: string, change: Partial<Count>): void {
  const old = counts.get(name);
  if (old !== undefined || counts.size < NAMES_MAX) counts.set(name, sum(old ?? NOTHING, change));
}

function sum(a: Count, b: Partial<Count>): Count {
  return {
    requests: a.requests + (b.requests ?? 0),
    bytes: a.bytes + (b.bytes ?? 0),
    aborted: a.aborted + (b.aborted ?? 0),
  };
}
