import type { Views } from "../../api/schemas/views";
import type { FirmwareConfiguration } from "../../../board/firmware/configuration";
import type { Target } from "../../../faults/weak-link";
import type { FleetStatistics } from "../statistics";

/** A rollout as its server has it, or as the fleet's own waves have it where the server knows none. */
export type FleetRollout = Pick<Views["rollout"], "state" | "reason" | "counts" | "waves">;

/** How the devices of a fleet are asked. */
export interface RolloutPlan {
  /** Rising percentages up to 100. Default: everybody at once. */
  readonly waves?: readonly number[];
  /** Percent of the devices asked so far (on hawkBit: of a group) that failed, above which the rollout halts. */
  readonly failureLimit?: number;
  /** Groups of equal size, of a server that makes them itself. */
  readonly groups?: number;
  /** Milliseconds that it may take. */
  readonly timeLimit: number;
}

export interface FleetImage {
  readonly version: string;
  readonly bytes: Buffer;
}

/** What a device has to know of the server. */
export type DeviceSettings = Pick<FirmwareConfiguration, "platform" | "broker">;

/** The server that carries a fleet's rollout. Each call rejects with one line. */
export interface FleetServer {
  /** For people: what it is, and where. */
  readonly place: string;
  /** Its ports for plain TCP, the one that says whether a device is connected first. */
  readonly targets: readonly Target[];
  /** Makes devices with these names. */
  addDevices(names: readonly string[]): Promise<DeviceSettings[]>;
  /** How many of them it sees online. Undefined: it does not say. */
  online?(): Promise<number>;
  begin(image: FleetImage, plan: RolloutPlan): Promise<void>;
  look(statistics: FleetStatistics): Promise<FleetRollout>;
  /** Bytes of firmware served so far, where it counts them. */
  served?(): Promise<number>;
  /** Devices by what the server's own records say of them in the end. */
  records?(): Promise<Readonly<Record<string, number>>>;
  /** Of a server that the fleet started: kills it, and starts it again. */
  readonly process?: { kill(): Promise<void>; start(): Promise<void> } | undefined;
  /** Removes what was made. */
  close(): Promise<void>;
}

/** Throws one line unless `server` is the address of a plain HTTP server. */
export function plainTarget(server: string): Target {
  if (!URL.canParse(server)) throw new Error(`${server} is not the URL of a server`);
  const { protocol, hostname, port } = new URL(server);
  if (protocol !== "http:") throw new Error(`${server}: a fleet needs plain HTTP`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) };
}
