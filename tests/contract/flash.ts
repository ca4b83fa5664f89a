/** What every implementation of the `Flash` port does. Each case asks for a flash of its own, in any state. */
import type { Flash } from "../../src/ports";
import type { Case } from "./cases";
import { casesOn, equal, pattern, sameBytes, throws } from "./cases";

export interface FlashBench {
  readonly flash: Flash;
  /** After the case. */
  close?(): void;
}

export function flashContract(make: () => FlashBench): Case[] {
  const onBench = casesOn(make);
  const on = (title: string, body: (flash: Flash) => void): Case => onBench(title, ({ flash }) => body(flash));
  const read = (flash: Flash, offset: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    flash.read(offset, bytes);
    return bytes;
  };

  return [
    on("a slot is whole sectors of 4096 bytes", (flash) => {
      equal(flash.sectorSize, 4096, "sector size");
      equal(flash.size > 0 && flash.size % 4096 === 0, true, "slot size is a multiple");
    }),
    on("erase sets one sector to 0xFF and leaves its neighbours", (flash) => {
      for (const sector of [1, 2, 3]) {
        flash.erase(sector);
        flash.write(sector * 4096, pattern(4096, sector));
      }
      flash.erase(2);
      sameBytes(read(flash, 2 * 4096, 4096), new Uint8Array(4096).fill(0xff), "erased sector");
      sameBytes(read(flash, 4096, 4096), pattern(4096, 1), "sector before");
      sameBytes(read(flash, 3 * 4096, 4096), pattern(4096, 3), "sector after");
    }),
    on("a block is one sector or 64 KiB, and is erased as a whole without its neighbours", (flash) => {
      const { blockSectors } = flash;
      equal(blockSectors === 1 || blockSectors === 16, true, `block of ${blockSectors} sectors`);
      const sectors = flash.size / 4096;
      const first = sectors >= 3 * blockSectors ? blockSectors : 0;
      const end = first + blockSectors;
      const around = [first - 1, end].filter((sector) => sector >= 0 && sector < sectors);
      for (const sector of [first, end - 1, ...around]) {
        flash.erase(sector);
        flash.write(sector * 4096, pattern(4096, sector));
      }
      flash.eraseBlock(first);
      for (const sector of [first, end - 1])
        sameBytes(read(flash, sector * 4096, 4096), new Uint8Array(4096).fill(0xff), `sector ${sector}`);
      for (const sector of around)
        sameBytes(read(flash, sector * 4096, 4096), pattern(4096, sector), `sector ${sector}`);
      throws(() => flash.eraseBlock(flash.size / 4096), "block erase after the last sector");
      throws(() => flash.eraseBlock(-blockSectors), "block erase before the first sector");
    }),
    on("the first and the last sector can be erased and written", (flash) => {
      for (const sector of [0, flash.size / 4096 - 1]) {
        flash.erase(sector);
        flash.write(sector * 4096, pattern(4096, sector + 5));
        sameBytes(read(flash, sector * 4096, 4096), pattern(4096, sector + 5), `sector ${sector}`);
      }
    }),
    on("a write clears bits and sets none", (flash) => {
      flash.erase(0);
      flash.write(16, new Uint8Array([0xf0, 0x0f, 0xaa]));
      flash.write(16, new Uint8Array([0x3c, 0xff, 0x55]));
      sameBytes(read(flash, 15, 5), new Uint8Array([0xff, 0x30, 0x0f, 0x00, 0xff]), "cells");
    }),
    on("writing the same bytes again changes nothing", (flash) => {
      flash.erase(0);
      flash.write(0, pattern(64));
      flash.write(0, pattern(64));
      sameBytes(read(flash, 0, 64), pattern(64), "cells");
    }),
    on("writes and reads need no alignment and may cross sectors", (flash) => {
      flash.erase(0);
      flash.erase(1);
      const bytes = pattern(5001, 9);
      flash.write(1003, bytes);
      sameBytes(read(flash, 1003, 5001), bytes, "across sectors");
      sameBytes(read(flash, 1002, 1), new Uint8Array([0xff]), "before");
      sameBytes(read(flash, 6004, 1), new Uint8Array([0xff]), "after");
    }),
    on("views into larger arrays are taken as views", (flash) => {
      flash.erase(0);
      const room = pattern(300, 3);
      flash.write(0, room.subarray(100, 200));
      const into = new Uint8Array(300);
      flash.read(0, into.subarray(50, 150));
      sameBytes(into.subarray(50, 150), pattern(300, 3).subarray(100, 200), "the view");
      sameBytes(into.subarray(0, 50), new Uint8Array(50), "before the view");
      sameBytes(into.subarray(150), new Uint8Array(150), "after the view");
      sameBytes(room, pattern(300, 3), "what was written stays as it was");
    }),
    on("equals sees a single bit, anywhere", (flash) => {
      for (const sector of [0, 1, 2]) flash.erase(sector);
      const bytes = pattern(9000, 4);
      flash.write(100, bytes);
      equal(flash.equals(100, bytes), true, "the same");
      for (const place of [0, 1, 3995, 3996, 8191, 8999]) {
        const other = bytes.slice();
        other[place]! ^= 0x10;
        equal(flash.equals(100, other), false, `one bit in byte ${place}`);
      }
      equal(flash.equals(101, bytes.subarray(1, 20)), true, "a part");
    }),
    on("nothing is nothing: empty reads, writes and compares", (flash) => {
      flash.erase(0);
      flash.write(7, new Uint8Array(0));
      flash.read(7, new Uint8Array(0));
      equal(flash.equals(7, new Uint8Array(0)), true, "empty compare");
    }),
    on("no address outside the slot can be named", (flash) => {
      const last = flash.size / 4096;
      throws(() => flash.erase(last), "erase after the last sector");
      throws(() => flash.erase(-1), "erase before the first sector");
      throws(() => flash.erase(0.5), "erase of half a sector");
      throws(() => flash.write(flash.size - 1, new Uint8Array(2)), "write over the end");
      throws(() => flash.write(-1, new Uint8Array(2)), "write before the start");
      throws(() => flash.read(flash.size - 1, new Uint8Array(2)), "read over the end");
      throws(() => flash.read(-4096, new Uint8Array(2)), "read before the start");
      throws(() => flash.equals(flash.size, new Uint8Array(1)), "compare over the end");
    }),
  ];
}
