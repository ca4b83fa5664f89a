/**
 * Drives a downloader over real sockets on a virtual clock: waits take no time, and the test says when a server falls
 * silent.
 */
import assert from "node:assert/strict";
import type { Socket } from "../../src/ports";
import { NodeNetwork } from "../../host-sim/board/node-network";
import { SECTOR } from "../../src/constants";
import { Downloader } from "../../src/download/downloader";
import type { DownloadOptions, DownloadOutput } from "../../src/download/outputs";

export interface DriverResult {
  readonly image: Uint8Array;
  readonly last: DownloadOutput;
  readonly effects: readonly DownloadOutput[];
  /** Most bytes asked for beyond what was delivered. */
  readonly widest: number;
}

export class NodeDriver {
  readonly #downloader: Downloader;
  readonly #network = new NodeNetwork();
  readonly #effects: DownloadOutput[] = [];
  readonly #image: Uint8Array[] = [];
  readonly #freshUrl: () => string | undefined;
  #socket: Socket | undefined;
  #now = 0;
  #widest = 0;
  #stored: number;
  /** Bytes received over the present connection, and after how many the server falls silent. */
  #receivedHere = 0;
  #silentAt = Infinity;
  #ended: () => void = () => undefined;

  constructor(
    options: Omit<DownloadOptions, "buffer" | "random" | "allowHttp" | "offset" | "hasDigest"> &
      Partial<DownloadOptions>,
    freshUrl: () => string | undefined = () => undefined,
  ) {
    this.#downloader = new Downloader({
      offset: 0,
      hasDigest: true,
      allowHttp: true,
      random: () => 0.5,
      buffer: new Uint8Array(SECTOR),
      ...options,
    });
    this.#freshUrl = freshUrl;
    this.#stored = options.offset ?? 0;
  }

  async run(): Promise<DriverResult> {
    const end = new Promise<void>((resolve) => (this.#ended = resolve));
    this.#handle(this.#downloader.start(this.#now));
    await end;
    this.#socket?.close();
    return {
      image: Buffer.concat(this.#image),
      last: this.#effects.at(-1)!,
      effects: this.#effects,
      widest: this.#widest,
    };
  }

  /** The server sends nothing on the present connection after `bytes`: time passes once they were received. */
  silentAfter(bytes: number): void {
    this.#silentAt = bytes;
    this.#checkSilence();
  }

  #checkSilence(): void {
    if (this.#receivedHere < this.#silentAt) return;
    this.#silentAt = Infinity;
    this.#passTime();
  }

  #passTime(): void {
    const deadline = this.#downloader.deadline();
    if (deadline === undefined) return;
    this.#now = Math.max(this.#now, deadline);
    const effects = this.#downloader.tick(this.#now);
    this.#handle(effects);
    // The wait goes on behind a report of the stall.
    if (effects.some(({ type }) => type === "stalled") && effects.length === 1) this.#passTime();
  }

  #handle(effects: readonly DownloadOutput[]): void {
    for (const effect of effects) {
      this.#effects.push(effect);
      this.#one(effect);
    }
  }

  #one(effect: DownloadOutput): void {
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.host, effect.port, effect.tls);
      case "send":
        return this.#send(effect.bytes);
      case "close":
        return this.#socket?.close();
      case "sector":
        assert.equal(effect.offset, this.#stored);
        this.#stored += effect.bytes.length;
        return void this.#image.push(effect.bytes.slice());
      case "log":
        if (/; again in \d+ ms$/.test(effect.line)) setImmediate(() => this.#passTime());
        return;
      case "expired": {
        const url = this.#freshUrl();
        return url === undefined ? this.#ended() : this.#handle(this.#downloader.renew(url, this.#now));
      }
      case "finished":
      case "download-failed":
        return this.#ended();
      case "rewind":
        return assert.fail("no real server sends what is no head");
      case "total":
      case "start-over":
      case "stalled":
        return;
    }
  }

  #connect(host: string, port: number, tls: boolean): void {
    const socket = this.#network.connect(tls ? { host, port, tls: "https" } : { host, port }, {
      opened: () => this.#handle(this.#downloader.opened(this.#now)),
      readable: () => this.#read(socket),
      writable: () => assert.fail("a request did not fit"),
      closed: (error) => this.#handle(this.#downloader.closed(error, this.#now)),
    });
    this.#socket = socket;
    this.#receivedHere = 0;
    this.#silentAt = Infinity;
  }

  #send(bytes: Uint8Array): void {
    const end = Number(/-(\d+)\r\n\r\n$/.exec(Buffer.from(bytes).toString("latin1"))![1]) + 1;
    this.#widest = Math.max(this.#widest, end - this.#stored);
    assert.equal(this.#socket!.write(bytes), bytes.length);
  }

  #read(socket: Socket): void {
    while (socket === this.#socket) {
      const target = this.#downloader.readTarget();
      const count = target.length === 0 ? 0 : socket.read(target);
      if (count === 0) break;
      this.#receivedHere += count;
      this.#handle(this.#downloader.received(count, this.#now));
    }
    this.#checkSilence();
  }
}
