// mcconfig compiles each module on its own: the declarations have to be named here.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./typings/ssl.d.ts" />
/**
 * A TLS 1.2 client without I/O: records in, records out. The SDK's engine does the cryptography but does not check the
 * order and content of messages. This class does (RFC 5246, section 7.3):
 *
 *   ClientHello ->   <- ServerHello, Certificate, ServerKeyExchange, [CertificateRequest], ServerHelloDone
 *   [Certificate], ClientKeyExchange, [CertificateVerify], ChangeCipherSpec, Finished ->   <- ChangeCipherSpec, Finished
 *
 * The engine alone takes messages in any order, takes an alert as the end of a handshake (and then sends in the clear),
 * and takes a key exchange whose signature is declared "anonymous", so that anybody with a copy of the certificate is
 * the server. It takes plaintext from before the keys as data, and prefers CBC suites, whose padding it does not check.
 */
import Curve from "curve";
import PKCS8 from "pkcs8";
import suites from "ssl/ciphersuites";
import handshakeProtocol from "ssl/handshake";
import recordProtocol from "ssl/record";
import Session from "ssl/session";
import SSLStream from "ssl/stream";
import { addressBytes, verifyChain } from "./certificate-chain";
import type { PublicKey, SignatureScheme } from "../../src/x509/certificate";
import { pointOn, verifySignature } from "./signatures";
import type { Trust } from "./device";
import { MessageReader } from "./tls-message-reader";

export interface TlsSessionOptions {
  readonly host: string;
  readonly trust: Trust;
  /** ms since 1970. */
  readonly now: () => number;
  readonly send: (bytes: Uint8Array) => void;
}

/** Record types (RFC 5246, section 6.2.1). */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** Handshake messages (section 7.4). */
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_REQUEST = 13;
const SERVER_HELLO_DONE = 14;
const FINISHED = 20;

const TLS_1_2 = 0x0303;
const ECDHE = 6; // ssl/constants
const GCM = 2;
const SECP256R1 = 23;
/** Length of a record's content: 2^14, and as much again as ciphers may add (section 6.2.3). */
const RECORD_MAX = 16_384 + 2_048;
export const RECORD_HEADER = 5;
/** A chain of four 4096-bit RSA certificates has 8 KB. */
const MESSAGE_MAX = 16_384;
const CERTIFICATES_MAX = 8;
/**
 * Asked of the server, which may decline (RFC 6066, section 4): a record is received, decrypted and kept as a whole.
 */
const FRAGMENT = 4_096;
const MAX_FRAGMENT_LENGTH = 1;
/** What GCM adds to a record's content: explicit nonce and tag (RFC 5288, section 3). */
const GCM_EXPANSION = 8 + 16;

const HASHES: Readonly<Record<number, SignatureScheme["hash"]>> = Object.freeze({
  4: "SHA256",
  5: "SHA384",
  6: "SHA512",
} as const);
const SIGNATURES: Readonly<Record<number, SignatureScheme["kind"]>> = Object.freeze({ 1: "rsa", 3: "ec" } as const);
const OFFERED_SIGNATURES = Object.freeze([
  Object.freeze({ hash: 4, sig: 3 }),
  Object.freeze({ hash: 4, sig: 1 }),
  Object.freeze({ hash: 5, sig: 3 }),
  Object.freeze({ hash: 5, sig: 1 }),
  Object.freeze({ hash: 6, sig: 1 }),
]);

/** What may come next. */
type Phase = "hello" | "certificate" | "key-exchange" | "request" | "done" | "change" | "finished" | "open" | "ended";

/** The phase in which each message is taken, and the phase after it. */
const ORDER: Readonly<Record<number, { readonly in: readonly Phase[]; readonly next: Phase }>> = Object.freeze({
  [SERVER_HELLO]: Object.freeze({ in: Object.freeze<Phase[]>(["hello"]), next: "certificate" }),
  [CERTIFICATE]: Object.freeze({ in: Object.freeze<Phase[]>(["certificate"]), next: "key-exchange" }),
  [SERVER_KEY_EXCHANGE]: Object.freeze({ in: Object.freeze<Phase[]>(["key-exchange"]), next: "request" }),
  [CERTIFICATE_REQUEST]: Object.freeze({ in: Object.freeze<Phase[]>(["request"]), next: "done" }),
  [SERVER_HELLO_DONE]: Object.freeze({ in: Object.freeze<Phase[]>(["request", "done"]), next: "change" }),
});

export class TlsSession {
  private readonly options: Omit<TlsSessionOptions, "trust">;
  /** Let go once the handshake is over: it may hold a private key. */
  private trust: Trust | undefined;
  private readonly session: Session;
  private phase: Phase = "hello";
  /** Longest record that the server may send, without its header. */
  recordMax = RECORD_MAX;
  /** Handshake messages may span records. */
  private pending = new Uint8Array(0);
  private peer: PublicKey | undefined;

  constructor(options: TlsSessionOptions) {
    const { host, trust, now, send } = options;
    this.options = { host, now, send };
    this.trust = trust;
    this.session = new Session({
      protocolVersion: TLS_1_2,
      cache: false,
      tls_max_fragment_length: FRAGMENT,
      tls_signature_algorithms: OFFERED_SIGNATURES,
      // Server names are names, never addresses (RFC 6066, section 3).
      ...(addressBytes(host) === undefined ? { serverName: host } : {}),
    });
    this.session.connectionEnd = true;
    // The engine asks it for one thing only: the key that signs CertificateVerify.
    this.session.certificateManager = { getKey: () => PKCS8.parse(this.trust?.privateKey ?? new Uint8Array(0)) };
  }

  get open(): boolean {
    return this.phase === "open";
  }

  /** The peer said that nothing follows. */
  get ended(): boolean {
    return this.phase === "ended";
  }

  start(): void {
    const offered = suites.filter((suite) => suite.keyExchangeAlgorithm === ECDHE && suite.encryptionMode === GCM);
    this.options.send(handshakeProtocol.helloProtocol.packetize(this.session, offered, [0], CLIENT_HELLO));
  }

  /**
   * Takes one whole record, in a buffer of its own that it may overwrite. Returns the data in it, if any. Throws what
   * ends the connection.
   */
  receive(record: Uint8Array): Uint8Array | undefined {
    const type = record[0]!;
    switch (this.phase) {
      case "change":
        if (type === CHANGE_CIPHER_SPEC && this.pending.length === 0) return this.change(record);
        break;
      case "finished":
        if (type === HANDSHAKE) return this.finished(record);
        break;
      case "open":
        if (type === APPLICATION_DATA || type === ALERT) return this.data(record);
        break;
      case "ended":
        return undefined;
      default:
        if (type === HANDSHAKE) return this.messages(record.subarray(RECORD_HEADER));
    }
    if (type === ALERT && this.phase !== "finished") throw new Error(`TLS alert ${record[RECORD_HEADER + 1]}`);
    throw new Error(`TLS record ${type} out of place`);
  }

  /** The record for data to send, at most 16384 bytes. */
  seal(data: Uint8Array): Uint8Array {
    return bytesOf(recordProtocol.packetize(this.session, APPLICATION_DATA, data));
  }

  /** The record that says that nothing follows. */
  farewell(): Uint8Array {
    return bytesOf(recordProtocol.packetize(this.session, ALERT, Uint8Array.of(1, 0)));
  }

  /* ---- handshake in the clear ---- */

  private messages(fragment: Uint8Array): undefined {
    const bytes = joined(this.pending, fragment);
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = 4 + bytes[at + 1]! * 65_536 + bytes[at + 2]! * 256 + bytes[at + 3]!;
      if (length > MESSAGE_MAX) throw new Error("TLS handshake message too long");
      if (bytes.length - at < length) break;
      this.message(bytes.slice(at, at + length));
      at += length;
    }
    this.pending = bytes.slice(at);
  }

  private message(message: Uint8Array): void {
    const type = message[0]!;
    const order = ORDER[type];
    if (order === undefined || !order.in.includes(this.phase))
      throw new Error(`TLS handshake message ${type} out of place`);
    const body = new MessageReader(message.subarray(4));
    switch (type) {
      case SERVER_HELLO:
        this.hello(body);
        // The engine keeps the handshake's digest from here on.
        handshakeProtocol.unpacketize(this.session, new SSLStream(message));
        break;
      case CERTIFICATE:
        this.certificate(body);
        break;
      case SERVER_KEY_EXCHANGE:
        this.keyExchange(body);
        break;
      case CERTIFICATE_REQUEST: {
        const certificate = this.trust?.certificate;
        this.session.clientCerts = certificate === undefined ? [] : [certificate];
        break;
      }
      case SERVER_HELLO_DONE:
        body.end();
    }
    if (type !== SERVER_HELLO) this.session.handshakeDigests.SHA256.write(message);
    this.phase = order.next;
    if (type === SERVER_HELLO_DONE) this.advance(SERVER_HELLO_DONE);
  }

  private hello(body: MessageReader): void {
    if (body.number(2) !== TLS_1_2) throw new Error("TLS 1.2 refused by the server");
    body.bytes(32);
    body.bytes(body.number(1));
    const [first, second] = body.bytes(2);
    const chosen = suites.find((suite) => suite.value[0] === first && suite.value[1] === second);
    if (chosen?.keyExchangeAlgorithm !== ECDHE || chosen.encryptionMode !== GCM)
      throw new Error("TLS cipher suite was not offered");
    if (body.number(1) !== 0) throw new Error("TLS compression was not offered");
    const extensions = new MessageReader(body.more ? body.bytes(body.number(2)) : body.rest());
    while (extensions.more) {
      const type = extensions.number(2);
      extensions.bytes(extensions.number(2));
      // A server that agrees returns what it was asked for.
      if (type === MAX_FRAGMENT_LENGTH) this.recordMax = FRAGMENT + GCM_EXPANSION;
    }
  }

  private certificate(body: MessageReader): void {
    const list = new MessageReader(body.bytes(body.number(3)));
    body.end();
    const certificates: Uint8Array[] = [];
    while (list.more && certificates.length < CERTIFICATES_MAX) certificates.push(list.bytes(list.number(3)));
    const { host, now } = this.options;
    const verify = (key: PublicKey, scheme: SignatureScheme, data: Uint8Array, signature: Uint8Array): boolean =>
      verifySignature(key, scheme, [data], signature);
    this.peer = verifyChain({ certificates, roots: this.trust?.roots ?? [], host, now: now(), verify });
  }

  /**
   * The proof that the server holds the key of its certificate: it signs the randoms of both with its half of the
   * exchange (RFC 8422, section 5.4).
   */
  private keyExchange(body: MessageReader): void {
    const params = body.rest();
    if (body.number(1) !== 3 || body.number(2) !== SECP256R1) throw new Error("TLS curve was not offered");
    const point = body.bytes(body.number(1));
    const signed = params.subarray(0, 4 + point.length);
    const hash = HASHES[body.number(1)];
    const kind = SIGNATURES[body.number(1)];
    const signature = body.bytes(body.number(2));
    body.end();
    const session = this.session;
    const key = this.peer;
    const data = [new Uint8Array(session.clientRandom), new Uint8Array(session.serverRandom), signed];
    if (
      key === undefined ||
      hash === undefined ||
      kind === undefined ||
      !verifySignature(key, { kind, hash }, data, signature)
    )
      throw new Error("TLS key exchange is not signed by the certificate's key");
    pointOn(new Curve("secp256r1"), point);
    session.dhparams = { named_curve: SECP256R1, dh_Ys: point.slice().buffer };
  }

  /* ---- under keys ---- */

  private change(record: Uint8Array): undefined {
    recordProtocol.unpacketize(this.session, record.buffer as ArrayBuffer);
    this.phase = "finished";
  }

  private finished(record: Uint8Array): undefined {
    recordProtocol.unpacketize(this.session, record.buffer as ArrayBuffer);
    if (this.session.handshakeProcess !== FINISHED) throw new Error("TLS handshake did not finish");
    this.advance(FINISHED);
    this.phase = "open";
  }

  private data(record: Uint8Array): Uint8Array | undefined {
    const session = this.session;
    recordProtocol.unpacketize(session, record.buffer as ArrayBuffer);
    if (session.alert !== undefined) {
      this.phase = "ended";
      return undefined;
    }
    const data = session.applicationData;
    session.applicationData = undefined;
    return data;
  }

  /** Has the engine answer, or conclude. */
  private advance(message: number): void {
    const { send } = this.options;
    this.session.handshakeProcess = message;
    this.session.handshake({
      readable: 0,
      writable: 0,
      read() {},
      write(bytes) {
        send(bytesOf(bytes));
        return 0;
      },
    });
  }
}

const bytesOf = (bytes: Uint8Array | ArrayBuffer): Uint8Array =>
  bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
};
