/**
 * Names to IPv4 addresses with the SDK's resolver, made safe: its parser throws on a malformed answer and its
 * serializer on a name that is none, both out of callbacks, where a throw aborts the VM. Any host on the network may
 * send such an answer.
 */
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import { isHostName } from "./host-names";
import type { Lookup } from "./host-names";

export interface UdpOptions {
  /** For `onReadable`, whose `this` is the socket. */
  readonly target?: unknown;
  onReadable?(this: unknown, count: number): void;
}
/** A socket in the shape of the SDK's. */
export type OpenUdp = (options: UdpOptions) => object;

const openSdkUdp: OpenUdp = (options) => new (UDP as unknown as new (options: UdpOptions) => object)(options);

/** A datagram that the resolver can not parse is as good as lost. */
const guarded = (open: OpenUdp, options: UdpOptions): object => {
  const { onReadable } = options;
  return open({
    ...options,
    onReadable(count: number) {
      for (; count > 0; count--) {
        try {
          onReadable?.call(this, 1);
        } catch {
          // The query is sent again in a second.
        }
      }
    },
  });
};

/**
 * `servers`: addresses to ask, read anew for each name, since DHCP may change them. A name is given up after 5 queries
 * to each, one a second. `open`: sockets that are not the SDK's.
 */
export const lookupBy = (servers: () => readonly string[], open: OpenUdp = openSdkUdp): Lookup => {
  /** The resolver calls it with `new`, and takes what it returns. */
  const io = function (options: UdpOptions): object {
    return guarded(open, options);
  };
  return (host, done) => {
    const known = servers();
    if (known.length === 0) throw new Error(`resolve ${host}: no DNS server known`);
    if (!isHostName(host)) throw new Error(`resolve ${host.slice(0, 64)}: not a host name`);
    const resolver = new Resolver({ servers: known, socket: { io } });
    const finish = (address?: string): null => {
      resolver.close();
      done(address);
      return null;
    };
    resolver.resolve({ host, onResolved: (_name, address: string) => finish(address), onError: () => finish() });
  };
};
