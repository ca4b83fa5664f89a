/**
 * A ThingsBoard server to test against: strict, and with the traps of the real one (thingsboard.md). `connect` takes the
 * bytes of an MQTT connection and `answer` a request of HTTP, so both also serve a network in memory; `start` puts them
 * behind ports.
 *
 * No MQTT broker of ours is used: the real server is none. It keeps no session that it says to keep, answers topics that
 * nobody subscribed to, grants exact filters only and ends connections without a reason.
 *
 * Left out: X.509, gateways, software packages, provisioning, a cluster, `attributes/updates`, keep-alive time-outs.
 */
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { Listener } from "../../../host-sim/cloud/core/listeners/listener";
import type { ThingsBoardOperator } from "../../../host-sim/operators/thingsboard/operator";
import type { Connection as PeerConnection, Peer } from "../../kit/peer";
import { answer } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import { HttpPeer } from "../http/peer";
import { HttpServer } from "../http/server";
import { forkRecords } from "./fork";
import { HttpApi } from "./http-api";
import { Management } from "./management";
import { MqttSession } from "./mqtt-session";
import type { Connection } from "./mqtt-session";
import { DoubleOperator } from "./operator";
import type { Repository } from "./repository";
import { Transport } from "./transport";
import type { TransportOptions } from "./transport";

const CONNECTIONS_MAX = 10_000;

export class ThingsBoardDouble {
  readonly transport: Transport;
  readonly operator: ThingsBoardOperator;
  /** Once: what the next request of the device API to this path is answered instead; for 500 and the like. */
  readonly faults: { readonly path: RegExp; readonly answer: HttpAnswer }[] = [];
  readonly #http: HttpServer;
  readonly #api: HttpApi;
  readonly #management: Management;
  #listener: Listener | undefined;
  #mqttPort = 0;

  constructor({ now = Date.now, limits, defer = setImmediate, lag }: Partial<TransportOptions> = {}) {
    this.transport = new Transport({ now, limits, defer, lag });
    this.#api = new HttpApi(this.transport);
    this.#management = new Management(this.transport.repository);
    this.#http = new HttpServer({ answer: (request) => this.answer(request) });
    this.operator = new DoubleOperator(this, this.transport.repository);
  }

  get url(): string {
    return this.#http.url;
  }

  get mqttPort(): number {
    return this.#mqttPort;
  }

  get repository(): Repository {
    return this.transport.repository;
  }

  /** Started again after `stop`, it has its ports; attributes and telemetry are kept, nothing is pushed (fact 31). */
  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#listener = await Listener.open(server, "MQTT", "127.0.0.1", this.#mqttPort, CONNECTIONS_MAX);
    this.#mqttPort = this.#listener.port;
    await this.#http.start();
  }

  async stop(): Promise<void> {
    this.transport.restart();
    await Promise.all([this.#listener?.close(), this.#http.stop()]);
  }

  /**
   * A server with the same records and another clock, as a device finds it whose connections are gone; what happens to
   * one does not happen to the other.
   */
  fork({ now, defer }: Pick<TransportOptions, "now" | "defer">): ThingsBoardDouble {
    const copy = new ThingsBoardDouble({ now, defer, limits: this.transport.limits });
    forkRecords(this.repository, copy.repository);
    copy.transport.chunks.copy(this.transport.chunks);
    copy.transport.received.push(...this.transport.received);
    copy.faults.push(...this.faults);
    return copy;
  }

  /** Its MQTT side on a network in memory. */
  get mqttPeer(): Peer {
    const sessions = new Map<PeerConnection, MqttSession>();
    return {
      opened: (connection) => void sessions.set(connection, this.connect(connection)),
      received: (bytes, connection) => sessions.get(connection)?.received(bytes),
      closed: (connection) => sessions.get(connection)?.lost(),
    };
  }

  /** Its HTTP side on a network in memory. */
  get httpPeer(): Peer {
    return new HttpPeer({ answer: (request) => this.answer(request), now: this.transport.now });
  }

  /** In memory, too, connections and caches are gone. */
  async restart(): Promise<void> {
    const listening = this.#http.isListening;
    await this.stop();
    if (listening) await this.start();
  }

  /** One MQTT connection. */
  connect(connection: Connection): MqttSession {
    return new MqttSession(this.transport, connection);
  }

  answer(request: HttpRequest): HttpAnswer {
    const managed = this.#management.answer(request);
    if (managed !== undefined) return managed;
    const fault = this.faults.findIndex(({ path }) => path.test(request.target));
    if (fault >= 0) return this.faults.splice(fault, 1)[0]!.answer;
    return this.#api.answer(request) ?? answer(404);
  }

  /** TCP_NODELAY stays off, so that chunks at QoS 1 are as slow as those of the real server (fact 30, T8). */
  #accept(socket: Socket): void {
    const session = this.connect({
      send: (bytes) => void socket.write(bytes),
      end: () => socket.destroySoon(),
    });
    socket.on("data", (bytes) => session.received(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => session.lost());
  }
}
