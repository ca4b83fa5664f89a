/**
 * A hawkBit update server to test against: strict, and with the traps of the real one (hawkbit.md). `answer` is the
 * whole server for one request, so it also serves a network in memory; `start` puts it behind a port.
 *
 * Left out: certificate and anonymous authentication, AMQP, encrypted artifacts, CBOR in requests, tenants but DEFAULT.
 */
import type { HawkbitOperator } from "../../../host-sim/operators/hawkbit/operator";
import type { Peer } from "../../kit/peer";
import type { HttpAnswer, HttpRequest } from "../http/message";
import { HttpPeer } from "../http/peer";
import { HttpServer } from "../http/server";
import type { HttpServerOptions } from "../http/server";
import { COMMON, empty, springError } from "./answers";
import { Ddi } from "./ddi";
import type { LinkOptions } from "./documents";
import { forkRecords } from "./fork";
import type { Fork } from "./fork";
import { Management } from "./management";
import { DoubleOperator } from "./operator";
import { RateLimiter, STOCK_LIMITS } from "./rate-limit";
import type { RateLimits } from "./rate-limit";
import { Repository } from "./repository";
import { Rollouts } from "./rollouts";

export interface HawkbitOptions extends Pick<HttpServerOptions, "tls" | "requestsPerConnection"> {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Id of the first action. */
  readonly firstAction?: bigint;
  readonly links?: LinkOptions;
  /** Undefined: those of a stock server. They spare private addresses. */
  readonly rateLimits?: RateLimits;
}

/** One request to the device API, with what it was answered. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly answer: HttpAnswer;
}

/** Tomcat's maxKeepAliveRequests. */
const REQUESTS_PER_CONNECTION = 100;

export class HawkbitDouble {
  readonly repository: Repository;
  readonly rollouts: Rollouts;
  readonly operator: HawkbitOperator;
  /** All that devices sent, and what they were answered, in order. */
  readonly exchanges: Exchange[] = [];
  /** Once: what the next request of the device API to this path is answered instead; for 500 and the like. */
  readonly faults: { readonly path: RegExp; readonly answer: HttpAnswer }[] = [];
  readonly #options: HawkbitOptions;
  readonly #http: HttpServer;
  readonly #ddi: Ddi;
  readonly #management: Management;
  readonly #limiter: RateLimiter;

  constructor(options: HawkbitOptions = {}, records?: Fork) {
    const { now = Date.now, firstAction = 1n, links = {}, rateLimits = STOCK_LIMITS } = options;
    this.#options = options;
    this.repository = records?.repository ?? new Repository(now, firstAction);
    this.rollouts = new Rollouts(this.repository, records?.rollouts);
    this.operator = new DoubleOperator(this, this.repository, this.rollouts);
    this.#ddi = new Ddi(this.repository, links);
    this.#management = new Management(this.repository, this.rollouts);
    this.#limiter = new RateLimiter(rateLimits, now);
    this.#http = new HttpServer({
      requestsPerConnection: REQUESTS_PER_CONNECTION,
      ...options,
      answer: (request) => this.answer(request),
    });
  }

  get url(): string {
    return this.#http.url;
  }

  /** Connections that were accepted so far. */
  get connections(): number {
    return this.#http.connections;
  }

  /** After `stop` it is a restart: the database keeps everything, connections are gone, the port is the same. */
  start(): Promise<void> {
    return this.#http.start();
  }

  stop(): Promise<void> {
    return this.#http.stop();
  }

  /** In memory there is nothing to close. */
  async restart(): Promise<void> {
    if (!this.#http.isListening) return;
    await this.stop();
    await this.start();
  }

  /** A server with the same records and another clock; what happens to one does not happen to the other. */
  fork(now: () => number): HawkbitDouble {
    const records = forkRecords(this.repository, this.rollouts.all, now);
    const copy = new HawkbitDouble({ ...this.#options, now }, records);
    copy.exchanges.push(...this.exchanges);
    copy.faults.push(...this.faults);
    return copy;
  }

  /** On a network in memory. */
  peer(address?: string): Peer {
    const answer = (request: HttpRequest): HttpAnswer => this.answer(request);
    const { now } = this.repository;
    const { requestsPerConnection = REQUESTS_PER_CONNECTION } = this.#options;
    return new HttpPeer({ answer, now, requestsPerConnection, ...(address === undefined ? {} : { address }) });
  }

  answer(request: HttpRequest): HttpAnswer {
    this.rollouts.look();
    if (!this.#limiter.admits(request.method, request.address, request.headers["x-forwarded-for"]))
      return this.#log(request, empty(429));
    const managed = this.#management.answer(request);
    if (managed !== undefined) return managed;
    const fault = this.faults.findIndex(({ path }) => path.test(request.target));
    if (fault >= 0) return this.#log(request, this.faults.splice(fault, 1)[0]!.answer);
    const answered = this.#ddi.answer(request) ?? springError(404, "Not Found", request.target);
    this.rollouts.look();
    return this.#log(request, { ...answered, headers: { ...COMMON, ...answered.headers } });
  }

  #log(request: HttpRequest, answer: HttpAnswer): HttpAnswer {
    this.exchanges.push({ request, answer });
    return answer;
  }
}
