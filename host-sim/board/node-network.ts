/**
 * The `Network` port over Node's sockets: for the simulated board behind the bridge, and for agents that run in Node
 * itself.
 */
import { createHash, X509Certificate } from "node:crypto";
import { connect as connectTcp } from "node:net";
import type { LookupFunction, Socket as NodeSocket } from "node:net";
import { checkServerIdentity, connect as connectTls, createSecureContext, rootCertificates } from "node:tls";
import type { DetailedPeerCertificate, PeerCertificate, SecureContext } from "node:tls";
import type { ConnectOptions, Network, Socket, SocketEvents } from "../../src/ports";
import { isIpLiteral, socketError } from "./socket-errors";

/** Whom one kind of connection trusts and, for a broker that asks, how it proves itself. All PEM. */
export interface Trust {
  /** Roots beside the system's. */
  readonly ca?: string;
  /**
   * SHA-256 of public keys (SubjectPublicKeyInfo, as in RFC 7469, section 2.4), base64: one in the server's chain must
   * be among them. Empty: any.
   */
  readonly pins?: readonly string[];
  /** The device's own certificate and its private key. */
  readonly certificate?: string;
  readonly privateKey?: string;
}

export interface NodeNetworkOptions {
  readonly mqtt?: Trust;
  readonly https?: Trust;
  /** Resolves names in place of this computer. */
  readonly lookup?: LookupFunction;
  /** Called with the number of bytes received or sent by any socket. */
  onTraffic?(direction: "in" | "out", bytes: number): void;
}

/**
 * Received and not yet read, at most, before the peer has to wait. A chip has 5,760 (lwIP, TCP_WND); one read of Node's
 * brings up to 65,536.
 */
const RECEIVE_LIMIT = 16_384;
/** Taken and not yet handed to the kernel, at most. */
const SEND_LIMIT = 16_384;

export class NodeNetwork implements Network {
  readonly #options: NodeNetworkOptions;
  /** Made at the first use: reading the system's roots takes a while. */
  readonly #contexts = new Map<"mqtt" | "https", SecureContext>();

  constructor(options: NodeNetworkOptions = {}) {
    this.#options = options;
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    const { host, port, tls } = options;
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`connect ${host}: port ${port} is not 1 to 65535`);
    const { onTraffic, lookup } = this.#options;
    const names = lookup === undefined ? {} : { lookup };
    if (tls === undefined) {
      const socket = connectTcp({ host, port, noDelay: true, ...names });
      return new NodeConnection(socket, "connect", events, onTraffic);
    }
    const socket = connectTls({
      host,
      port,
      ...names,
      secureContext: this.#context(tls),
      rejectUnauthorized: true,
      checkServerIdentity: (name, certificate) =>
        checkServerIdentity(name, certificate) ?? pinProblem(certificate, this.#options[tls]?.pins ?? []),
      // SNI is for names alone (RFC 6066, section 3); an address is still checked against the certificate.
      ...(isIpLiteral(host) ? {} : { servername: host }),
    });
    socket.setNoDelay(true);
    return new NodeConnection(socket, "secureConnect", events, onTraffic);
  }

  #context(kind: "mqtt" | "https"): SecureContext {
    let context = this.#contexts.get(kind);
    if (context === undefined) {
      const { ca, certificate, privateKey } = this.#options[kind] ?? {};
      context = createSecureContext({
        minVersion: "TLSv1.2",
        ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
        ...(certificate === undefined || privateKey === undefined ? {} : { cert: certificate, key: privateKey }),
      });
      this.#contexts.set(kind, context);
    }
    return context;
  }
}

/** Certificates looked at for a pinned key; real chains have two to four. */
const CHAIN_MAX = 10;

/** That a chain is trusted is known by now; this asks whether it is also the expected one. */
function pinProblem(leaf: PeerCertificate, pins: readonly string[]): Error | undefined {
  if (pins.length === 0) return undefined;
  // The certificate comes with its issuers; the root is its own.
  let certificate: PeerCertificate | undefined = leaf;
  for (let depth = 0; certificate?.raw !== undefined && depth < CHAIN_MAX; depth++) {
    const key = new X509Certificate(certificate.raw).publicKey.export({ type: "spki", format: "der" });
    if (pins.includes(createHash("sha256").update(key).digest("base64"))) return undefined;
    const { issuerCertificate } = certificate as DetailedPeerCertificate;
    certificate = issuerCertificate === certificate ? undefined : issuerCertificate;
  }
  return Object.assign(new Error("no public key in the server's certificates is pinned"), { code: "CERT_REJECTED" });
}

class NodeConnection implements Socket {
  readonly #socket: NodeSocket;
  readonly #onTraffic: NodeNetworkOptions["onTraffic"];
  #events: SocketEvents | undefined;
  readonly #received: Uint8Array[] = [];
  #waiting = 0;
  /** `readable` was called and not all has been read since. */
  #announced = false;
  #open = false;
  /** The peer sends no more. `closed` is called once everything is read. */
  #ended = false;
  #sending = 0;
  /** `write` took fewer than it was given. */
  #blocked = false;

  constructor(
    socket: NodeSocket,
    opened: "connect" | "secureConnect",
    events: SocketEvents,
    onTraffic: NodeNetworkOptions["onTraffic"],
  ) {
    this.#socket = socket;
    this.#events = events;
    this.#onTraffic = onTraffic;
    socket.once(opened, () => {
      this.#open = true;
      this.#events?.opened();
    });
    socket.on("data", (chunk: Uint8Array) => this.#arrived(chunk));
    socket.on("end", () => this.#finish());
    socket.on("error", (error) => {
      const silent = this.#silence();
      silent?.closed(socketError(error));
    });
    // Without "end" and without "error" before it when the other side of a pipe of ours was torn down.
    socket.on("close", () => this.#finish());
  }

  read(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const first = this.#received[0];
      if (first === undefined) break;
      const count = Math.min(first.length, into.length - filled);
      into.set(first.subarray(0, count), filled);
      filled += count;
      if (count === first.length) this.#received.shift();
      else this.#received[0] = first.subarray(count);
    }
    if (filled > 0) this.#consumed(filled);
    return filled;
  }

  write(bytes: Uint8Array): number {
    if (!this.#open || this.#events === undefined) return 0;
    const count = Math.min(bytes.length, SEND_LIMIT - this.#sending);
    if (count > 0) {
      this.#sending += count;
      this.#socket.write(bytes.slice(0, count), () => this.#sent(count));
      this.#onTraffic?.("out", count);
    }
    if (count < bytes.length) this.#blocked = true;
    return count;
  }

  close(): void {
    this.#silence();
    this.#received.length = 0;
    this.#waiting = 0;
    this.#socket.destroy();
  }

  #arrived(chunk: Uint8Array): void {
    if (this.#events === undefined) return;
    this.#received.push(chunk);
    this.#waiting += chunk.length;
    this.#onTraffic?.("in", chunk.length);
    if (this.#waiting >= RECEIVE_LIMIT) this.#socket.pause();
    if (this.#announced) return;
    this.#announced = true;
    this.#events.readable();
  }

  #consumed(count: number): void {
    this.#waiting -= count;
    if (this.#waiting > 0) return;
    this.#announced = false;
    if (this.#ended) setImmediate(() => this.#silence()?.closed());
    else this.#socket.resume();
  }

  #sent(count: number): void {
    this.#sending -= count;
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#events?.writable();
  }

  #finish(): void {
    this.#ended = true;
    if (this.#waiting === 0) this.#silence()?.closed();
  }

  /** From here on nothing is called any more; returns who listened. */
  #silence(): SocketEvents | undefined {
    const events = this.#events;
    this.#events = undefined;
    this.#open = false;
    return events;
  }
}
