import type { ServerConnect } from "../download/outputs";
import type { Incoming } from "../platforms/platform";
import type { PollPlatform } from "../platforms/poll-platform";
import type { Running } from "../ports";
import type { IoEffect } from "../protocol/machine";

/** What a poller tells the agent. */
export type PollEvent =
  /** A poll was answered, and the one before was not. */
  | { readonly type: "up" }
  /** A poll has failed; one line. */
  | { readonly type: "down"; readonly reason: string }
  | { readonly type: "incoming"; readonly incoming: Incoming }
  | { readonly type: "acked"; readonly token: string }
  | { readonly type: "warning"; readonly message: string };

export type PollOutput = ServerConnect | Exclude<IoEffect, { type: "connect" }> | PollEvent;

export interface PollerOptions {
  readonly platform: PollPlatform;
  readonly running: Running;
  readonly allowHttp: boolean;
  /** Uniform in [0, 1). */
  random(): number;
}
