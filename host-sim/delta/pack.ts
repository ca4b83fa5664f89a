/**
 * Makes a container: the new image as a patch from each of several older ones and as a whole, compressed. The same
 * images make the same bytes on every machine.
 */
import { fork } from "node:child_process";
import { createHash, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { fileURLToPath } from "node:url";
import { PARTS_MAX, headLengthOf } from "../../src/container/format";
import type { Base, Container, Part } from "../../src/container/format";
import { readFirmware } from "../../src/image/firmware-block";
import { fingerprintOf } from "../../src/signature/check";
import { encodeTrailer } from "../../src/signature/trailer";
import { verifyImage } from "../../hal/model-chip/image-check";
import { nodeSha256, NodeCrypto } from "../board/node-crypto";
import { pointOf } from "../cli/signing/keys";
import type { DiffAnswer, DiffTask } from "./diff-process";
import { encodeContainer } from "./head";
import type { EncodedPart } from "./part";

export interface PackOptions {
  /** The plain file of the new image, signed or not: what a device has in its slot in the end. */
  readonly to: Uint8Array;
  /** Plain files of older images, at most 31. */
  readonly from: readonly Uint8Array[];
  readonly key?: KeyObject;
  /** Longest comparison with one older image. Default 120. */
  readonly seconds?: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
  /** Told before each part, `index` counts from 1. */
  progress?(index: number, count: number, what: string): void;
}

export interface Packed {
  readonly bytes: Uint8Array;
  readonly container: Container;
  /** Older images that got no part, each with the reason. */
  readonly left: readonly string[];
}

const SECONDS = 120;
/** Heap of the process that compares, MB. The suffix array lies outside of it: 17 bytes a byte of the older image. */
const MEMORY_MB = 512;

export interface Image {
  readonly file: Uint8Array;
  /** As a device knows it. */
  readonly base: Base;
  readonly product: string;
  readonly chip: number;
  readonly securityFloor: number;
}

/** Throws with one line where an image is none, or does not fit the others. */
export async function pack({ to, from, key, seconds = SECONDS, signal, progress }: PackOptions): Promise<Packed> {
  if (from.length >= PARTS_MAX)
    throw new Error(`${from.length} older images: a container has room for ${PARTS_MAX - 1}`);
  const next = readImage(to, "the new image");
  const left: string[] = [];
  const bases = from
    .map((file, index) => readImage(file, `older image ${index + 1}`))
    .filter((old, index, all) => {
      const why = refusalOf(old, next, all.slice(0, index));
      if (why !== undefined) left.push(`${old.base.version}: ${why}`);
      return why === undefined;
    });
  const count = bases.length + 1;
  progress?.(1, count, `${next.base.version}, compressed`);
  const whole = await encode({ file: to, old: undefined }, seconds, signal);
  // It comes first: where the whole container is staged, patches need most of the slot before them.
  const parts: { readonly base: Base | undefined; readonly part: EncodedPart }[] = [{ base: undefined, part: whole }];
  for (const [index, { base, file }] of bases.entries()) {
    progress?.(index + 2, count, `from ${base.version}`);
    const old = file.subarray(0, base.length);
    try {
      const part = await encode({ file: to, old }, seconds, signal);
      if (part.bytes.length < whole.bytes.length) parts.push({ base, part });
      else left.push(`${base.version}: a patch from it is not smaller than the compressed image`);
    } catch (error) {
      signal?.throwIfAborted();
      left.push(`${base.version}: ${(error as Error).message}`);
    }
  }
  return { ...assemble(next, parts, key), left };
}

function refusalOf({ base, product, chip }: Image, next: Image, before: readonly Image[]): string | undefined {
  if (product !== next.product) return `it is of product ${product}, the new image is of ${next.product}`;
  if (chip !== next.chip) return `it is for chip ${chip}, the new image is for chip ${next.chip}`;
  if (sameId(base, next.base)) return "it is the new image itself";
  return before.some((other) => sameId(base, other.base)) ? "it was given twice" : undefined;
}

const sameId = (a: Base, b: Base): boolean => Buffer.compare(a.id, b.id) === 0;

/** Throws with one line where it is none; `what` names it. */
export function readImage(file: Uint8Array, what: string): Image {
  try {
    const { length, sha256, chip } = verifyImage(
      (offset, into) => into.set(file.subarray(offset, offset + into.length)),
      file.length,
      nodeSha256,
    );
    if (sha256 === undefined) throw new Error("it has no SHA-256 at its end, by which devices know it");
    const { product, version, securityFloor } = readFirmware(file, true);
    return { file, base: { id: sha256, version, length }, product, chip, securityFloor };
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}

/** The parts in their order. */
export function assemble(
  { base, product, chip, securityFloor, file }: Image,
  encoded: readonly { readonly base: Base | undefined; readonly part: EncodedPart }[],
  key: KeyObject | undefined,
): { bytes: Uint8Array; container: Container } {
  const headLength = headLengthOf(encoded.length, key !== undefined);
  let offset = headLength;
  const parts: Part[] = encoded.map(({ base: old, part: { bytes, room } }) => {
    const part = { base: old, offset, length: bytes.length, room, sha256: digestOf("sha256", bytes) };
    offset += bytes.length;
    return part;
  });
  const container: Container = {
    headLength,
    signed: key !== undefined,
    length: offset,
    product,
    version: base.version,
    chip,
    securityFloor,
    file: { length: file.length, sha256: digestOf("sha256", file), md5: digestOf("md5", file) },
    image: base.id,
    parts,
  };
  const head = encodeContainer(container);
  const signature =
    key === undefined
      ? new Uint8Array(0)
      : encodeTrailer(sign("sha256", head, key), fingerprintOf(pointOf(key), new NodeCrypto()));
  const bytes = new Uint8Array(Buffer.concat([head, signature, ...encoded.map(({ part }) => part.bytes)]));
  return { bytes, container };
}

function digestOf(algorithm: "sha256" | "md5", bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest());
}

/** Rejects with the reason where time or memory are not enough, or the part proves wrong. */
function encode(task: DiffTask, seconds: number, signal?: AbortSignal): Promise<EncodedPart> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("diff-process.ts", import.meta.url)), {
      execArgv: ["--import", import.meta.resolve("tsx"), `--max-old-space-size=${MEMORY_MB}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const timer = setTimeout(() => {
      reject(new Error(`comparing it takes longer than ${seconds} s`));
      child.kill("SIGKILL");
    }, seconds * 1000);
    const stop = (): void => void child.kill("SIGKILL");
    signal?.addEventListener("abort", stop, { once: true });
    child.once("message", (answer: DiffAnswer) => {
      if ("part" in answer) resolve(answer.part);
      else reject(new Error(answer.wrong));
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      reject(new Error(`comparing it failed (${code ?? "killed"}): not enough memory?`));
    });
    child.send(task);
  });
}
