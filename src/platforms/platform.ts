import type { Offer, Outcome, Task } from "../job/types";

/**
 * One cloud dialect: it turns MQTT messages into offers and reports into MQTT messages. Pure: no state beyond its
 * configuration, no I/O, no clock. One folder beside this file per cloud; adding one touches nothing else in the core.
 */
export interface Platform {
  /** Stored in the job's record: a job of another platform is dropped. At most 15 characters. */
  readonly name: string;
  /** Credentials for ONE connection: asked for anew at each connect. */
  identity(): Identity;
  /** Each in a SUBSCRIBE packet of its own, QoS 1. */
  readonly subscriptions: readonly string[];
  readonly rules: PlatformRules;
  /** Never throws, whatever the bytes. */
  parse(topic: string, payload: Uint8Array): Incoming;
  /** The message for a report; undefined where this cloud has no such message. */
  encode(report: Report): Message | undefined;
}

/**
 * What the job asks of a cloud's manners; the rest of them stays inside the dialect. On every cloud the version report goes out
 * before a waiting `done` and after a waiting `fail`.
 */
export interface PlatformRules {
  /** There is a version report, and its PUBACK is part of "the cloud is reached". */
  readonly versionReport: boolean;
  /** The version is reported at every connect, even while a job is in hand (Tencent: that is how a lost push comes again). */
  readonly versionWhileBusy: boolean;
  /** A new version report makes the cloud push the pending task again with a fresh URL. Where none does, what waits or is unanswered is kept in the store. */
  readonly renewable: boolean;
  /** Wait after power-on, ms, before a job in hand resumes from its stored URL; a fresh push resumes it at once. */
  readonly resumeDelay: number;
}

export interface Identity {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Seconds. */
  readonly keepAlive: number;
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
}

export type Incoming =
  | { readonly kind: "offer"; readonly offer: Offer }
  /** An offer for this device that can not be carried out; `task` says for whom the failure is reported. */
  | { readonly kind: "refused"; readonly task: Task; readonly outcome: Outcome }
  /** The cloud answered the version report. */
  | { readonly kind: "version-answer"; readonly accepted: boolean; readonly message: string }
  | { readonly kind: "ignored"; readonly reason: string };

export type Report =
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "progress"; readonly task: Task; readonly percent: number }
  | { readonly kind: "burning"; readonly task: Task }
  | { readonly kind: "outcome"; readonly task: Task; readonly outcome: Outcome };
