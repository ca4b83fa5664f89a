/** One image that the operator of a scenario pushes. */
import type { Offer } from "../../../src/job/types";

/** What the new firmware of a push does on its trial. */
export type Behaviour =
  | "good"
  /** Throws before the agent starts: a software reset. */
  | "throws"
  /** Starts the agent, then hangs until the watchdog resets it. */
  | "hangs"
  /** Its health check fails, or never answers. */
  | "unhealthy"
  | "mute"
  /** Never connects. */
  | "offline"
  /** Goes to deep sleep past the agent, and wakes, and so on. */
  | "sleeps";

/** The outcome that the cloud must receive for a push. */
export type Ending = "done" | { readonly cause: string; readonly message: RegExp };

/** One image that the operator pushes. The next push follows when this one has ended, or earlier as the fields say. */
export interface Push {
  readonly offer: Offer;
  /** What the slot holds in the end, and the file that the file server has under the offer's URL, ... */
  readonly file: Uint8Array;
  /** ... unless that is a container, which makes `file`. */
  readonly container?: Uint8Array;
  readonly behaviour: Behaviour;
  readonly ends: Ending;
  /** The next push comes after so many served bytes of this one, and supersedes it. */
  readonly supersededAt?: number;
  /** The next push comes while this one is on trial, and is deferred. */
  readonly nextInTrial?: boolean;
}

/** What the file server has. */
export const servedOf = ({ file, container }: Push): Uint8Array => container ?? file;
