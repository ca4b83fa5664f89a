/**
 * The `Network` port on Moddable: plain TCP, and TLS on top of it. The simulator has the SDK's sockets, a chip those of
 * hal/esp32/tcp.
 */
import type { ConnectOptions, Network, Socket, SocketEvents } from "../../src/ports";
import type { Lookup } from "./host-names";
import { SafeTls } from "./safe-tls";
import { TcpSocket } from "./tcp-socket";
import type { TcpOptions } from "./tcp-socket";
import type { Trust } from "./device";

export interface ModdableNetworkOptions {
  readonly lookup: Lookup;
  /** See TcpOptions. */
  readonly ahead: number;
  /** Opens a plain connection. Absent: over the SDK's sockets. */
  readonly open?: (options: TcpOptions, events: SocketEvents) => Socket;
  /** Asked for at each connection, so that nothing of it stays in memory in between. */
  trust(kind: "mqtt" | "https"): Trust;
}

export class ModdableNetwork implements Network {
  private readonly options: ModdableNetworkOptions;

  constructor(options: ModdableNetworkOptions) {
    this.options = options;
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    const { host, port, tls } = options;
    const { lookup, ahead, open } = this.options;
    const tcp = (callbacks: SocketEvents): Socket => {
      const all = { host, port, lookup, ahead };
      return open === undefined ? new TcpSocket(all, callbacks) : open(all, callbacks);
    };
    if (tls === undefined) return tcp(events);
    return new SafeTls({ host, trust: this.options.trust(tls), now: () => Date.now(), connect: tcp }, events);
  }
}
