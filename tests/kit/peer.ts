/** Peers of a device on a virtual network, in the process of the test. */

/** Who answers at a host and port. One peer serves all connections to it. */
export interface Peer {
  /** The connection stands. */
  opened?(connection: Connection): void;
  /** Bytes from the device, as it wrote them. */
  received(bytes: Uint8Array, connection: Connection): void;
  /** The device closed, or the line broke. */
  closed?(connection: Connection): void;
}

/** The peer's end of a connection. */
export interface Connection {
  /** Sends bytes. `arriving` is called when they are about to reach the device; false keeps them from it. */
  send(bytes: Uint8Array, arriving?: () => boolean): void;
  /** Closes once the device has read all that was sent. */
  end(): void;
  /** RST, behind what was sent. */
  reset(): void;
  readonly closed: boolean;
}

/** A peer with a state of its own for each connection. */
export function perConnection(begin: (connection: Connection) => { received(bytes: Uint8Array): void }): Peer {
  const sessions = new Map<Connection, { received(bytes: Uint8Array): void }>();
  return {
    opened: (connection) => void sessions.set(connection, begin(connection)),
    received: (bytes, connection) => sessions.get(connection)?.received(bytes),
    closed: (connection) => void sessions.delete(connection),
  };
}
