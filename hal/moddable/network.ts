/**
 * The `Network` port on Moddable: plain TCP and TLS over the SDK's sockets. The same on a chip and in the simulator.
 */
import type { ConnectOptions, Network, Socket, SocketEvents } from "../../src/ports";
import type { Lookup } from "./host-names";
import { SafeTls } from "./safe-tls";
import { TcpSocket } from "./tcp-socket";
import type { Trust } from "./tls-session";

export interface ModdableNetworkOptions {
  readonly lookup: Lookup;
  /** See TcpOptions. */
  readonly ahead: number;
  /** Asked for at each connection, so that nothing of it stays in memory in between. */
  trust(kind: "mqtt" | "https"): Trust;
}

export class ModdableNetwork implements Network {
  readonly #options: ModdableNetworkOptions;

  constructor(options: ModdableNetworkOptions) {
    this.#options = options;
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    const { host, port, tls } = options;
    const { lookup, ahead } = this.#options;
    const tcp = (callbacks: SocketEvents): Socket => new TcpSocket({ host, port, lookup, ahead }, callbacks);
    if (tls === undefined) return tcp(events);
    return new SafeTls({ host, trust: this.#options.trust(tls), now: () => Date.now(), connect: tcp }, events);
  }
}
