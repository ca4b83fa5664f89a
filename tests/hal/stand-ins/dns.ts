/** "embedded:io/socket/udp" and "embedded:network/dns/resolver/udp", turned by hand. */
interface Query {
  readonly host: string;
  onResolved(host: string, address: string): null;
  onError(host: string): null;
}

export class UDP {
  readonly options: { onReadable(this: UDP, count: number): void };
  constructor(options: UDP["options"]) {
    this.options = options;
  }
}

export class Resolver {
  static readonly made: Resolver[] = [];
  readonly options: {
    readonly servers: readonly string[];
    readonly socket: { readonly io: new (options: object) => UDP };
  };
  query: Query | undefined;
  closed = false;
  constructor(options: Resolver["options"]) {
    this.options = options;
    Resolver.made.push(this);
  }
  resolve(query: Query): void {
    this.query = query;
  }
  close(): void {
    this.closed = true;
  }
}
