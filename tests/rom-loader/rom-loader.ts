/**
 * An ESP32 at the end of its serial line, as flashing programs see it: the ROM's loader, and the stub that they upload. The
 * stub's code can not run here; once it was uploaded whole and started, the answers are the stub's. Protocol: "Serial
 * Protocol" in esptool's documentation. `npm run test:esptool` proves it with Espressif's esptool.
 *
 * DTR and RTS work as on the boards' usual circuit: RTS alone holds the chip in reset, DTR alone pulls IO0 low, and IO0 low at
 * the end of a reset means download mode. The flash is a `FlashChip` with its NOR rules.
 */
import { createHash } from "node:crypto";
import type { FlashChip } from "../../hal/model-chip/flash-chip";
import { COMMANDS, Op, ROM_ONLY, SECURE_DOWNLOAD, STUB_ONLY } from "./commands";
import { FlashReader } from "./flash-reader";
import { FlashWriter, eraseSectors } from "./flash-writer";
import { Registers, type LoaderChip } from "./registers";
import { SlipReader, slipFrame } from "./slip";

const ROM_BAUD = 115_200;
const FRAME_MAX = 0x4000 + 64;
const CHECKSUM_SEED = 0xef;
/** Errors of the ROM, second byte of the status. */
const INVALID_MESSAGE = 0x05;
const FAILED = 0x06;
const BAD_CHECKSUM = 0x07;
const ENCRYPTION_BITS = 1;

export interface LoaderOptions {
  readonly chip: LoaderChip;
  readonly flash: FlashChip;
  /** What is burnt into its eFuses. */
  readonly fuses?: readonly ("encryption" | "secureBoot" | "secureDownload")[];
  /** Called when the application starts; `print` writes to the line. What is returned ends it at the next reset. */
  readonly start?: (print: (text: string) => void) => (() => void) | void;
  /** True: in download mode from the beginning, for programs that can not reset it. */
  readonly inDownloadMode?: boolean;
}

type Mode = "app" | "rom" | "stub" | "held";
/** Data of an answer, and the value in its head; "failed" with the error's number. */
type Answer = { readonly value?: number; readonly data?: Uint8Array; readonly error?: number } | undefined;

export class RomLoader {
  /** Bytes to the other end. */
  onSend: (bytes: Uint8Array) => void = () => undefined;
  /** Baud of this end of the line. */
  baud = ROM_BAUD;
  /** Bytes of the stub that were taken, and its starts. */
  readonly stub = { bytes: 0, starts: 0 };
  readonly flash: FlashChip;
  readonly #options: LoaderOptions;
  readonly #registers: Registers;
  readonly #reader = new SlipReader(FRAME_MAX);
  #mode: Mode = "app";
  #stop: (() => void) | void = undefined;
  #isAttached = false;
  #dtr = false;
  /** IO0 was low when the last reset by its pin ended. */
  #isStrapped: boolean;
  #writer: FlashWriter | undefined;
  #sequence = 0;
  #memory: { left: number } | undefined;
  #reading: FlashReader | undefined;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.flash = options.flash;
    const { fuses, registers } = { fuses: options.fuses ?? [], registers: options.chip.fuses };
    const burnt = fuses.flatMap((fuse) => (fuse === "secureDownload" ? [] : [registers[fuse]]));
    this.#registers = new Registers(options.chip, options.flash, burnt);
    this.#isStrapped = options.inDownloadMode === true;
    if (this.#isStrapped) this.#mode = "rom";
  }

  /** Bytes from the other end, sent at `baud`: with another one than this end has they are noise. */
  receive(bytes: Uint8Array, baud = this.baud): void {
    if (this.#mode === "app" || this.#mode === "held" || baud !== this.baud) return;
    for (const frame of this.#reader.push(bytes)) this.#take(frame);
  }

  signals({ dtr = this.#dtr, rts }: { readonly dtr?: boolean; readonly rts?: boolean }): void {
    this.#dtr = dtr;
    if (rts === true && !dtr) return this.#hold();
    if (rts !== false || this.#mode !== "held") return;
    this.#isStrapped = dtr;
    this.#release();
  }

  #hold(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#mode = "held";
  }

  #release(): void {
    this.baud = ROM_BAUD;
    this.#reader.reset();
    this.#writer = undefined;
    this.#reading = undefined;
    this.#isAttached = false;
    this.#mode = this.#isStrapped ? "rom" : "app";
    const boot = this.#isStrapped ? "0x3 (DOWNLOAD_BOOT)" : "0x13 (SPI_FAST_FLASH_BOOT)";
    this.#print(`rst:0x1 (POWERON_RESET),boot:${boot}\r\n`);
    if (this.#isStrapped) return this.#print("waiting for download\r\n");
    this.#stop = this.#options.start?.((text) => this.#print(text));
  }

  #print(text: string): void {
    this.onSend(new TextEncoder().encode(text));
  }

  #take(frame: Uint8Array): void {
    if (this.#reading !== undefined && frame.length === 4) return this.#readOn(viewOf(frame).getUint32(0, true));
    if (frame.length < 8 || frame[0] !== 0) return;
    const view = viewOf(frame);
    const [op, length, checksum] = [frame[1]!, view.getUint16(2, true), view.getUint32(4, true)];
    const data = frame.subarray(8);
    if (data.length !== length) return this.#answer(op, { error: INVALID_MESSAGE });
    if (op === Op.sync) return this.#synchronised();
    const answer = this.#knows(op) ? this.#run(op, data, checksum) : undefined;
    // As the ROM does: an unknown command is refused eight times, under a number that is not its own.
    if (answer === undefined) for (let count = 0; count < 8; count++) this.#answer(0xff, { error: INVALID_MESSAGE });
    else this.#answer(op, answer);
    if (answer !== undefined && answer.error === undefined) this.#afterwards(op, data);
  }

  #knows(op: number): boolean {
    if (!COMMANDS.includes(op)) return false;
    if (this.#mode === "stub") return !ROM_ONLY.includes(op);
    if (STUB_ONLY.includes(op)) return false;
    if (op === Op.securityInfo) return this.#options.chip.hasSecurityInfo;
    return this.#options.fuses?.includes("secureDownload") !== true || SECURE_DOWNLOAD.includes(op);
  }

  #run(op: number, data: Uint8Array, checksum: number): Answer {
    const words = wordsOf(data);
    try {
      switch (op) {
        case Op.readRegister:
          return { value: this.#registers.read(words[0]!) };
        case Op.writeRegister:
          for (let at = 0; at + 3 < words.length; at += 4)
            this.#registers.write(words[at]!, words[at + 1]!, words[at + 2]!);
          return {};
        case Op.memoryBegin:
          this.#memory = { left: words[0]! };
          return {};
        case Op.memoryData:
          return this.#block(data, checksum, (bytes) => this.#load(bytes));
        case Op.memoryEnd:
          return this.#memory?.left === 0 ? {} : { error: FAILED };
        case Op.changeBaud:
        case Op.setParameters:
          return {};
        case Op.attach:
          this.#isAttached = true;
          return {};
        case Op.securityInfo:
          return { data: this.#security() };
        default:
          return this.#runOnFlash(op, words, data, checksum);
      }
    } catch {
      return { error: FAILED };
    }
  }

  /** Throws where the range is outside of the flash. */
  #runOnFlash(op: number, words: readonly number[], data: Uint8Array, checksum: number): Answer {
    if (this.#mode === "rom" && !this.#isAttached) return { error: FAILED };
    const [first = 0, second = 0, , offset = 0] = words;
    switch (op) {
      case Op.flashBegin:
      case Op.deflateBegin:
        this.#writer = first === 0 ? undefined : new FlashWriter(this.flash, offset, first, op === Op.deflateBegin);
        this.#sequence = 0;
        return {};
      case Op.flashData:
      case Op.deflateData:
        return this.#block(data, checksum, (bytes) => this.#writer?.take(bytes) === true);
      case Op.flashEnd:
      case Op.deflateEnd:
        return this.#writer?.isComplete === false ? { error: FAILED } : {};
      case Op.flashMd5:
        return { data: this.#md5(first, second) };
      case Op.eraseFlash:
        eraseSectors(this.flash, 0, this.flash.size);
        return {};
      case Op.eraseRegion:
        eraseSectors(this.flash, first, second);
        return {};
      case Op.readSlow:
        return { data: this.#bytes(first, 64) };
      case Op.readFlash:
        this.#bytes(first + second - 1, 1);
        return {};
      default:
        return undefined;
    }
  }

  /** What follows an answer that told success. */
  #afterwards(op: number, data: Uint8Array): void {
    const [first = 0, second = 0, block = 0, inFlight = 0] = wordsOf(data);
    if (op === Op.changeBaud) this.baud = first;
    if (op === Op.memoryEnd && first === 0) this.#startStub();
    if ((op === Op.flashEnd || op === Op.deflateEnd) && first === 0) this.#restart();
    if (op !== Op.readFlash) return;
    this.#reading = new FlashReader(this.flash, { offset: first, length: second, block, inFlight });
    this.#readOn(0);
  }

  #readOn(acknowledged: number): void {
    const frames = this.#reading!.next(acknowledged);
    if (this.#reading!.isDone) this.#reading = undefined;
    for (const frame of frames) this.onSend(slipFrame(frame));
  }

  #startStub(): void {
    this.#mode = "stub";
    this.stub.starts++;
    this.#memory = undefined;
    this.onSend(slipFrame(new TextEncoder().encode("OHAI")));
  }

  /** By software: the chip does not look at IO0 again. */
  #restart(): void {
    this.#hold();
    this.#release();
  }

  #load(bytes: Uint8Array): boolean {
    if (this.#memory === undefined || bytes.length > this.#memory.left) return false;
    this.#memory.left -= bytes.length;
    this.stub.bytes += bytes.length;
    return true;
  }

  #block(data: Uint8Array, checksum: number, take: (bytes: Uint8Array) => boolean): Answer {
    const [length = 0, sequence = 0] = wordsOf(data);
    const bytes = data.subarray(16);
    if (bytes.length !== length) return { error: INVALID_MESSAGE };
    if (bytes.reduce((sum, byte) => sum ^ byte, CHECKSUM_SEED) !== (checksum & 0xff)) return { error: BAD_CHECKSUM };
    // A block that comes once more was acknowledged, and the answer was lost.
    if (this.#writer !== undefined && sequence === this.#sequence - 1) return {};
    if (!take(bytes)) return { error: FAILED };
    this.#sequence = sequence + 1;
    return {};
  }

  #md5(address: number, size: number): Uint8Array {
    const digest = createHash("md5").update(this.#bytes(address, size)).digest();
    return this.#mode === "stub" ? digest : new TextEncoder().encode(digest.toString("hex"));
  }

  #security(): Uint8Array {
    const fuses = this.#options.fuses ?? [];
    const bytes = new Uint8Array(20);
    bytes[0] = (fuses.includes("secureBoot") ? 1 : 0) | (fuses.includes("secureDownload") ? 4 : 0);
    bytes[4] = fuses.includes("encryption") ? ENCRYPTION_BITS : 0;
    viewOf(bytes).setUint32(12, this.#options.chip.id, true);
    return bytes;
  }

  #bytes(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.flash.read(address, bytes);
    return bytes;
  }

  #synchronised(): void {
    // Both answer eight times; the value tells the stub, which gives 0.
    const value = this.#mode === "rom" ? 0x20120707 : 0;
    for (let count = 0; count < 8; count++) this.#answer(Op.sync, { value });
  }

  #answer(op: number, { value = 0, data = new Uint8Array(0), error }: NonNullable<Answer>): void {
    const status = this.#mode === "stub" ? 2 : 4;
    const content = error === undefined ? data : new Uint8Array(0);
    const packet = new Uint8Array(8 + content.length + status);
    packet[0] = 1;
    packet[1] = op;
    viewOf(packet).setUint16(2, content.length + status, true);
    viewOf(packet).setUint32(4, value, true);
    packet.set(content, 8);
    if (error !== undefined) packet.set([1, error], 8);
    this.onSend(slipFrame(packet));
  }
}

function wordsOf(data: Uint8Array): number[] {
  const view = viewOf(data);
  return Array.from({ length: Math.min(data.length >> 2, 16) }, (_, index) => view.getUint32(index * 4, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
