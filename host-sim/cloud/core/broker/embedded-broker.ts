import { Aedes } from "aedes";
import type { AuthenticateError, Client, PublishPacket } from "aedes";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { topicMatches, type Broker, type BusMessage, type Presence, type Session } from "./bus";
import type { TlsIdentity } from "../listeners/certificates";
import type { Gate } from "./gate";
import { Listener } from "../listeners/listener";
import { limitPackets } from "./packet-limit";

export interface BrokerOptions {
  readonly host: string;
  /** Plain TCP; 0 = any free port; absent = none. */
  readonly port?: number;
  /** TLS; 0 = any free port; absent = none. */
  readonly tlsPort?: number;
  readonly tls?: TlsIdentity;
  readonly gate: Gate;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Twice what the agent takes: larger packets end the connection. */
const PACKET_MAX = 16_384;
const CONNECTIONS_MAX = 10_000;
/** Tencent client ids have up to 80 characters, and its Python SDK speaks MQTT 3.1, whose own limit is 23. */
const CLIENT_ID_MAX = 128;
/** A connection must send CONNECT, finish its handshake and drain its socket within this, in milliseconds. */
const CONNECTION_TIMEOUT = 10_000;
/** Where refused publishes go: no gate lets anybody subscribe to it. */
const NOWHERE = "$SYS/refused";

/**
 * The broker inside this process. Sessions are always clean, and wills and retained messages are ignored, as Tencent's
 * platform has it: so a device that is gone leaves nothing behind.
 */
export class EmbeddedBroker implements Broker {
  readonly tellsPresence = true;
  readonly #options: BrokerOptions;
  readonly #handlers = new Set<{ filter: string; handler: (message: BusMessage) => void }>();
  readonly #watchers = new Set<(presence: Presence) => void>();
  /** Our own register of who is connected: the newest connection of each client id. */
  readonly #connected = new Map<string, Client>();
  #sessions = new WeakMap<Client, Session>();
  #serial = 0;
  #aedes: Aedes | undefined;
  #plain: Listener | undefined;
  #secure: Listener | undefined;
  #portWanted: number;
  #tlsPortWanted: number;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#portWanted = options.port ?? 0;
    this.#tlsPortWanted = options.tlsPort ?? 0;
  }

  /** Started again after `stop`, it takes the ports it had. Rejects with one line if a port can not be had. */
  async start(): Promise<void> {
    const { host, port, tlsPort, tls } = this.#options;
    const aedes = await Aedes.createBroker({
      connectTimeout: CONNECTION_TIMEOUT,
      drainTimeout: CONNECTION_TIMEOUT,
      maxClientsIdLength: CLIENT_ID_MAX,
      maxInflightInbound: 16,
      preConnect: (_client, packet, done) => {
        packet.clean = true;
        delete packet.will;
        done(null, true);
      },
      authenticate: (client, username, password, done) => this.#authenticate(client, username, password, done),
      authorizePublish: (client, packet, done) => this.#published(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        this.#ready(client);
        const session = this.#sessions.get(client);
        const allowed = session !== undefined && this.#options.gate.subscribe(session, subscription.topic);
        done(null, allowed ? subscription : null);
      },
    });
    this.#aedes = aedes;
    aedes.on("clientReady", (client) => this.#ready(client));
    aedes.on("clientDisconnect", (client) => this.#gone(client));
    try {
      if (port !== undefined) {
        const server = createServer((socket) => this.#handle(socket));
        this.#plain = await Listener.open(server, "MQTT", host, this.#portWanted, CONNECTIONS_MAX);
        this.#portWanted = this.#plain.port;
      }
      if (tlsPort !== undefined && tls !== undefined) {
        const server = createTlsServer({ ...tls.server, handshakeTimeout: CONNECTION_TIMEOUT }, (socket) =>
          this.#handle(socket),
        );
        this.#secure = await Listener.open(server, "MQTT over TLS", host, this.#tlsPortWanted, CONNECTIONS_MAX);
        this.#tlsPortWanted = this.#secure.port;
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Every device goes offline; handlers stay for the next `start`. */
  async stop(): Promise<void> {
    const aedes = this.#aedes;
    this.#aedes = undefined;
    for (const client of this.#connected.values()) this.#gone(client);
    await Promise.all([this.#plain?.close(), this.#secure?.close()]);
    this.#plain = undefined;
    this.#secure = undefined;
    if (aedes) await new Promise<void>((resolve) => aedes.close(resolve));
  }

  /** Presents the certificate that is in the options now. */
  present(): void {
    if (this.#options.tls) this.#secure?.present(this.#options.tls.server);
  }

  /** Port of the plain listener; 0 if there is none. */
  get port(): number {
    return this.#plain?.port ?? 0;
  }

  /** Port of the TLS listener; 0 if there is none. */
  get tlsPort(): number {
    return this.#secure?.port ?? 0;
  }

  publish(topic: string, payload: string, qos: 0 | 1): void {
    const packet: PublishPacket = { cmd: "publish", topic, payload, qos, dup: false, retain: false };
    this.#aedes?.publish(packet, () => undefined);
  }

  onMessage(filter: string, handler: (message: BusMessage) => void): () => void {
    const entry = { filter, handler };
    this.#handlers.add(entry);
    return () => this.#handlers.delete(entry);
  }

  onPresence(handler: (presence: Presence) => void): () => void {
    this.#watchers.add(handler);
    return () => this.#watchers.delete(handler);
  }

  /** Ends a device's connection, as a broker's console does. */
  disconnect(clientId: string): void {
    this.#connected.get(clientId)?.close();
  }

  #handle(socket: Socket): void {
    // A peer that lost its power sends nothing and may have asked for no keep-alive.
    socket.setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    limitPackets(socket, PACKET_MAX);
    if (this.#aedes) this.#aedes.handle(socket);
    else socket.destroy();
  }

  #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, success: boolean | null) => void,
  ): void {
    const admission = this.#options.gate.connect({
      clientId: client.id,
      username,
      password: password?.toString("utf8"),
      certificateName: provenName(client.conn as Socket),
      at: this.#options.now(),
    });
    if (!admission.admitted) {
      done(Object.assign(new Error(admission.reason), { returnCode: admission.code }) as AuthenticateError, false);
      return;
    }
    const { side, device } = admission;
    this.#sessions.set(client, { clientId: client.id, username: username ?? "", serial: ++this.#serial, side, device });
    done(null, true);
  }

  /**
   * Messages are taken here, before the broker's own queues: this is called in the order of the bytes on the wire,
   * while the broker's later stages let a QoS 0 message overtake a QoS 1 one.
   */
  #published(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const session = client ? this.#sessions.get(client) : undefined;
    if (client === null || session === undefined) {
      done(new Error("not connected"));
      return;
    }
    this.#ready(client);
    packet.retain = false;
    const verdict = this.#options.gate.publish(session, packet.topic);
    if (verdict === "disconnect") {
      done(new Error("not authorized"));
      return;
    }
    if (verdict === "drop") packet.topic = NOWHERE;
    else this.#deliver(session, packet);
    done(null);
  }

  #deliver(session: Session, packet: PublishPacket): void {
    const { topic, qos, dup } = packet;
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    const message: BusMessage = { topic, payload, qos, dup, at: this.#options.now(), session };
    for (const { filter, handler } of this.#handlers) if (topicMatches(filter, topic)) handler(message);
  }

  /** Called by the broker's event and before a client's first message, which may come ahead of it. */
  #ready(client: Client): void {
    const session = this.#sessions.get(client);
    const older = this.#connected.get(client.id);
    if (session === undefined || client.closed || older === client) return;
    // [MQTT-3.1.4-2]: the older connection goes. The broker does this itself except where that one was already closing.
    if (older) {
      this.#gone(older);
      older.close();
    }
    this.#connected.set(client.id, client);
    this.#announce(session, true);
  }

  #gone(client: Client): void {
    if (this.#connected.get(client.id) !== client) return;
    this.#connected.delete(client.id);
    const session = this.#sessions.get(client);
    if (session) this.#announce(session, false);
  }

  #announce(session: Session, online: boolean): void {
    const at = this.#options.now();
    for (const watcher of this.#watchers) watcher({ session, online, at });
  }
}

/** The common name of the peer's certificate, where TLS proved that our own authority issued it. */
function provenName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}
