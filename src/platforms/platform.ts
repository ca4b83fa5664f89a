import type { ByteSource, SourceOptions } from "../agent/byte-source";
import type { BrokerAddress, MqttLink } from "../agent/link";
import type { FileHeaders } from "../download/outputs";
import type { Cause, Offer, Outcome, Task } from "../job/types";
import type { Crypto, Running } from "../ports";
import type { DriverOptions } from "../protocol/driver";

/**
 * The protocol of one cloud. It has no state beyond its configuration, no I/O and no clock. Each cloud is a folder beside
 * this file; adding one changes nothing else in the agent. There are two kinds: broker-platform.ts and
 * poll-platform.ts.
 */
export interface Platform extends FileHeaders {
  /** Stored in the job's record; a job of another platform is dropped. At most 15 characters. */
  readonly name: string;
  readonly rules: PlatformRules;
  /**
   * The way to this cloud. The agent gets it from its platform, so that firmware for one kind of platform has no code of
   * the other kind. Throws one line where `context` lacks what it needs.
   */
  link(context: LinkContext): CloudLink;
}

/** What the agent gives to a link. */
export interface LinkContext extends DriverOptions {
  readonly broker: BrokerAddress | undefined;
  /** An external MQTT client. */
  readonly mqtt: MqttLink | undefined;
  readonly allowHttp: boolean;
  readonly running: Running;
  random(): number;
}

/** The agent's way to its cloud. Events come inside of `LinkContext.enter`, outside of each other. */
export interface CloudLink {
  /** For people. */
  readonly name: string;
  /** Once. */
  start(events: CloudEvents): void;
  /**
   * With a token: kept and sent again until `acked(token)`; the same token replaces what was kept. Without one it may be
   * lost.
   */
  report(report: Report, token: string | undefined): void;
  /** Of a broker: a message of the application's, at QoS 1. */
  publish?(topic: string, payload: string): void;
  /** The longest wait for the next attempt to reach the cloud from now on, ms. */
  urgency(cap: number): void;
  tick(): void;
  /** When `tick` is wanted next, ms of the clock. */
  deadline(): number | undefined;
  stop(): void;
  /** Where files come from whose URL is not http(s), if this cloud offers such. Once, before `start`. */
  source?(options: SourceOptions): ByteSource;
}

export interface CloudEvents {
  /** The cloud is reached. */
  up(): void;
  /** `reason`: why it is not, or no more. */
  down(reason: string): void;
  incoming(incoming: Incoming): void;
  /** The cloud has acknowledged the report with this token. */
  acked(token: string): void;
  /** One line for people. */
  warning(message: string): void;
}

/** The protocol rules of a platform that the update job follows. */
export interface PlatformRules {
  /** There is a version report. It is sent before a pending `done` and after a pending `fail`. */
  readonly versionReport: boolean;
  /**
   * What proves, beside CONNACK and an accepted SUBACK, that the cloud is reached: PUBACK of the version report, PUBACK of
   * the progress step before the restart, or nothing. Default: the version report where there is one. Firmware on trial that no job has installed has no step to repeat,
   * and reports its version.
   */
  readonly proof?: "version" | "burning" | "link";
  /** The version is reported after every outcome, this long after its PUBACK, ms. */
  readonly versionAfterOutcome?: number;
  /**
   * The version is reported at every connect, also during a job. On Tencent this makes the cloud send a lost push
   * again.
   */
  readonly versionWhileBusy: boolean;
  /**
   * A version report makes the cloud push the pending task again, with a fresh URL. Otherwise deferred offers and
   * unacknowledged reports are stored.
   */
  readonly renewable: boolean;
  /**
   * The cloud shows the image that it wants whenever it is asked, whatever was reported. What was refused for good is
   * then answered once, what cannot begin yet is not answered, and a job ends where the image is not wanted any more.
   */
  readonly wantedState?: boolean;
  /**
   * A file that is missing, or a request that is bad, means that the task may have ended: the cloud is asked, as for a URL
   * that has expired.
   */
  readonly missingAsks?: boolean;
  /** Delay after power-on before a stored job resumes from its stored URL, ms. A fresh push resumes it at once. */
  readonly resumeDelay: number;
}

export type Incoming =
  | { readonly kind: "offer"; readonly offer: Offer }
  /** An offer for this device that can not be carried out. The failure is reported for `task`. */
  | { readonly kind: "refused"; readonly task: Task; readonly outcome: Outcome }
  /** Nothing is wanted of this device, or no more. `task`: the cloud cancels this one, and asks what becomes of that. */
  | { readonly kind: "withdrawn"; readonly task?: Task }
  /** What the cloud wants is known already. */
  | { readonly kind: "unchanged" }
  /** The operator resets what is remembered of images, as `OtaAgent.forget` does. */
  | { readonly kind: "forget" }
  /** The cloud's answer to the version report. */
  | { readonly kind: "version-answer"; readonly accepted: boolean; readonly message: string }
  | { readonly kind: "ignored"; readonly reason: string };

export type Report =
  | { readonly kind: "version"; readonly version: string }
  /** `note`: for people; "asleep for N s" before a sleep, or why there has been no progress for a minute. */
  | { readonly kind: "progress"; readonly task: Task; readonly percent: number; readonly note?: string }
  | { readonly kind: "burning"; readonly task: Task }
  /** What becomes of a task that the cloud has cancelled. `accepted`: it has ended, and nothing was installed. */
  | { readonly kind: "withdrawal"; readonly task: Task; readonly accepted: boolean }
  | { readonly kind: "outcome"; readonly task: Task; readonly outcome: Outcome };

/** What a cloud that pushes is told: it takes nothing back. */
export type BrokerReport = Exclude<Report, { kind: "withdrawal" }>;

/**
 * One setting of a platform. device.json, the settings of a chip (NVS, mc/config) and the table in docs/PLATFORMS.md
 * are made from it. The comment above each entry of a platform's table is its meaning in that document.
 */
export interface Setting {
  /** Its name in the platform's configuration object. */
  readonly name: string;
  /** Its place in device.json, with dots between the keys. Default: `name`. */
  readonly json?: string;
  /** Its name on a chip: at most 15 characters, the limit of NVS. Default: `name`. */
  readonly nvs?: string;
  /** device.json must have it. A chip must have it too, unless `oneOf` gives a default. */
  readonly required?: boolean;
  /** The allowed values. A chip uses the first one where a required setting is absent. */
  readonly oneOf?: readonly string[];
  /** "NAME=VALUE": device.json must have it where the setting NAME has that value, and it is ignored elsewhere. */
  readonly when?: string;
  /** In device.json "" means that it is absent. On a chip it always does. */
  readonly blank?: boolean;
  /** A whole number in these bounds; absent: text. */
  readonly number?: readonly [least: number, most: number];
  /**
   * Others must not read it. "fetched": a chip passes a function that reads it at each connect, so that the value is in
   * memory no longer than that. "kept": a chip passes the value.
   */
  readonly secret?: "fetched" | "kept";
  /** A TLS credential: device.json names a PEM file. On a chip the network port reads it, the platform does not. */
  readonly file?: "certificate" | "privateKey";
}

/**
 * What the host and the complete firmware know of a platform. An app that names its platform itself needs only the
 * class.
 */
export interface PlatformDefinition<Config> {
  /** Value of the setting `platform`, and `Platform.name` of what `create` returns. */
  readonly name: string;
  /**
   * The fields of `Config`, in the order in which mistakes are reported. A function: on a chip a table would stay in
   * flash.
   */
  settings(): readonly Setting[];
  /** What the cloud is told for each cause of a failure. */
  readonly codes: { readonly [cause in Cause]: number };
  /** Host of the broker where the settings name none. Absent: they must name it. */
  brokerHost?(config: Config): string;
  /** Of a platform that is polled: a URL of its server. Absent: the platform needs a broker. */
  server?(config: Config): string;
  /** What people call the device: names of settings with a space between, the first that is present counts. */
  readonly title: string;
  /** The constructor throws with one line that names the setting if the configuration can not work. */
  readonly Platform: new (config: Config, crypto: Crypto) => Platform;
}

/** A platform of the list: which settings it has is known only at run time. */
export type AnyPlatform = PlatformDefinition<never>;
