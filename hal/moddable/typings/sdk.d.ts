/**
 * The parts of the Moddable SDK (8.2) that the ports use, as narrow as that. For type-checking without the SDK:
 * mcconfig takes the SDK's own declarations, which this file is not added to. Where those are wrong, the code casts,
 * with a word on why.
 */

/** xs/includes/xs.d.ts */
declare function trace(...texts: (string | number)[]): void;
declare function native(name: string): (this: unknown, ...args: unknown[]) => unknown;

declare module "timer" {
  class Timer {
    private constructor();
    static set(callback: (timer: Timer) => void, interval?: number, repeat?: number): Timer;
    static repeat(callback: (timer: Timer) => void, interval: number): Timer;
    static clear(timer: Timer | undefined | null): void;
  }
  export { Timer as default };
}

declare module "time" {
  const Time: {
    set(seconds: number): void;
    readonly ticks: number;
    delta(start: number, end?: number): number;
  };
  export { Time as default };
}

declare module "crypt" {
  export class Digest {
    constructor(type: "MD5" | "SHA1" | "SHA224" | "SHA256" | "SHA384" | "SHA512");
    write(message: string | ArrayBuffer): void;
    close(): ArrayBuffer;
  }
}

declare module "embedded:io/socket/tcp" {
  export default class TCP {
    constructor(options: { address: string; port: number });
    close(): void;
  }
}

declare module "embedded:io/socket/udp" {
  export default class UDP {
    constructor(options: object);
    close(): void;
  }
}

declare module "embedded:network/dns/resolver/udp" {
  class Resolver {
    constructor(options: Record<string, unknown>);
    close(): void;
    resolve(options: {
      host: string;
      onResolved(host: string, address: unknown): null;
      onError(host: string): null;
    }): void;
  }
  export default Resolver;
}

declare module "embedded:network/interface/wifi" {
  export default class WiFi {
    constructor(options: { onChanged?: (property: "connection" | "address") => void });
    connect(options: { SSID: string; password?: string }): void;
    disconnect(): void;
    readonly connection: number;
  }
}

declare module "embedded:network/interface/ethernet" {
  export default class Ethernet {
    constructor(options: { onChanged?: (property: "connection" | "address") => void });
    connect(): void;
    disconnect(): void;
    readonly connection: number;
  }
}

declare module "net" {
  const Net: { get(what: "DNS"): string[] };
  export { Net as default };
}

declare module "Resource" {
  export default class Resource {
    constructor(name: string);
    static exists(name: string): boolean;
    slice(begin: number, end?: number): ArrayBuffer;
    readonly byteLength: number;
  }
}

declare module "mc/config" {
  // oxlint-disable-next-line typescript/no-explicit-any -- what mcconfig was given, of any type
  const config: Readonly<Record<string, any>>;
  export default config;
}

declare module "file" {
  export class File {
    constructor(path: string, write?: boolean);
    static exists(path: string): boolean;
    static delete(path: string): boolean;
    static rename(path: string, name: string): boolean;
    readonly length: number;
    position: number;
    read(type: StringConstructor): string;
    read(type: ArrayBufferConstructor, length: number): ArrayBuffer;
    write(...values: (string | ArrayBufferLike)[]): void;
    close(): void;
  }
  export class Directory {
    static create(path: string): boolean;
  }
}
