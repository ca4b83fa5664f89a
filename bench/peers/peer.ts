/** A firmware download by one of the strategies, over the agent's own ports. */
import type { Ports, Socket } from "../../src/ports";
import { SECTOR } from "../../src/constants";
import type { VirtualClock } from "../../tests/kit/virtual-clock";
import type { Strategy } from "./strategies";

const OFFSET = "offset";
/** Sectors that take longer than a block, by ESP-IDF's times. */
const BLOCK_PAYS = 5;

export class PeerDownload {
  readonly #strategy: Strategy;
  readonly #ports: Ports;
  readonly #clock: VirtualClock;
  readonly #size: number;
  readonly #port: number;
  readonly #done: () => void;
  /** Jobs that ended in failure. */
  failures = 0;
  offset = 0;
  #recorded = 0;
  #erased = 0;
  #head = "";
  #inBody = false;
  #socket: Socket | undefined;
  #stall: number | undefined;
  #turn = false;
  #stopped = false;

  constructor(strategy: Strategy, ports: Ports, clock: VirtualClock, size: number, port: number, done: () => void) {
    this.#strategy = strategy;
    this.#ports = ports;
    this.#clock = clock;
    this.#size = size;
    this.#port = port;
    this.#done = done;
  }

  start(): void {
    this.#begin(this.#ports.store.getNumber(OFFSET) ?? 0);
  }

  /** The power is gone. */
  stop(): void {
    this.#stopped = true;
    this.#hangUp();
  }

  #begin(offset: number): void {
    if (this.#stopped) return;
    const { flash } = this.#ports;
    const { erase, rereads } = this.#strategy;
    const sectors = Math.ceil(this.#size / SECTOR);
    this.offset = offset;
    this.#recorded = offset;
    // What was erased in one go is not erased again by a resume.
    this.#erased = erase === "bulk" && offset > 0 ? sectors : Math.ceil(offset / SECTOR);
    if (erase === "bulk") while (this.#erased < sectors) this.#eraseNext();
    if (rereads)
      for (let at = 0; at < offset; at += SECTOR) flash.read(at, new Uint8Array(Math.min(SECTOR, offset - at)));
    this.#connect();
  }

  #connect(): void {
    this.#head = "";
    this.#inBody = false;
    this.#turn = false;
    const socket = this.#ports.network.connect(
      { host: "files.example", port: this.#port },
      {
        opened: () =>
          socket.write(
            Buffer.from(`GET /fw.bin HTTP/1.1\r\nHost: files.example\r\nRange: bytes=${this.offset}-\r\n\r\n`),
          ),
        readable: () => this.#read(),
        writable: () => {},
        closed: () => this.#lost(),
      },
    );
    this.#socket = socket;
    this.#watch();
  }

  #watch(): void {
    if (this.#stall !== undefined) this.#clock.clear(this.#stall);
    this.#stall = this.#clock.after(this.#strategy.stallMs, () => {
      this.#stall = undefined;
      this.#lost();
    });
  }

  #read(): void {
    const buffer = new Uint8Array(this.#strategy.read);
    while (!this.#turn && this.#socket !== undefined) {
      const count = this.#socket.read(this.#inBody ? buffer : buffer.subarray(0, 1));
      if (count === 0) return;
      this.#watch();
      if (!this.#inBody) {
        this.#head += String.fromCharCode(buffer[0]!);
        this.#inBody = this.#head.endsWith("\r\n\r\n");
        continue;
      }
      this.#store(buffer.subarray(0, count));
      if (this.offset >= this.#size) return this.#finish();
      if (this.#strategy.yieldMs > 0) this.#yield();
    }
  }

  /** The application's main loop: MQTT has its turn, then the file. */
  #yield(): void {
    const socket = this.#socket;
    this.#turn = true;
    this.#clock.after(this.#strategy.yieldMs, () => {
      if (socket !== this.#socket) return;
      this.#turn = false;
      this.#read();
    });
  }

  #store(bytes: Uint8Array): void {
    const { flash, store } = this.#ports;
    while (this.#erased * SECTOR < this.offset + bytes.length) this.#eraseNext();
    flash.write(this.offset, bytes);
    this.offset += bytes.length;
    const { recordEvery } = this.#strategy;
    if (recordEvery === 0 || this.offset - this.#recorded < recordEvery) return;
    this.#recorded = this.offset;
    store.setNumber(OFFSET, this.offset);
  }

  #eraseNext(): void {
    const { flash } = this.#ports;
    const { erase } = this.#strategy;
    const left = Math.ceil(this.#size / SECTOR) - this.#erased;
    const least = erase === "bulk" ? flash.blockSectors : BLOCK_PAYS;
    const aligned = this.#erased % flash.blockSectors === 0 && left >= least;
    if (erase === "sector" || !aligned) return flash.erase(this.#erased++);
    flash.eraseBlock(this.#erased);
    this.#erased += flash.blockSectors;
  }

  #lost(): void {
    const { afterLoss, recordOnLoss, pauseMs, jobEndsOnLoss } = this.#strategy;
    this.#hangUp();
    if (jobEndsOnLoss) this.failures++;
    if (recordOnLoss) this.#ports.store.setNumber(OFFSET, (this.#recorded = this.offset));
    const from = afterLoss === "memory" ? this.offset : afterLoss === "record" ? this.#recorded : 0;
    this.#clock.after(pauseMs, () => this.#begin(from));
  }

  #hangUp(): void {
    if (this.#stall !== undefined) this.#clock.clear(this.#stall);
    this.#stall = undefined;
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** esp_ota_end and esp_ota_set_boot_partition: the image is read and checked. */
  #finish(): void {
    this.#hangUp();
    const { boot } = this.#ports;
    boot.verifyTarget();
    boot.activate();
    this.#done();
  }
}
