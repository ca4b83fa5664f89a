/** One image that the operator of a scenario pushes. */
import { createHash } from "node:crypto";
import { buildImage } from "../../../hal/model-chip/build-image";
import type { Offer, OfferDigest } from "../../../src/job/types";

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
  /** The file server loses the file after so many served bytes, a multiple of the sector, until the next push. */
  readonly goneAt?: number;
  /** The chip restarts by itself when this push has ended. */
  readonly restarts?: boolean;
  /** The next push comes while this one is on trial, and is deferred. */
  readonly nextInTrial?: boolean;
  /** The operator takes it back after so many served bytes, where the platform has that (hawkbit-side.ts). */
  readonly cancelledAt?: number;
  /** The same, while it is on trial. */
  readonly cancelledInTrial?: boolean;
}

/** What the file server has. */
export const servedOf = ({ file, container }: Push): Uint8Array => container ?? file;

/** The padding differs between images: a sector that is left from another image must not look like one of this. */
export function image(version: string, size: number): Uint8Array {
  return buildImage({
    version,
    size,
    seed: `${version} ${size}`,
    payload: new TextEncoder().encode(`firmware ${version}`),
  });
}

/** A failure that leaves what was fetched for the next push of the same file. */
export const GONE: Ending = { cause: "not-found", message: /404/ };

const digestOf = (file: Uint8Array): OfferDigest => ({
  algorithm: "MD5",
  hex: createHash("md5").update(file).digest("hex"),
});

export function push(
  file: Uint8Array,
  version: string,
  change: Partial<Omit<Push, "offer">> & { readonly offer?: Partial<Offer> } = {},
): Push {
  const { offer, ...rest } = change;
  const served = change.container ?? file;
  const digest = offer?.digest ?? digestOf(served);
  const url = `http://files/${version}-${digest.hex.slice(0, 6)}.bin?sign=0123456789abcdef0123456789abcdef`;
  return {
    file,
    behaviour: "good",
    ends: "done",
    ...rest,
    offer: { version, size: served.length, url, digest, ...offer },
  };
}

export const rolledBack = (message: RegExp): Ending => ({ cause: "rolled-back", message });
export const refused = (message: RegExp): Ending => ({ cause: "rejected", message });
