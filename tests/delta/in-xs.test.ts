/** The agent in the engine of the simulated board: containers that are damaged, each under a digest that fits it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deflateRaw, inflateRaw } from "pako";
import { buildImage } from "../../hal/model-chip/build-image";
import { FIXED } from "../../src/container/format";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { xsScript } from "../../host-sim/board/firmware/xs-script";
import { expandBlock } from "../../host-sim/delta/expand";
import { mutate } from "../fuzz/mutate";
import { Random } from "../fuzz/random";
import { containerOf } from "../kit/containers";
import { ALGORITHMS, Ask, VERSION } from "./xs/protocol";

/** All by `npm run test:long -- --only delta-xs`. */
const CONTAINERS = Number(process.env["XS_OTA_CONTAINERS"] ?? 150);
/** Two blocks. */
const SIZE = 66_000;
/** Of one container: a hundred times what a good one takes. */
const TURN_BYTECODES = 200_000_000;

const image = (version: string): Uint8Array =>
  buildImage({ version, payload: new TextEncoder().encode(version.repeat(99)), size: SIZE, seed: "all versions" });
const old = image("0.1.0");
const { bytes: container, container: head } = containerOf(image(VERSION), [old], { whole: false });
/** Lengths of the blocks. */
const TAIL = 8;
const tokens = [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(0xff, 0xff, 0xff, 0xff), Uint8Array.of(1, 0, 0, 0)];

const u32 = (bytes: Uint8Array, at: number, value: number): void =>
  new DataView(bytes.buffer).setUint32(at, value, true);
const digest = (algorithm: string, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash(algorithm).update(bytes).digest());

/** As the chip's decoder: the bytes of a block, or none. */
function expanded(oldLength: number, start: number, size: number, block: Uint8Array): Uint8Array {
  const into = new Uint8Array(size);
  const read = (offset: number, bytes: Uint8Array): void => bytes.set(old.subarray(offset, offset + bytes.length));
  try {
    expandBlock(block, { length: Math.min(oldLength, old.length), read }, into, start);
    return into;
  } catch {
    return new Uint8Array(0);
  }
}

/**
 * Changes in the head, in the blocks (as they are, or in the operations that are compressed in the last one), or in their
 * lengths. Of three in four the lengths fit what became of them, so that
 * more than the first checks is reached.
 */
function damaged(random: Random): Uint8Array {
  const cuts = [0, head.headLength, container.length - TAIL, container.length];
  const place = random.below(3);
  const pieces: Uint8Array[] = [0, 1, 2].map((index) => container.slice(cuts[index], cuts[index + 1]));
  const [start, blocks, tail] = pieces as [Uint8Array, Uint8Array, Uint8Array];
  const first = new DataView(tail.buffer).getUint32(0, true);
  if (place === 1 && random.below(2) === 0) {
    const operations = mutate(inflateRaw(blocks.subarray(first)), blocks, tokens, random);
    pieces[1] = Buffer.concat([blocks.subarray(0, first), deflateRaw(operations)]);
  } else pieces[place] = mutate(pieces[place]!, pieces[random.below(3)]!, tokens, random);
  if (random.below(4) === 0) return new Uint8Array(Buffer.concat(pieces));
  const length = pieces.reduce((sum, { length: each }) => sum + each, 0);
  if (place > 0) {
    u32(start, 12, length);
    u32(start, FIXED + 72, length - head.headLength);
  }
  if (place === 1) u32(tail, 4, pieces[1]!.length - first);
  return new Uint8Array(Buffer.concat(pieces));
}

/** What the changes come upon: the checks in their order. */
const REASONS = [
  /^the container's head is damaged/,
  /^the container's part is damaged/,
  /^the block does not make its bytes/,
  /^the container makes another file/,
  /^made/,
];

test(`${CONTAINERS} damaged containers: each is refused or makes the image, and the device waits for the next offer`, async (context) => {
  const told: string[] = [];
  const engine = createXsEngine({
    turnBytecodes: TURN_BYTECODES,
    answer(request) {
      const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
      const number = (index: number): number => view.getUint32(1 + 4 * index, true);
      if (request[0] === Ask.digest) return digest(ALGORITHMS[number(0)]!, request.subarray(5));
      if (request[0] === Ask.block) return expanded(number(0), number(1), number(2), request.subarray(13));
      told.push(Buffer.from(request.subarray(1)).toString());
      return new Uint8Array(0);
    },
  });
  const offer = async (bytes: Uint8Array): Promise<void> => {
    const turn = await engine.turn(Buffer.concat([digest("MD5", bytes), bytes]));
    if (turn === undefined) assert.fail(`${JSON.stringify(await engine.ended)}: ${Buffer.from(bytes).toString("hex")}`);
  };
  try {
    await engine.run(await xsScript(new URL("xs/script.ts", import.meta.url)));
    await engine.turn(old);
    await offer(container);
    assert.deepEqual(told, ["made"], "the container as it was packed");
    const random = new Random(7);
    for (let index = 0; index < CONTAINERS; index++) await offer(damaged(random));
  } finally {
    engine.stop();
  }
  assert.equal(told.length, 1 + CONTAINERS);
  const counts = REASONS.map((reason) => told.filter((text) => reason.test(text)).length);
  context.diagnostic(REASONS.map((reason, index) => `${counts[index]} ${reason.source.slice(1)}`).join(", "));
  assert.ok(
    Math.min(...counts) > 0 && counts.at(-1)! < CONTAINERS / 10,
    `of ${REASONS.join(", ")}: ${counts.join(", ")}`,
  );
});
