/**
 * Time and memory of each part of scripts/crypto-cost on the SDK's engine, with the digests and the arithmetic that the
 * firmware uses. The heap is large enough that nothing is collected in between: what a part makes is what is used more
 * behind it. JSON lines on stdout.
 */
import Debug from "debug";
import Instrumentation from "instrumentation";
import Time from "time";
import { ModdableCrypto } from "xs-ota/hal/moddable/crypto";
import { PARTS, readPoint, run } from "xs-ota/scripts/crypto-cost/parts";
import type { Part } from "xs-ota/scripts/crypto-cost/parts";
import config from "mc/config";

/** A part is timed over at least this long, ms: the clock has no finer hands. */
const LONG = 300;
const slots = Instrumentation.map("XS Slot Heap Used");
const chunks = Instrumentation.map("XS Chunk Heap Used");
const used = (what: typeof slots): number => Instrumentation.get(what) ?? 0;

const { key, hash, trailer, kib } = config["cost"] as { key: string; hash: number[]; trailer: number[]; kib: number };
const signed = { key, hash: Uint8Array.from(hash), trailer: Uint8Array.from(trailer) };
const crypto = new ModdableCrypto();
readPoint(signed);

for (const part of Object.keys(PARTS) as Part[]) {
  Debug.gc();
  const before = { slots: used(slots), chunks: used(chunks) };
  // The first time counts: caches are filled then, and a device verifies once.
  run(part, kib, crypto, signed);
  const made = { slots: used(slots) - before.slots, chunks: used(chunks) - before.chunks };
  Debug.gc();
  const kept = used(slots) - before.slots + used(chunks) - before.chunks;
  const start = Time.ticks;
  let count = 0;
  for (; Time.delta(start) < LONG; count++) run(part, kib, crypto, signed);
  trace(`${JSON.stringify({ part, time: Time.delta(start) / count, ...made, kept })}\n`);
}
trace(`${JSON.stringify({ done: true })}\n`);
