/** Names and addresses of hosts, as far as a client has to tell them apart. */

/**
 * Calls back once, never from inside the call. undefined: no such name, or nobody answered. May throw, and then does
 * not call back.
 */
export type Lookup = (host: string, done: (address: string | undefined) => void) => void;

/** A literal address: sockets take it as it is. */
export const isAddress = (host: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(":");

/** LABEL(.LABEL)* with the lengths of RFC 1035, section 2.3.4; underscores occur in practice. */
export const isHostName = (host: string): boolean =>
  host.length <= 253 && /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/.test(host);
