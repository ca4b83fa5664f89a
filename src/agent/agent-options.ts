import type { DownloadOptions } from "../download/outputs";
import type { Notice } from "../job/effects";
import type { Policy } from "../job/policy";
import type { Offer, Task } from "../job/types";
import type { ModuleInstaller } from "../modules/installer";
import type { Platform } from "../platforms/platform";
import type { Ports } from "../ports";
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
  /** Everything worth watching. */
  onNotice?(notice: Notice): void;
  /** An offer wants to begin. Answer now or later, once. Default: accept. */
  onOffer?(offer: Offer, answer: (decision: "accept" | "reject") => void): void;
  /** The new image is proven and the chip would restart. Call `proceed` when it may. Default: at once. */
  onRestart?(task: Task, proceed: () => void): void;
  /** New firmware has reached the cloud: is the application well? Answer before the trial ends. Default: yes. */
  onHealthCheck?(answer: (ok: boolean, message?: string) => void): void;
}
