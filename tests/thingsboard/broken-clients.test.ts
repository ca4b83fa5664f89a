/** The search of interleavings notices clients that are wrong in one place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkDownload } from "../../src/platforms/thingsboard/chunk-download";
import type { ChunkOutput } from "../../src/platforms/thingsboard/chunk-download";
import { interleave } from "./interleavings";

/** Seeds in which each of them is noticed for certain. */
const SEEDS = 125;

/** The methods of a class that are changed here; `private` ends with the types. */
interface Chunks {
  readonly url: string;
  state: string;
  until: number;
  readonly outputs: ChunkOutput[];
  bind(now: number): void;
  chunk(id: number, chunk: number, bytes: Uint8Array, now: number): ChunkOutput[];
  shown(url: string, now: number): ChunkOutput[];
  tick(now: number): ChunkOutput[];
}
const chunks = ChunkDownload.prototype as unknown as Chunks;

/** Does `then` as soon as the first chunk of an id is there. */
function atFirstChunk(then: (download: Chunks, now: number) => ChunkOutput[]): Pick<Chunks, "chunk"> {
  const right = chunks.chunk;
  return {
    chunk(this: Chunks, id, chunk, bytes, now) {
      const outputs = right.call(this, id, chunk, bytes, now);
      return this.state === "settling" ? [...outputs, ...then(this, now)] : outputs;
    },
  };
}

const BROKEN: readonly (readonly [what: string, change: object])[] = [
  [
    "stores the first chunk before it has seen the attributes again",
    atFirstChunk((download, now) => {
      download.state = "proving";
      return download.shown(download.url, now);
    }),
  ],
  [
    "asks for the attributes as soon as the first chunk is there",
    atFirstChunk((download) => download.tick(download.until)),
  ],
  [
    "goes on after a reconnect, and asks nothing",
    {
      connected(this: Chunks, now: number): ChunkOutput[] {
        if (this.state !== "offline") return [];
        this.bind(now);
        this.state = "open";
        return this.outputs.splice(0);
      },
    },
  ],
];

for (const [what, change] of BROKEN)
  test(`a client that ${what}`, async () => {
    const right = Object.fromEntries(Object.keys(change).map((name) => [name, chunks[name as keyof Chunks]]));
    Object.assign(chunks, change);
    try {
      let noticed = false;
      for (let seed = 1; seed <= SEEDS && !noticed; seed += 2) {
        const { mixed, failed, version, wanted } = await interleave(seed);
        noticed = mixed.length > 0 || failed.length > 0 || version !== wanted;
      }
      assert.ok(noticed);
    } finally {
      Object.assign(chunks, right);
    }
  });
