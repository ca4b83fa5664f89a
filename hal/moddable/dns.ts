/**
 * Names to IPv4 addresses with the SDK's resolver, made safe: its parser throws on a malformed answer and its
 * serializer on a name that is none, both out of callbacks, where a throw aborts the VM. Any host on the network may
 * send such an answer.
 */
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import { isHostName } from "./host-names";
import type { Lookup } from "./host-names";

interface UdpOptions {
  onReadable?(this: unknown, count: number): void;
}
type UdpClass = new (options: UdpOptions) => object;

/** A datagram that the resolver can not parse is as good as lost. */
class GuardedUDP extends (UDP as unknown as UdpClass) {
  constructor(options: UdpOptions) {
    const { onReadable } = options;
    super({
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
  }
}

/**
 * `servers`: addresses to ask, read anew for each name, since DHCP may change them. A name is given up after 5 queries
 * to each, one a second.
 */
export const lookupBy = (servers: () => readonly string[]): Lookup => {
  return (host, done) => {
    const known = servers();
    if (known.length === 0) throw new Error(`resolve ${host}: no DNS server known`);
    if (!isHostName(host)) throw new Error(`resolve ${host.slice(0, 64)}: not a host name`);
    const resolver = new Resolver({ servers: known, socket: { io: GuardedUDP } });
    const finish = (address?: string): null => {
      resolver.close();
      done(address);
      return null;
    };
    resolver.resolve({ host, onResolved: (_name, address: string) => finish(address), onError: () => finish() });
  };
};
