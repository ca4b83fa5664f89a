/** Counted work of the agent in XS: bytecodes and heap slots, the same on every machine. */
import { createHash } from "node:crypto";
import { requestPrefix } from "../../src/download/request";
import { splitUrl } from "../../src/http/url";
import { brokerService } from "../world/broker-service";
import type { Cloud } from "../world/broker-service";
import { imageOf } from "../world/device";
import { fileService, responseHead } from "../world/file-service";
import type { Connection, Peer } from "../world/wire";
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

interface Line {
  readonly id: number;
  peer: Peer | undefined;
  readonly queue: Uint8Array[];
  /** Segments whose every byte is looked at. */
  matters: number;
}

/** Each update ends with a digest that does not fit, which is reported after one more download. */
const DOWNLOADS = 2;

/** Downloads an image of `size` bytes for each of `updates` in one boot cycle of the agent, then idles for an hour. */
export async function measureAgent(size: number, updates: number): Promise<Work> {
  const image = imageOf("0.2.0", size);
  const cloud: Cloud = { task: undefined, said: [], packets: 0 };
  const services = new Map([
    [80, fileService(() => image, { requests: 0, promised: 0 })],
    [1883, brokerService(cloud)],
  ]);
  const lines = new Map<number, Line>();
  let wakeAt = Infinity;
  const at = { phase: "starting" as Phase };
  let last = 0;
  const answer = (request: Uint8Array): Uint8Array => {
    const [kind, id] = [request[0]!, request[1]!];
    const payload = request.slice(2);
    switch (kind) {
      case Ask.connect: {
        const port = payload[0]! * 256 + payload[1]!;
        const line: Line = {
          id: (last = (last % 255) + 1),
          peer: undefined,
          queue: [],
          matters: port === 80 ? 5 : Infinity,
        };
        const service = services.get(port)!;
        const connection: Connection = { send: (bytes) => void line.queue.push(...pieces(bytes)), end: () => {} };
        line.peer = service(connection);
        line.queue.push(new Uint8Array(0));
        lines.set(line.id, line);
        return Uint8Array.of(line.id);
      }
      case Ask.write:
        lines.get(id)?.peer?.received(payload);
        break;
      case Ask.close:
        lines.delete(id);
        break;
      case Ask.wake:
        wakeAt = new DataView(payload.buffer, payload.byteOffset).getFloat64(0);
        break;
      case Ask.notice: {
        const { event, state } = JSON.parse(Buffer.from(payload).toString()) as { event: string; state?: string };
        if (event === "state" && state === "downloading") at.phase = "downloading";
        else if (event === "state" && state === "verifying") at.phase = "verifying";
        // The first digest that does not fit is a warning, the second a failure.
        else if (event === "warning" || (event === "state" && state === "fail")) at.phase = "ending";
      }
    }
    return new Uint8Array(0);
  };

  const due = (): number => wakeAt;
  const phaseNow = (): Phase => at.phase;
  const machine = await Machine.start(answer);
  const bytecodes = { starting: 0, idle: 0, downloading: 0, verifying: 0, ending: 0 };
  const heap = { idle: 0, downloading: 0, verifying: 0, peak: 0, afterEach: [] as number[] };
  let now = 0;
  let slots = 0;
  let made = 0;
  const turn = async (kind: number, payload?: Uint8Array): Promise<void> => {
    const during = at.phase;
    const meter = await machine.turn(kind, payload);
    bytecodes[during] += meter.compute;
    if (during === "downloading") made += Math.max(0, meter.heapSlots - slots);
    slots = meter.heapSlots;
  };
  const collect = async (): Promise<number> => (slots = (await machine.turn(Command.collect)).heapSlots);
  const tick = async (to: number): Promise<void> => {
    now = Math.max(now, to);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(now);
    await turn(Command.time, bytes);
  };
  /** One thing that is due. False: nothing is but time. */
  const step = async (): Promise<boolean> => {
    const line = [...lines.values()].find(({ queue }) => queue.length > 0);
    if (line !== undefined) {
      const piece = line.queue.shift()!;
      // 64 KiB/s, in whole milliseconds as clocks of chips give them.
      if (phaseNow() === "downloading") now += Math.round((piece.length / 65_536) * 1000);
      if (wakeAt <= now) await tick(now);
      const head = Buffer.alloc(10);
      head[0] = line.id;
      // MQTT, and the image's first sector with its head.
      head[1] = line.matters-- > 0 ? 1 : 0;
      head.writeDoubleBE(now, 2);
      await turn(Command.segment, Buffer.concat([head, piece]));
      return true;
    }
    if (wakeAt > now) return false;
    await tick(now);
    return true;
  };
  try {
    const configuration = { first: [...image.subarray(0, 4096)], digests: ["ff".repeat(16)], size };
    await turn(Command.start, Buffer.from(JSON.stringify(configuration), "latin1"));
    while (await step());
    at.phase = "idle";
    heap.idle = await collect();
    for (let ended = 0; ended < updates; ended++) {
      const md5sum = createHash("md5").update(String(ended)).digest("hex");
      push(cloud, lines, { version: "0.2.0", file_size: size, md5sum, url: SIGNED_URL });
      let sectors = 0;
      while (await step()) {
        if (ended > 0) continue;
        const before = phaseNow();
        if (before === "downloading" && ++sectors % 40 === 0)
          heap.downloading = Math.max(heap.downloading, await collect());
        if (before === "verifying") heap.verifying = Math.max(heap.verifying, await collect());
      }
      at.phase = "idle";
      heap.afterEach.push(await collect());
    }
    heap.peak = Math.max(heap.downloading, heap.verifying);
    // The version is reported again now and then: nothing must be pushed for it.
    cloud.task = undefined;
    const before = bytecodes.idle;
    let idleTurns = 0;
    const hourEnds = now + 3_600_000;
    for (let next = due(); next <= hourEnds; next = due()) {
      await tick(next);
      idleTurns++;
      while (await step()) idleTurns++;
    }
    const idleHour = bytecodes.idle - before;
    bytecodes.idle = before;
    const kibibytes = (size * updates * DOWNLOADS) / 1024;
    return { bytecodes, heap, slotsPerKiB: made / kibibytes, kibibytes, idleHour, idleTurns };
  } finally {
    machine.stop();
  }
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += SEGMENT) all.push(bytes.subarray(at, at + SEGMENT));
  return all;
}

/** The broker's push, outside of a version report. */
function push(cloud: Cloud, lines: ReadonlyMap<number, Line>, task: NonNullable<Cloud["task"]>): void {
  cloud.task = task;
  cloud.push?.();
  if (cloud.push === undefined) throw new Error(`no broker connection among ${lines.size}`);
}
