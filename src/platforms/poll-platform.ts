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
  /**
   * A report that was taken changes what the cloud wants: it is polled again at once, with nothing known. `burning` is
   * acknowledged by the answer to that poll. Default: no.
   */
  readonly pollsAfterReports?: boolean;
  /**
   * What an answer with status 200 to a poll, or to what followed one, means. Never throws, whatever the bytes. `known`:
   * what the last answer that was read left.
   */
  polled(answer: HttpAnswer, running: Running, known: string | undefined): Polled;
  /**
   * The request for a report; undefined where this cloud has no such report. `burning` and `version` then count as
   * acknowledged by the next poll that is answered, which comes at once, and others without that.
   */
  encode(report: Report): HttpCall | undefined;
  /** Whether an answer with this status, other than 2xx, and this media type settles a report as well. Default: no. */
  settles?(status: number, report: HttpCall, type: string): boolean;
  /** The poll is answered before this report is sent: what it says may end the task otherwise. Default: no. */
  asksBefore?(report: Report): boolean;
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
  /** It has more bytes than that, and `body` has none of them. */
  readonly cut?: boolean;
}

export type Polled =
  /**
   * The cloud is reached. `interval`: to the next poll, ms, where the server names it. `remark`: one line for people,
   * on why nothing is wanted. `known`: passed on to the next `polled`.
   */
  | {
      readonly kind: "read";
      readonly incoming: Incoming;
      readonly interval?: number;
      readonly remark?: string;
      readonly known?: string | undefined;
    }
  /** There is more to ask first. Where that is missing (404), the poll is made anew. */
  | { readonly kind: "follow"; readonly call: HttpCall; readonly interval?: number }
  /** The answer is of no use; one line. */
  | { readonly kind: "bad"; readonly message: string };
