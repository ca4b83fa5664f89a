/** The same parts on the Moddable SDK's engine for Linux, without a window. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "../../tests/moddable/harness";
import type { Part } from "./parts";

export interface SdkCost {
  /** Milliseconds. */
  readonly time: number;
  /** Made by it, garbage included: slots, and bytes of chunks. */
  readonly slots: number;
  readonly chunks: number;
  /** Bytes still held after a collection. */
  readonly kept: number;
}

/** sizeof(txSlot) with pointers of 8 bytes. */
const SLOT = 32;
const DECLARATIONS = `export interface Digest { write(bytes: Uint8Array): void; close(): Uint8Array }
export function md5(): Digest;
export function sha256(): Digest;
export function verifyP256(point: Uint8Array, hash: Uint8Array, r: Uint8Array, s: Uint8Array): boolean;
`;

/** `portable`: portable.ts as one ES module. */
export async function measureOnSdk(
  portable: string,
  signed: { readonly key: string; readonly hash: readonly number[]; readonly trailer: readonly number[] },
  kib: number,
): Promise<Map<Part, SdkCost>> {
  const folder = join(ROOT, "build", "crypto-cost");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "portable.js"), portable);
  writeFileSync(join(folder, "portable.d.ts"), DECLARATIONS);
  const settings = join(folder, "manifest_settings.json");
  writeFileSync(settings, JSON.stringify({ config: { cost: { ...signed, kib } } }));
  const { path } = build(join(ROOT, "tests", "moddable", "crypto-cost"), BUILD, "instrument");
  const run = new HeadlessRun(buildHeadless(BUILD), path, {});
  await run.line(({ done }) => done === true, 300_000);
  await run.cut();
  const costs = new Map<Part, SdkCost>();
  for (const line of run.lines) {
    if (line["part"] === undefined) continue;
    const { part, time, slots, chunks, kept } = line as unknown as { part: Part } & SdkCost;
    costs.set(part, { time, slots: slots / SLOT, chunks, kept });
  }
  // What the reading itself takes.
  const empty = costs.get("nothing")!;
  return new Map(
    [...costs].map(([part, cost]) => [
      part,
      {
        time: Math.max(0, cost.time - empty.time),
        slots: cost.slots - empty.slots,
        chunks: cost.chunks - empty.chunks,
        kept: cost.kept - empty.kept,
      },
    ]),
  );
}
