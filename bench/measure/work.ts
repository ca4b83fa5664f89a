/** Counted work of the agent in XS: bytecodes and heap slots, the same on every machine. */
import { createHash } from "node:crypto";
import { requestPrefix } from "../../src/download/request";
import { splitUrl } from "../../src/http/url";
import { firmwareImage } from "../../tests/kit/images";
import type { Connection, Peer } from "../../tests/kit/peer";
import { broker } from "../simulation/broker";
import type { Cloud } from "../simulation/broker";
import { fileServer, responseHead } from "../simulation/file-server";
import { Ask, Command, PARTS } from "../xs/protocol";
import type { Part } from "../xs/protocol";
import { Machine } from "../xs/machine";

/** Segment as lwIP hands it up. */
const SEGMENT = 1_440;
const SIGNED_URL = `http://files.example/fw.bin?sign=${"0".repeat(300)}`;

/* ---- the parts by themselves ---- */

const ROUNDS = 64;

export async function measureParts(parts: readonly Part[] = PARTS): Promise<Map<Part, number>> {
  const machine = await Machine.start(() => new Uint8Array(0));
  try {
    const costs = new Map<Part, number>();
    for (const part of parts) {
      const call = async (rounds: number, bytes = new Uint8Array(0)): Promise<number> =>
        (
          await machine.turn(
            Command.part,
            Buffer.concat([Uint8Array.of(PARTS.indexOf(part), rounds >> 8, rounds & 255), bytes]),
          )
        ).compute;
      await call(0, sampleOf(part));
      const once = await call(1);
      costs.set(part, ((await call(ROUNDS + 1)) - once) / ROUNDS);
    }
    return costs;
  } finally {
    machine.stop();
  }
}

function sampleOf(part: Part): Uint8Array<ArrayBuffer> {
  const url = splitUrl(SIGNED_URL);
  if (part === "range request" && typeof url !== "string") return Uint8Array.from(requestPrefix(url));
  return part === "response head" ? Uint8Array.from(responseHead(98_304, 106_495, 708_482, false)) : new Uint8Array(0);
}

/* ---- the whole agent ---- */

export type Phase = "starting" | "idle" | "downloading" | "verifying" | "ending";

export interface Work {
  /** Bytecodes, by what the agent was doing. */
  readonly bytecodes: { readonly [phase in Phase]: number };
  /** Slots that live, after a collection. */
  readonly heap: {
    readonly idle: number;
    readonly downloading: number;
    readonly verifying: number;
    readonly peak: number;
    readonly afterEach: readonly number[];
  };
  /** Slots made for each KiB of the download, garbage included. */
  readonly slotsPerKiB: number;
  readonly kibibytes: number;
  /** Bytecodes of one idle hour: keep-alive and timers. */
  readonly idleHour: number;
  readonly idleTurns: number;
}

/** Each update ends with a digest that does not fit, which is reported after one more download. */
const DOWNLOADS = 2;
const HOUR = 3_600_000;

/** Downloads an image of `size` bytes for each of `updates` in one boot cycle of the agent, then idles for an hour. */
export async function measureAgent(size: number, updates: number, recorder = true): Promise<Work> {
  const agent = new MeteredAgent(size, recorder);
  try {
    await agent.start();
    for (let update = 0; update < updates; update++) await agent.update(update);
    const { idleHour, idleTurns } = await agent.idleHour();
    const { bytecodes, heap, slotsMade } = agent;
    const kibibytes = (size * updates * DOWNLOADS) / 1024;
    return { bytecodes, heap, slotsPerKiB: slotsMade / kibibytes, kibibytes, idleHour, idleTurns };
  } finally {
    agent.stop();
  }
}

/** One connection of the agent in XS to a peer in this process. */
interface Line extends Connection {
  readonly id: number;
  readonly peer: Peer;
  readonly queue: Uint8Array[];
  /** Segments whose every byte is looked at. */
  matters: number;
}

/**
 * The agent in an XS machine, with its peers and its clock. One thing happens at a time, and each turn of the machine
 * is metered.
 */
class MeteredAgent {
  readonly bytecodes = { starting: 0, idle: 0, downloading: 0, verifying: 0, ending: 0 };
  readonly heap = { idle: 0, downloading: 0, verifying: 0, peak: 0, afterEach: [] as number[] };
  /** During downloads. */
  slotsMade = 0;
  readonly #image: Uint8Array;
  readonly #recorder: boolean;
  readonly #cloud: Cloud = { task: undefined, reports: [], packets: 0 };
  readonly #peers: ReadonlyMap<number, Peer>;
  readonly #lines = new Map<number, Line>();
  #machine: Machine | undefined;
  #phase: Phase = "starting";
  #lastLine = 0;
  #wakeAt = Infinity;
  #now = 0;
  #slots = 0;

  constructor(size: number, recorder: boolean) {
    this.#recorder = recorder;
    this.#image = firmwareImage("0.2.0", size);
    this.#peers = new Map([
      [80, fileServer(() => this.#image, { requests: 0, promised: 0 })],
      [1883, broker(this.#cloud)],
    ]);
  }

  async start(): Promise<void> {
    this.#machine = await Machine.start((request) => this.#answer(request));
    const { length: size } = this.#image;
    const configuration = {
      first: [...this.#image.subarray(0, 4096)],
      digests: ["ff".repeat(16)],
      size,
      recorder: this.#recorder,
    };
    await this.#turn(Command.start, Buffer.from(JSON.stringify(configuration), "latin1"));
    while (await this.#step());
    this.#phase = "idle";
    this.heap.idle = await this.#collect();
  }

  stop(): void {
    this.#machine?.stop();
  }

  /** One whole update; the heap is looked at during the first. */
  async update(number: number): Promise<void> {
    const md5sum = createHash("md5").update(String(number)).digest("hex");
    push(this.#cloud, { version: "0.2.0", file_size: this.#image.length, md5sum, url: SIGNED_URL });
    let sectors = 0;
    while (await this.#step()) {
      if (number > 0) continue;
      const { heap } = this;
      if (this.#phase === "downloading" && ++sectors % 40 === 0)
        heap.downloading = Math.max(heap.downloading, await this.#collect());
      if (this.#phase === "verifying") heap.verifying = Math.max(heap.verifying, await this.#collect());
    }
    this.#phase = "idle";
    this.heap.afterEach.push(await this.#collect());
    this.heap.peak = Math.max(this.heap.downloading, this.heap.verifying);
  }

  /** Bytecodes and turns of an hour without an update. */
  async idleHour(): Promise<{ readonly idleHour: number; readonly idleTurns: number }> {
    // The version is reported again now and then: nothing must be pushed for it.
    this.#cloud.task = undefined;
    const before = this.bytecodes.idle;
    let idleTurns = 0;
    for (const end = this.#now + HOUR; this.#wakeAt <= end;) {
      await this.#tick(this.#wakeAt);
      idleTurns++;
      while (await this.#step()) idleTurns++;
    }
    const idleHour = this.bytecodes.idle - before;
    this.bytecodes.idle = before;
    return { idleHour, idleTurns };
  }

  /** A call of the agent to its ports. */
  #answer(request: Uint8Array): Uint8Array {
    const id = request[1]!;
    const payload = request.slice(2);
    switch (request[0]!) {
      case Ask.connect:
        return Uint8Array.of(this.#connect(payload[0]! * 256 + payload[1]!));
      case Ask.write: {
        const line = this.#lines.get(id);
        line?.peer.received(payload, line);
        break;
      }
      case Ask.close:
        this.#lines.delete(id);
        break;
      case Ask.wake:
        this.#wakeAt = new DataView(payload.buffer, payload.byteOffset).getFloat64(0);
        break;
      case Ask.notice:
        this.#notice(JSON.parse(Buffer.from(payload).toString()) as { event: string; state?: string });
    }
    return new Uint8Array(0);
  }

  #connect(port: number): number {
    const queue: Uint8Array[] = [];
    const line: Line = {
      id: (this.#lastLine = (this.#lastLine % 255) + 1),
      peer: this.#peers.get(port)!,
      queue,
      matters: port === 80 ? 5 : Infinity,
      closed: false,
      send: (bytes) => void queue.push(...pieces(bytes)),
      end: () => undefined,
      reset: () => undefined,
    };
    line.peer.opened?.(line);
    queue.push(new Uint8Array(0));
    this.#lines.set(line.id, line);
    return line.id;
  }

  #notice({ event, state }: { event: string; state?: string }): void {
    if (event === "state" && (state === "downloading" || state === "verifying")) this.#phase = state;
    // The first digest that does not fit is a warning, the second a failure.
    else if (event === "warning" || (event === "state" && state === "fail")) this.#phase = "ending";
  }

  async #turn(kind: number, payload?: Uint8Array): Promise<void> {
    const during = this.#phase;
    const meter = await this.#machine!.turn(kind, payload);
    this.bytecodes[during] += meter.compute;
    if (during === "downloading") this.slotsMade += Math.max(0, meter.heapSlots - this.#slots);
    this.#slots = meter.heapSlots;
  }

  async #collect(): Promise<number> {
    return (this.#slots = (await this.#machine!.turn(Command.collect)).heapSlots);
  }

  async #tick(to: number): Promise<void> {
    this.#now = Math.max(this.#now, to);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(this.#now);
    await this.#turn(Command.time, bytes);
  }

  /** One thing that is due. False: nothing is left but time. */
  async #step(): Promise<boolean> {
    const line = [...this.#lines.values()].find(({ queue }) => queue.length > 0);
    if (line !== undefined) {
      const piece = line.queue.shift()!;
      // 64 KiB/s, in whole milliseconds as clocks of chips give them.
      if (this.#phase === "downloading") this.#now += Math.round((piece.length / 65_536) * 1000);
      if (this.#wakeAt <= this.#now) await this.#tick(this.#now);
      const head = Buffer.alloc(10);
      head[0] = line.id;
      // MQTT, and the first sector with the image header.
      head[1] = line.matters-- > 0 ? 1 : 0;
      head.writeDoubleBE(this.#now, 2);
      await this.#turn(Command.segment, Buffer.concat([head, piece]));
      return true;
    }
    if (this.#wakeAt > this.#now) return false;
    await this.#tick(this.#now);
    return true;
  }
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += SEGMENT) all.push(bytes.subarray(at, at + SEGMENT));
  return all;
}

/** The broker's push, outside of a version report. */
function push(cloud: Cloud, task: NonNullable<Cloud["task"]>): void {
  cloud.task = task;
  if (cloud.push === undefined) throw new Error("the agent has no connection to the broker");
  cloud.push();
}
