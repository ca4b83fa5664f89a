/**
 * `v2/fw/request/{id}/chunk/{n}` (facts 21 to 33, 35). A request id is bound to a package at its first use, which is
 * looked up in the database and counted by the limits; what follows is served from the cache and not counted.
 */
import type { IPublishPacket } from "mqtt-packet";
import { assignedTo } from "./model";
import type { OtaPackage } from "./model";
import { PAYLOAD_MAX, REASON } from "./session";
import type { Session } from "./session";
import type { Transport } from "./transport";

const REQUEST = /v2\/(fw|sw)\/request\/(\d+)\/chunk\/(\d+)/;
const RESPONSE = "v2/fw/response/+/chunk/+";
/** For software too (fact 28). */
const ERROR = "v2/fw/error";
const INT32_MAX = 0x7fff_ffff;
/** Of more than so many at a time, answers leave out of order: seen from 4 on (fact 29). */
const DISORDER = 3;

interface Asked {
  readonly packet: IPublishPacket;
  readonly id: string;
  readonly chunk: number;
  readonly size: number;
}

export class ChunkRequests {
  readonly #transport: Transport;
  readonly #session: Session;
  readonly #bound = new Map<string, OtaPackage>();
  readonly #sizes = new Map<string, number>();
  /** Came in one piece of what was received. */
  #waiting: Asked[] = [];
  #deferred = false;

  constructor(transport: Transport, session: Session) {
    this.#transport = transport;
    this.#session = session;
  }

  /** False: not such a topic. */
  take(packet: IPublishPacket): boolean {
    const [, kind, id, number] = REQUEST.exec(packet.topic) ?? [];
    if (id === undefined || number === undefined) return false;
    if (kind === "sw") {
      this.#refuse("NOT_FOUND");
      return true;
    }
    const size = this.#sizeOf(id, packet.payload.toString());
    const chunk = Number(number);
    if (size === undefined || chunk > INT32_MAX) {
      // Java's parser throws, and nobody says why (fact 26).
      this.#session.end(REASON.implementationSpecific);
      return true;
    }
    if (size > PAYLOAD_MAX) {
      this.#refuse("PAYLOAD_TOO_LARGE");
      return true;
    }
    if (!this.#bound.has(id) && !this.#counted()) return true;
    this.#waiting.push({ packet, id, chunk, size });
    if (!this.#deferred) {
      this.#deferred = true;
      this.#transport.defer(() => this.#answerAll());
    }
    return true;
  }

  /** Remembered for the id; 0 where there is none, which means everything (fact 24). Undefined: no number. */
  #sizeOf(id: string, payload: string): number | undefined {
    if (payload !== "" && !/^[+-]?\d+$/.test(payload)) return undefined;
    const size = Number(payload);
    if (size > INT32_MAX || size < -INT32_MAX - 1) return undefined;
    if (size > 0) this.#sizes.set(id, size);
    return this.#sizes.get(id) ?? 0;
  }

  /** Only requests of an id that is not bound yet: so many at once trip the limit (fact 35). */
  #counted(): boolean {
    this.#session.active();
    if (this.#transport.limitsOf(this.#session.device)?.messages.take() !== false) return true;
    this.#session.end(REASON.implementationSpecific);
    return false;
  }

  #answerAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#deferred = false;
    if (waiting.length > DISORDER) {
      // Not random, so that a test can be run again: each pair is turned round.
      for (let at = 1; at + 1 < waiting.length; at += 2)
        [waiting[at], waiting[at + 1]] = [waiting[at + 1]!, waiting[at]!];
    }
    const { queues } = this.#transport;
    for (const each of waiting)
      queues.run("bind", this.#session, () => {
        if (!this.#session.isClosed) this.#answer(each);
      });
  }

  #answer({ packet, id, chunk, size }: Asked): void {
    const firmware = this.#bound.get(id) ?? this.#bind(id);
    if (firmware === undefined) return;
    this.#session.acknowledge(packet);
    const bytes = this.#transport.chunks.chunk(firmware, size, chunk);
    if (bytes === undefined) return;
    const send = (): void => this.#session.send(`v2/fw/response/${id}/chunk/${chunk}`, RESPONSE, bytes);
    this.#transport.queues.run("chunk", this.#session, send);
  }

  /** For the rest of the connection, whatever is assigned later (fact 23). */
  #bind(id: string): OtaPackage | undefined {
    const firmware = assignedTo(this.#session.device);
    if (firmware?.data === undefined) {
      this.#refuse(firmware === undefined ? "NOT_FOUND" : "FAILURE");
      return undefined;
    }
    this.#transport.chunks.load(firmware);
    this.#bound.set(id, firmware);
    return firmware;
  }

  /** Plain text without a request id, then the end (fact 28). */
  #refuse(reason: string): void {
    this.#session.send(ERROR, ERROR, reason);
    this.#session.end(REASON.implementationSpecific);
  }
}
