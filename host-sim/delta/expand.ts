/**
 * Expands a part of a container. It does what hal/moddable/expand/expand.c does on a chip, with the same checks, for
 * hosts and as the second opinion in its tests.
 */
import { inflateRawSync } from "node:zlib";
import { BLOCK, blocksIn } from "../../src/container/format";

/** Bytes of a word that a copy adds to. */
export const WORD = 4;

/** The older image. */
export interface Old {
  readonly length: number;
  read(offset: number, into: Uint8Array): void;
}

const imageInMemory = (image: Uint8Array): Old => ({
  length: image.length,
  read: (offset, into) => into.set(image.subarray(offset, offset + into.length)),
});

/** The file that a part makes; `length`: its bytes. Throws with the reason where the part does not make that many. */
export function expandPart(part: Uint8Array, old: Uint8Array, length: number): Uint8Array {
  const blocks = blocksIn(length);
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  const index = part.length - 4 * blocks;
  if (index < 0) throw new Error(`a part of ${part.length} bytes can not hold ${blocks} blocks`);
  const file = new Uint8Array(length);
  const base = imageInMemory(old);
  let at = 0;
  for (let number = 0; number < blocks; number++) {
    const size = view.getUint32(index + 4 * number, true);
    if (size > index - at) throw new Error(`block ${number} ends beyond its part`);
    const start = number * BLOCK;
    try {
      expandBlock(part.subarray(at, at + size), base, file.subarray(start, start + BLOCK), start);
    } catch (error) {
      throw new Error(`block ${number}: ${(error as Error).message}`, { cause: error });
    }
    at += size;
  }
  if (at !== index) throw new Error(`${index - at} bytes of the part belong to no block`);
  return file;
}

const fail = (why: string): never => {
  throw new Error(why);
};

/** `into`: the bytes of the block; `start`: their place in the file. Throws with the reason where it does not make them. */
export function expandBlock(block: Uint8Array, old: Old, into: Uint8Array, start: number): void {
  const operations = new Reader(inflate(block));
  let distance = 0;
  for (let at = 0; at < into.length;) {
    const kind = operations.varint();
    const length = Math.floor(kind / 2);
    if (length === 0 || length > into.length - at) fail("an operation makes more bytes than the block has");
    if (kind % 2 === 0) into.set(operations.take(length), at);
    else {
      const number = operations.varint();
      const change = Math.floor(number / 2);
      distance += change % 2 === 0 ? change / 2 : -(change + 1) / 2;
      const from = start + at + distance;
      if (from < 0 || from + length > old.length) fail("an operation reads outside of the older image");
      const differences = operations.take(length);
      const made = into.subarray(at, at + length);
      old.read(from, made);
      add(made, differences, at, number % 2 === 0 ? 1 : WORD);
    }
    at += length;
  }
  operations.end();
}

/** Adds to each number of `unit` bytes in the block, as far as it lies in `made`, which begins at `at`. */
function add(made: Uint8Array, differences: Uint8Array, at: number, unit: number): void {
  let carry = 0;
  for (let index = 0; index < made.length; index++) {
    if ((at + index) % unit === 0) carry = 0;
    const sum = made[index]! + differences[index]! + carry;
    made[index] = sum;
    carry = sum >> 8;
  }
}

/** An operation makes a byte at least, and takes two numbers of at most four bytes beside it. */
const INFLATED_MAX = 9 * BLOCK;

function inflate(block: Uint8Array): Uint8Array {
  try {
    const { buffer, engine } = inflateRawSync(block, { maxOutputLength: INFLATED_MAX, info: true }) as unknown as {
      readonly buffer: Uint8Array;
      readonly engine: { readonly bytesWritten: number };
    };
    return engine.bytesWritten === block.length ? buffer : fail("bytes follow the deflate stream");
  } catch (error) {
    return fail(`not a deflate stream (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Below 2^28. */
  varint(): number {
    let value = 0;
    for (let shift = 1; shift <= 1 << 21; shift <<= 7) {
      const byte = this.#bytes[this.#at++] ?? fail("it ends within an operation");
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    return fail("a number is too large");
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) fail("it ends within an operation");
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  end(): void {
    if (this.#at !== this.#bytes.length) fail("bytes follow the last operation");
  }
}
