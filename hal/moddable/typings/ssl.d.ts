/** Modules of the SDK's TLS and certificate code that come without declarations; only what is used. */

declare module "ssl/session" {
  export interface Sink {
    readable: number;
    writable: number;
    read(into: Uint8Array): void;
    write(bytes: ArrayBuffer | Uint8Array): number;
  }
  export default class Session {
    constructor(options: object);
    protocolVersion: number;
    connectionEnd: boolean;
    handshakeProcess: number;
    alert?: { readonly level: number; readonly description: number };
    chosenCipher: unknown;
    clientRandom: ArrayBuffer;
    serverRandom: ArrayBuffer;
    clientCerts: Uint8Array[] | undefined;
    dhparams: unknown;
    handshakeDigests: { SHA256: { write(bytes: Uint8Array): void } };
    certificateManager: unknown;
    applicationData?: Uint8Array | undefined;
    handshake(sink: Sink): boolean;
  }
}

declare module "ssl/handshake" {
  import type Session from "ssl/session";
  import type SSLStream from "ssl/stream";
  const handshakeProtocol: {
    unpacketize(session: Session, stream: SSLStream): void;
    helloProtocol: {
      packetize(
        session: Session,
        suites: readonly unknown[],
        compressions: readonly number[],
        messageType: number,
      ): Uint8Array;
    };
  };
  export default handshakeProtocol;
}

declare module "ssl/record" {
  import type Session from "ssl/session";
  const recordProtocol: {
    unpacketize(session: Session, record: ArrayBuffer): void;
    packetize(session: Session, type: number, fragment: Uint8Array): Uint8Array;
  };
  export default recordProtocol;
}

declare module "ssl/stream" {
  export default class SSLStream {
    constructor(bytes: Uint8Array);
    readonly bytesAvailable: number;
  }
}

declare module "ssl/ciphersuites" {
  const suites: readonly {
    readonly value: readonly [number, number];
    readonly keyExchangeAlgorithm: number;
    readonly encryptionMode: number;
  }[];
  export default suites;
}

declare module "pkcs8" {
  const PKCS8: { parse(key: Uint8Array): unknown };
  export default PKCS8;
}

declare module "curve" {
  export default class Curve {
    constructor(name: string);
    readonly n: bigint;
    readonly ec: { readonly a: bigint; readonly b: bigint; readonly m: bigint };
    readonly orderSize: number;
  }
}

declare module "ecp" {
  export default class ECPoint {
    constructor(x: bigint, y: bigint);
    readonly x: bigint;
    readonly y: bigint;
  }
}

declare module "ecdsa" {
  import type Curve from "curve";
  import type ECPoint from "ecp";
  export default class ECDSA {
    constructor(point: ECPoint, curve: Curve);
    _verify(hash: ArrayBuffer, r: bigint, s: bigint): boolean;
  }
}

declare module "modular" {
  export default class Modular {
    constructor(modulus: bigint);
    exp(base: bigint, exponent: bigint): bigint;
  }
}
