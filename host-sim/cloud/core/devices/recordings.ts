/** Recordings of failed updates, as devices publish them on their topic. */
import { readRecording, RecordingError } from "../../../replay/read-recording";
import { BoundedLog } from "../bounded-log";
import type { Bus } from "../broker/bus";
import type { Device, DeviceRegistry } from "./devices";
import type { StateDatabase } from "../state/database";
import type { StateKeeper } from "../state/keeper";

/** The device that publishes there is the one that is named behind it. */
const TOPICS = "xs-ota/recordings/";

/** Topic of a device's recordings: `diagnosticsTopic` of its agent. */
export const recordingsTopic = (device: string): string => TOPICS + device;

export interface StoredRecording {
  readonly reference: string;
  /** When it came; milliseconds since 1970. */
  readonly at: number;
  readonly base64: string;
}

/** The latest ones are kept, of the devices that failed last: 30 MB at most. */
const OF_DEVICE = 8;
export const DEVICES_WITH_RECORDINGS = 500;
/** Characters; a device makes 7,520 at most. */
const LENGTH_MAX = 8_192;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What this needs of a cloud. */
export interface RecordingCloud {
  readonly bus: Bus;
  readonly database: StateDatabase | undefined;
  readonly keeper: StateKeeper | undefined;
  readonly devices: Pick<DeviceRegistry, "get">;
}

export class Recordings {
  readonly #cloud: RecordingCloud;
  readonly #added: (device: Device) => void;
  readonly #kept = new Map<string, BoundedLog<StoredRecording>>();

  constructor(cloud: RecordingCloud, added: (device: Device) => void) {
    this.#cloud = cloud;
    this.#added = added;
    for (const row of cloud.database?.all("SELECT device, at, reference, base64 FROM recordings ORDER BY id") ?? [])
      this.#keep(String(row["device"]), {
        reference: String(row["reference"]),
        at: Number(row["at"]),
        base64: String(row["base64"]),
      });
    cloud.bus.onMessage(`${TOPICS}#`, ({ topic, payload, at }) =>
      this.#heard(topic.slice(TOPICS.length), Buffer.from(payload).toString("latin1"), at),
    );
  }

  /** Oldest first. */
  of(device: string): StoredRecording[] {
    return this.#kept.get(device)?.entries() ?? [];
  }

  forget(device: string): void {
    if (!this.#kept.delete(device)) return;
    this.#cloud.keeper?.write(`recordings of ${device}`, (database) =>
      database.run("DELETE FROM recordings WHERE device = ?", device),
    );
  }

  /** What is no recording, or came before, is dropped. */
  #heard(device: string, base64: string, at: number): void {
    const known = this.#cloud.devices.get(device);
    if (known === undefined || base64.length > LENGTH_MAX || !BASE64.test(base64)) return;
    const reference = referenceOf(base64);
    if (reference === undefined || this.of(device).some((one) => one.base64 === base64)) return;
    this.#keep(device, { reference, at, base64 });
    this.#cloud.keeper?.write(`recordings of ${device}`, (database) => {
      database.run("DELETE FROM recordings WHERE device = ?", device);
      for (const one of this.of(device))
        database.run(
          "INSERT INTO recordings(device, at, reference, base64) VALUES(?, ?, ?, ?)",
          device,
          one.at,
          one.reference,
          one.base64,
        );
    });
    this.#added(known);
  }

  #keep(device: string, recording: StoredRecording): void {
    const kept = this.#kept.get(device) ?? new BoundedLog<StoredRecording>(OF_DEVICE);
    kept.add(recording);
    // The device that failed last is the last one.
    this.#kept.delete(device);
    this.#kept.set(device, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > DEVICES_WITH_RECORDINGS && oldest !== undefined) this.forget(oldest);
  }
}

function referenceOf(base64: string): string | undefined {
  try {
    return readRecording(Buffer.from(base64, "base64")).reference;
  } catch (error) {
    if (error instanceof RecordingError) return undefined;
    throw error;
  }
}
