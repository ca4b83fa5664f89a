import type { DownloadOptions } from "../download/outputs";
import type { Notice } from "../job/effects";
import type { Policy } from "../job/policy";
import type { Offer, Task } from "../job/types";
import type { ModuleInstaller } from "../modules/installer";
import type { Platform } from "../platforms/platform";
import type { Ports } from "../ports";
import type { Recorder } from "../recorder/recorder";
import type { BrokerAddress, MqttLink } from "./link";
import type { WakeBudget } from "./sleep";

export interface AgentOptions {
  readonly ports: Ports;
  readonly platform: Platform;
  readonly policy?: Partial<Policy>;
  /** The agent's own connection to the broker ... */
  readonly broker?: BrokerAddress | undefined;
  /** ... or an external MQTT client. A broker platform requires one of the two; others use neither. */
  readonly link?: MqttLink;
  /** How files are asked for: bytes at a time, and whether ThingsPanel's checksum of each range is looked at. */
  readonly download?: Pick<DownloadOptions, "range" | "crc16">;
  /** Who takes the modules that are not the firmware, by their names in offers. Others are refused. */
  readonly modules?: { readonly [name: string]: ModuleInstaller };
  /**
   * What ended the last run: the report of a rollback says it, where it was the new firmware's. Default: what the ports'
   * launcher knows.
   */
  readonly lastFault?: string | undefined;
  /** For battery devices: what one wake may cost. It counts for `maySleep` and `sleepUntil` alone. */
  readonly wake?: WakeBudget;
  /** False: nothing is recorded. Default: what leads to a failure is. A test may pass a recorder of its own. */
  readonly recorder?: boolean | Recorder;
  /** Topic of the broker to which recordings are published, in base64 at QoS 1. Default: none. */
  readonly diagnosticsTopic?: string;
  /** Everything worth watching. */
  onNotice?(notice: Notice): void;
  /**
   * An update has failed: its recording, at most 5.5 KiB, for `xs-ota replay`. It holds no secret, no URL and no byte of a
   * file. `reference`: its short id, which the notice of the failure has too.
   */
  onDiagnostics?(recording: Uint8Array, reference: string): void;
  /** An offer wants to begin. Answer now or later, once. Default: accept. */
  onOffer?(offer: Offer, answer: (decision: "accept" | "reject") => void): void;
  /** The new image is proven and the chip would restart. Call `proceed` when it may. Default: at once. */
  onRestart?(task: Task, proceed: () => void): void;
  /** New firmware has reached the cloud: is the application well? Answer before the trial ends. Default: yes. */
  onHealthCheck?(answer: (ok: boolean, message?: string) => void): void;
}
