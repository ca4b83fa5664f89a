import type { HttpUrl } from "../http/url";
import type { Running } from "../ports";
import type { Incoming, Platform, Report } from "./platform";

/**
 * The protocol of a cloud that a device asks over HTTP: it says what to ask, turns answers into offers, and reports into
 * requests. Its `link` is `linkByPolls` (agent/poll-link.ts).
 */
export interface PollPlatform extends Platform {
  /** From one poll to the next, ms, where the server names no other time. */
  readonly interval: number;
  /** Tries of one report, after which it counts as acknowledged; Infinity: it is sent until it is taken. */
  readonly reportTries: number;
  poll(): HttpCall;
  /** What an answer with status 200 to a poll, or to what followed one, means. Never throws, whatever the bytes. */
  polled(answer: HttpAnswer, running: Running): Polled;
  /**
   * The request for a report; undefined where this cloud has no such report. `burning` and `version` then count as
   * acknowledged by the next poll that is answered, which comes at once, and others without that.
   */
  encode(report: Report): HttpCall | undefined;
  /** Whether an answer with this status, other than 2xx, settles a report as well. Default: no. */
  settles?(status: number): boolean;
}

/** One request. An answer is needed for it: a call that brings none is made again. */
export interface HttpCall {
  readonly method: "GET" | "POST" | "PUT";
  /** Absolute. */
  readonly url: string;
  /** "Name: value" each. Only the URL's own server gets them, none to which it redirects. */
  readonly headers?: readonly string[];
  /** JSON. */
  readonly body?: string;
}

export interface HttpAnswer {
  /** At most POLL_BODY_MAX bytes, valid during the call. */
  readonly body: Uint8Array;
  /** What answered, after redirects. */
  readonly url: HttpUrl;
}

export type Polled =
  /**
   * The cloud is reached. `interval`: to the next poll, ms, where the server names it. `remark`: one line for people,
   * on why nothing is wanted.
   */
  | { readonly kind: "read"; readonly incoming: Incoming; readonly interval?: number; readonly remark?: string }
  /** There is more to ask first. */
  | { readonly kind: "follow"; readonly call: HttpCall }
  /** The answer is of no use; one line. */
  | { readonly kind: "bad"; readonly message: string };
