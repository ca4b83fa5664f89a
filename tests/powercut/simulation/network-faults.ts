/**
 * One network fault of a scenario: a word and one or two numbers, so that it fits into the case line. The counts belong
 * to the simulation state, so that the n-th request is the n-th over all power cuts.
 */

export const NETWORK_FAULTS = {
  reset: "request n is answered with m bytes of the body, then a reset",
  stall: "request n is answered with m bytes of the body, then nothing",
  whole: "request n is answered with 200 and the whole file",
  changed: "requests n and n+1 are answered from another file, with another ETag",
  expired: "requests n and n+1 are answered with 403",
  busy: "request n is answered with 503",
  twice: "the n-th message to the device arrives twice",
  lost: "the n-th message from the device is lost with its connection",
  unacked: "the n-th message from the device arrives, its PUBACK is lost with the connection",
  down: "the n-th message to the device is lost with its connection",
} as const;

export type NetworkFaultKind = keyof typeof NETWORK_FAULTS;

export interface NetworkFault {
  readonly kind: NetworkFaultKind;
  readonly n: number;
  readonly m: number;
}

/** "": no fault. Throws an Error of one line. */
export function parseNetworkFault(text: string): NetworkFault | undefined {
  if (text === "") return undefined;
  const match = /^([a-z]+)(\d{1,4})(?:x(\d{1,6}))?$/.exec(text);
  const kind = match?.[1] ?? "";
  if (match === null || !Object.hasOwn(NETWORK_FAULTS, kind))
    throw new Error(
      `no network fault ${JSON.stringify(text)}: KINDn or KINDnxm, the kinds are ${Object.keys(NETWORK_FAULTS).join(", ")}`,
    );
  return { kind: kind as NetworkFaultKind, n: Number(match[2]), m: Number(match[3] ?? 0) };
}

/** Counts of what has happened on the network so far. */
export class NetworkPast {
  requests = 0;
  toDevice = 0;
  fromDevice = 0;
  /** Bytes of the changed file were served: the digest can not match. */
  changed = false;

  fork(): NetworkPast {
    return Object.assign(new NetworkPast(), this);
  }
}
