/**
 * What every implementation of the `Expander` port does with blocks of a container in the inactive slot (docs/SPEC.md,
 * "Part"). Most blocks are stored deflate blocks (RFC 1951, section 3.2.4), so that no compressor is needed here.
 */
import type { Boot, Expander, Flash } from "../../src/ports";
import type { Case } from "./cases";
import { casesOn, equal, pattern, sameBytes, throws } from "./cases";

export interface ExpanderBench {
  readonly boot: Boot;
  readonly flash: Flash;
  /** After the case. */
  close?(): void;
}

/** One literal of 5,000 bytes, compressed by zlib's algorithm with a window of 4 KiB. */
const COMPRESSED = "edc7b10d00101000c0552c60153b7c428b84c218463685eeaebb5bceca63476a6746af2ba9aaaaaaaaaaaaaaaaea873e";
const UNIT = "xs-ota expands ";

const SECTOR = 4096;
/** Where the block lies in the slot: not at a boundary of anything. */
const AT = 3 * SECTOR + 77;

export function expanderContract(make: () => ExpanderBench): Case[] {
  const on = casesOn(make);
  /** Of a block at AT that makes `size` bytes. `step`: bytes asked for at a time. */
  const made = (expander: Expander, block: Uint8Array, start: number, size: number, step = size): Uint8Array => {
    expander.begin(AT, block.length, start, size);
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += step) expander.next(bytes.subarray(at, Math.min(at + step, size)));
    return bytes;
  };
  const refuses = (title: string, operations: readonly Uint8Array[], size: number, oldLength = 8192): Case =>
    on(`refused: ${title}`, (bench) => {
      const block = stored(joined(operations));
      write(bench.flash, block);
      const expander = bench.boot.expander(oldLength);
      throws(() => made(expander, block, 65_536, size), title);
      expander.close();
    });

  return [
    on("a literal, at once and in pieces", (bench) => {
      const bytes = pattern(6_000);
      const block = stored(joined([literal(bytes)]));
      write(bench.flash, block);
      const expander = bench.boot.expander(0);
      for (const step of [6_000, SECTOR, 77]) sameBytes(made(expander, block, 0, 6_000, step), bytes, `by ${step}`);
      expander.close();
      expander.close();
    }),
    on("a compressed block", (bench) => {
      const block = fromHex(COMPRESSED);
      write(bench.flash, block);
      const expander = bench.boot.expander(0);
      const bytes = made(expander, block, 65_536, 5_000, SECTOR);
      for (let at = 0; at < bytes.length; at++) equal(bytes[at], UNIT.charCodeAt(at % UNIT.length), `byte ${at}`);
      expander.close();
    }),
    on("copies of the running image, with differences and changing distances", (bench) => {
      const start = 65_536;
      const [first, second] = [pattern(5_000, 2), pattern(300, 3)];
      const block = stored(joined([copy(100 - start, first), literal(first.subarray(0, 9)), copy(-4_000, second)]));
      write(bench.flash, block);
      const wanted = new Uint8Array(5_309);
      wanted.set(added(read(bench.boot, 100, 5_000), first));
      wanted.set(first.subarray(0, 9), 5_000);
      wanted.set(added(read(bench.boot, 5_009 + 100 - 4_000, 300), second), 5_009);
      const expander = bench.boot.expander(8192);
      sameBytes(made(expander, block, start, wanted.length, 1_000), wanted, "block");
      expander.close();
    }),
    on("copies that add words: a sum runs over into the next byte of its word, and no further", (bench) => {
      const start = 65_536;
      const [first, second] = [pattern(2_502, 7), pattern(2_501, 8)];
      const block = stored(joined([copy(100 - start, first, true), copy(3, second, true)]));
      write(bench.flash, block);
      const wanted = new Uint8Array(5_003);
      wanted.set(addedByWords(read(bench.boot, 100, 2_502), first, 0));
      wanted.set(addedByWords(read(bench.boot, 2_502 + 103, 2_501), second, 2_502), 2_502);
      const expander = bench.boot.expander(8192);
      for (const step of [5_003, 1_001]) sameBytes(made(expander, block, start, 5_003, step), wanted, `by ${step}`);
      expander.close();
    }),
    on("a block begins anew whatever became of the one before", (bench) => {
      const [first, second] = [pattern(3_000, 4), pattern(2_000, 5)];
      const blocks = [stored(joined([literal(first)])), stored(joined([literal(second)]))] as const;
      const expander = bench.boot.expander(0);
      write(bench.flash, blocks[0]);
      expander.begin(AT, blocks[0].length, 0, 3_000);
      expander.next(new Uint8Array(1_000));
      throws(() => made(expander, blocks[0].subarray(0, 200), 0, 3_000), "a block that ends too early");
      sameBytes(made(expander, blocks[0], 0, 3_000), first, "first");
      write(bench.flash, blocks[1]);
      sameBytes(made(expander, blocks[1], 65_536, 2_000), second, "second");
      throws(() => expander.next(new Uint8Array(1)), "more than the block has");
      expander.close();
    }),
    refuses("an operation of no bytes", [literal(new Uint8Array(0)), literal(pattern(10))], 10),
    refuses("an operation that makes more bytes than the block has", [literal(pattern(11))], 10),
    refuses("fewer bytes than the block has", [literal(pattern(9))], 10),
    refuses("a number without end", [Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x00)], 10),
    refuses("a copy from before the older image", [copy(-65_537, pattern(10))], 10),
    refuses("a copy from behind the older image", [copy(8_183 - 65_536, pattern(10))], 10),
    refuses("a copy where there is no older image", [copy(-65_536, pattern(10))], 10, 0),
    refuses("operations behind the last byte", [literal(pattern(10)), literal(pattern(1))], 10),
    on("refused: bytes that are no deflate stream, and bytes behind one", (bench) => {
      const block = stored(joined([literal(pattern(10))]));
      const expander = bench.boot.expander(8192);
      for (const bad of [pattern(300, 6).fill(0xff, 0, 4), joined([block, Uint8Array.of(0)]), new Uint8Array(0)]) {
        write(bench.flash, bad);
        throws(() => made(expander, bad, 0, 10), "a damaged stream");
      }
      throws(() => {
        expander.begin(bench.flash.size - 10, 20, 0, 10);
        expander.next(new Uint8Array(10));
      }, "a block beyond the slot");
      expander.close();
    }),
  ];
}

function write(flash: Flash, block: Uint8Array): void {
  for (let sector = 3; sector * SECTOR < AT + block.length; sector++) flash.erase(sector);
  flash.write(AT, block);
}

function read(boot: Boot, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  boot.readRunning(offset, bytes);
  return bytes;
}

const added = (bytes: Uint8Array, differences: Uint8Array): Uint8Array =>
  bytes.map((byte, index) => byte + differences[index]!);

/** Aligned words, of which those at both ends may be cut; `at`: place of the first byte in the new file. */
function addedByWords(bytes: Uint8Array, differences: Uint8Array, at: number): Uint8Array {
  let carry = 0;
  return bytes.map((byte, index) => {
    const sum = byte + differences[index]! + ((at + index) % 4 === 0 ? 0 : carry);
    carry = sum >> 8;
    return sum;
  });
}

const literal = (bytes: Uint8Array): Uint8Array => joined([varint(bytes.length * 2), bytes]);

/** `change`: of the distance. */
const copy = (change: number, differences: Uint8Array, words = false): Uint8Array =>
  joined([
    varint(differences.length * 2 + 1),
    varint((change < 0 ? -change * 2 - 1 : change * 2) * 2 + (words ? 1 : 0)),
    differences,
  ]);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  bytes.push(value);
  return Uint8Array.from(bytes);
}

/** As one deflate block that compresses nothing. */
const stored = (bytes: Uint8Array): Uint8Array => {
  const { length } = bytes;
  return joined([Uint8Array.of(1, length, length >> 8, ~length, ~length >> 8), bytes]);
};

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_none, index) => parseInt(hex.slice(2 * index, 2 * index + 2), 16));
