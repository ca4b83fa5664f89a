import type { SocketError } from "../ports";

/**
 * The shape that both protocol machines share: the MQTT session and the downloader. A machine does no I/O and has no
 * clock. Inputs are method calls with the time in milliseconds; outputs are returned, to be carried out in order. It
 * never throws on what a peer sends.
 */
export interface ProtocolMachine<Output> {
  /** Begins to connect. */
  start(now: number): Output[];
  /** The connection that was asked for is open. `window`: of its socket. */
  opened(now: number, window?: number): Output[];
  /** Where the next bytes of the connection go. Its length bounds the read; empty: read nothing now. */
  readTarget(): Uint8Array;
  /** `count` bytes were read into `readTarget()`. */
  received(count: number, now: number): Output[];
  /** The connection has ended or could not be made. `error` is undefined where the peer closed it in order. */
  closed(error: SocketError | undefined, now: number): Output[];
  /** Does what is due at `now`. An early call does nothing. */
  tick(now: number): Output[];
  /** When `tick` is wanted next; undefined: not at all. */
  deadline(): number | undefined;
  /** Gives up what is under way. */
  stop(now: number): Output[];
}

/**
 * The I/O that a machine asks for. The driver carries it out (driver.ts). All other outputs are events for the driver's
 * owner.
 */
export type IoEffect =
  /** Open a connection in place of the present one. A machine with more than one server adds the address. */
  | { readonly type: "connect" }
  /** The bytes do not change until they have left. */
  | { readonly type: "send"; readonly bytes: Uint8Array }
  /** Close the connection, or give up the connect. */
  | { readonly type: "close" };
