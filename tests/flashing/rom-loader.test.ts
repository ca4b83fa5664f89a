/** The emulated loader where flashing programs do not lead it; what they do is proven by `npm run test:esptool`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Op } from "../rom-loader/commands";
import { ESP32, ESP32_C3 } from "../rom-loader/registers";
import { RomLoader, type LoaderOptions } from "../rom-loader/rom-loader";
import { SlipReader, slipFrame } from "../rom-loader/slip";

const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const block = (bytes: Uint8Array, sequence = 0): Uint8Array =>
  Buffer.concat([words(bytes.length, sequence, 0, 0), bytes]);
const checksum = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0xef);

/** Sends commands; each gives the frames that come back. */
function talk(options: Partial<LoaderOptions> = {}): {
  readonly loader: RomLoader;
  readonly ask: (op: number, data?: Uint8Array, sum?: number) => Uint8Array[];
  readonly send: (frame: Uint8Array) => Uint8Array[];
} {
  const loader = new RomLoader({ chip: ESP32, flash: FlashChip.inMemory(1 << 20), inDownloadMode: true, ...options });
  const reader = new SlipReader(0x10000);
  const send = (frame: Uint8Array): Uint8Array[] => {
    const frames: Uint8Array[] = [];
    loader.onSend = (bytes) => void frames.push(...reader.push(bytes));
    loader.receive(slipFrame(frame));
    return frames;
  };
  const ask = (op: number, data: Uint8Array = new Uint8Array(0), sum = 0): Uint8Array[] => {
    const head = new Uint8Array(8);
    head[1] = op;
    new DataView(head.buffer).setUint16(2, data.length, true);
    new DataView(head.buffer).setUint32(4, sum, true);
    return send(Buffer.concat([head, data]));
  };
  return { loader, ask, send };
}

/** Of an answer without data: 0 where it tells success. */
const errorOf = ([frame]: readonly Uint8Array[]): number => (frame![8] === 0 ? 0 : frame![9]!);

test("frames: every byte comes through, in any pieces; what is too long or no frame is left out", () => {
  const bytes = Uint8Array.from({ length: 600 }, (_, index) => index % 256);
  const sent = Buffer.concat([Buffer.from("boot log"), slipFrame(bytes), slipFrame(bytes.subarray(0, 5))]);
  const reader = new SlipReader(1_000);
  const found = [...sent].flatMap((byte) => reader.push(Uint8Array.of(byte)));
  assert.deepEqual(found.map(Buffer.from), [Buffer.from(bytes), Buffer.from(bytes.subarray(0, 5))]);
  assert.deepEqual(new SlipReader(500).push(slipFrame(bytes)), []);
  assert.deepEqual(new SlipReader(500).push(Uint8Array.of(0xc0, 0xdb, 1, 0xc0)), []);
});

test("the ROM refuses what it does not know eight times, flash before it is attached, and a damaged block", () => {
  const { loader, ask } = talk();
  for (const op of [Op.securityInfo, Op.eraseFlash, Op.readFlash, 0x77]) assert.equal(ask(op).length, 8);
  assert.equal(talk({ chip: ESP32_C3 }).ask(Op.securityInfo).length, 1);
  assert.notEqual(errorOf(ask(Op.flashBegin, words(4096, 1, 4096, 0))), 0);
  assert.equal(errorOf(ask(Op.attach, words(0, 0))), 0);
  assert.equal(errorOf(ask(Op.flashBegin, words(4096, 1, 4096, 0))), 0);
  const bytes = Buffer.alloc(4096, 0x5a);
  assert.equal(errorOf(ask(Op.flashData, block(bytes), checksum(bytes) ^ 1)), 0x07);
  assert.equal(errorOf(ask(Op.flashData, block(bytes), checksum(bytes))), 0);
  assert.equal(errorOf(ask(Op.flashData, block(bytes), checksum(bytes))), 0, "once more, as its answer was lost");
  const read = Buffer.alloc(4096);
  loader.flash.read(0, read);
  assert.ok(read.equals(bytes));
  assert.notEqual(errorOf(ask(Op.flashBegin, words(8192, 1, 4096, (1 << 20) - 4096))), 0, "beyond the flash");
});

test("the stub starts once it is there whole; it has as many blocks under way as was asked, and their digest at the end", () => {
  const { ask, send } = talk();
  const code = Buffer.alloc(100, 1);
  assert.equal(errorOf(ask(Op.memoryBegin, words(200, 2, 100, 0x40080000))), 0);
  assert.equal(errorOf(ask(Op.memoryData, block(code), checksum(code))), 0);
  assert.notEqual(errorOf(ask(Op.memoryEnd, words(0, 0x40080000))), 0, "half of it");
  assert.equal(errorOf(ask(Op.memoryData, block(code, 1), checksum(code))), 0);
  const [, hello] = ask(Op.memoryEnd, words(0, 0x40080000));
  assert.equal(Buffer.from(hello!).toString(), "OHAI");
  const [answer, ...blocks] = ask(Op.readFlash, words(0, 3 * 1024, 1024, 2));
  assert.deepEqual([answer![8], blocks.map(({ length }) => length)], [0, [1024, 1024]]);
  assert.deepEqual(
    send(words(1024)).map(({ length }) => length),
    [1024],
  );
  assert.deepEqual(
    send(words(3072)).map(({ length }) => length),
    [16],
  );
});

test("bytes at another baud are noise, and a reset brings the first one back", () => {
  const { loader, ask } = talk();
  assert.equal(errorOf(ask(Op.changeBaud, words(460_800, 0))), 0);
  assert.equal(loader.baud, 460_800);
  let answers = 0;
  loader.onSend = () => answers++;
  const sync = slipFrame(Uint8Array.of(0, Op.sync, 0, 0, 0, 0, 0, 0));
  loader.receive(sync, 115_200);
  assert.equal(answers, 0);
  loader.signals({ dtr: false, rts: true });
  loader.signals({ dtr: true, rts: false });
  assert.equal(loader.baud, 115_200);
  const before = answers;
  loader.receive(sync, 115_200);
  assert.equal(answers - before, 8);
});
