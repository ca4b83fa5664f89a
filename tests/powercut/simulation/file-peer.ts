/**
 * The file server: HTTP/1.1 ranges in memory. It sends a whole response at once, so that all requested bytes count as
 * served. This is the worst case for the bytes that a power cut makes it serve again.
 */
import { RANGE_MAX, SECTOR } from "../../../src/constants";
import type { Surroundings } from "./device";
import { checkDownload, checkRequest, noteServed } from "../checks/download-checks";
import type { Connection, Peer } from "../../kit/peer";
import type { NetworkFault } from "./network-faults";
import { servedOf } from "./push";
import type { Push } from "./push";
import { isAssigned } from "./thingsboard-peer";

/** Where the files of a server of its own are. */
export interface FileSite {
  pushOf(target: string): Push | undefined;
  /** What is answered in place of the file's bytes; undefined: these. */
  refusal(target: string): Uint8Array | undefined;
  /** The bytes up to `end` were served. */
  served(push: Push, end: number): void;
}

export class FilePeer implements Peer {
  readonly #with: Surroundings;
  readonly #fault: NetworkFault | undefined;
  readonly #pushed: (served: ReturnType<Surroundings["simulation"]["cloud"]["served"]>) => void;
  readonly #site: FileSite | undefined;
  /**
   * By connection: the text of an incomplete request, whether the connection has had a request, and whether it no
   * longer answers.
   */
  readonly #open = new Map<Connection, { text: string; asked: boolean; mute: boolean }>();

  /** `pushed`: called with the offer that the cloud sends because of the bytes served. */
  constructor(
    surroundings: Surroundings,
    fault: NetworkFault | undefined,
    pushed: (offer: ReturnType<Surroundings["simulation"]["cloud"]["served"]>) => void,
    site?: FileSite,
  ) {
    this.#with = surroundings;
    this.#fault = fault;
    this.#pushed = pushed;
    this.#site = site;
  }

  opened(connection: Connection): void {
    this.#open.set(connection, { text: "", asked: false, mute: false });
  }

  received(bytes: Uint8Array, connection: Connection): void {
    const state = this.#open.get(connection);
    if (state === undefined) return;
    state.text += Buffer.from(bytes).toString("latin1");
    for (
      let end = state.text.indexOf("\r\n\r\n");
      end >= 0 && !connection.closed && !state.mute;
      end = state.text.indexOf("\r\n\r\n")
    ) {
      const request = state.text.slice(0, end);
      state.text = state.text.slice(end + 4);
      if (!this.#with.cycle.message("range request", () => undefined)) return;
      this.#answer(request, connection, !state.asked);
      state.asked = true;
    }
  }

  #answer(request: string, connection: Connection, isFirst: boolean): void {
    const { simulation } = this.#with;
    const count = ++simulation.network.requests;
    const match = /^GET (\S+) [\s\S]*Range: bytes=(\d+)-(\d+)(?:\r\n|$)/.exec(request);
    const target = match?.[1] ?? "";
    const { pushes, platform } = simulation.scenario;
    const isExact = platform === "thingsboard-http";
    const named = (url: string): string => (isExact ? url : url.split("?", 1)[0]!);
    const push =
      this.#site === undefined
        ? pushes.find(({ offer }) => named(offer.url) === `http://files${named(target)}`)
        : this.#site.pushOf(target);
    if (isExact && push !== undefined && !isAssigned(simulation, push))
      return connection.send(Buffer.from("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    const first = Number(match?.[2]);
    const gone = push === undefined ? 0 : simulation.cloud.goneAt(push.offer.version);
    if (match === null || push === undefined || first >= gone)
      return connection.send(Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    const refusal = this.#site?.refusal(target);
    if (refusal !== undefined) return connection.send(refusal);
    const last = Math.min(Number(match[3]), servedOf(push).length - 1);
    this.#check(push, first, last + 1, isFirst);
    // Two responses: the agent tries a denied URL once more before it asks for a fresh one.
    if (this.#isFault("expired", count) || this.#isFault("expired", count - 1))
      return connection.send(Buffer.from("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    if (this.#isFault("busy", count))
      return connection.send(Buffer.from("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"));
    const file = servedOf(push);
    if (this.#isFault("whole", count))
      return this.#send(
        connection,
        push,
        `HTTP/1.1 200 OK\r\nContent-Length: ${file.length}\r\nETag: "1"\r\n\r\n`,
        file,
        last + 1,
      );
    const changed = this.#fault?.kind === "changed" && (count === this.#fault.n || count === this.#fault.n + 1);
    if (changed) {
      simulation.ledger.networkFaults++;
      simulation.network.changed = true;
    }
    const head = `HTTP/1.1 206 Partial Content\r\nContent-Length: ${last + 1 - first}\r\nContent-Range: bytes ${first}-${last}/${file.length}\r\nETag: "${changed ? 2 : 1}"\r\n\r\n`;
    const end = Math.min(last + 1, gone);
    const body = file.slice(first, end);
    if (changed) for (let index = 1000; index < body.length; index += 1000) body[index] = body[index]! ^ 0xff;
    const short = this.#isFault("reset", count) ? "reset" : this.#isFault("stall", count) ? "stall" : undefined;
    this.#send(connection, push, head, short === undefined ? body : body.subarray(0, this.#fault?.m ?? 0), end);
    if (short === "reset" || end <= last) connection.reset();
    if (short === "stall") this.#open.get(connection)!.mute = true;
  }

  #send(connection: Connection, push: Push, head: string, body: Uint8Array, end: number): void {
    const { monitor, simulation } = this.#with;
    noteServed(monitor, push, end);
    connection.send(Buffer.concat([Buffer.from(head), body]), () =>
      this.#with.cycle.message("file's bytes", () => undefined),
    );
    this.#pushed(simulation.cloud.served(push.offer.version, end, monitor.running.version));
    this.#site?.served(push, end);
  }

  #check(push: Push, first: number, end: number, isFirst: boolean): void {
    const { monitor } = this.#with;
    const { job } = monitor;
    const sectors =
      job === undefined ? 0 : push.container === undefined ? monitor.sectorsOf(job) : monitor.stagedOf(job);
    const stored = (sectors ?? 0) * SECTOR;
    checkRequest(monitor, push, end, stored);
    if (isFirst) checkDownload(monitor, push, first, RANGE_MAX);
  }

  #isFault(kind: NetworkFault["kind"], count: number): boolean {
    const hit = this.#fault?.kind === kind && this.#fault.n === count;
    if (hit) this.#with.simulation.ledger.networkFaults++;
    return hit;
  }
}
