/** The agent's connection to the file server: drives the sans-I/O downloader over a socket of the port. */
import type { Clock, Network, Socket, SocketError } from "../../hal/ports";
import { Downloader } from "../download/downloader";
import type { DownloadEffect, DownloadOptions } from "../download/effects";
import type { JobEvent } from "../job/effects";
import { Outbox } from "./outbox";

export interface FileLinkOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly settings: Pick<DownloadOptions, "allowHttp" | "range" | "crc16">;
  /** The one sector buffer. */
  readonly buffer: Uint8Array;
  random(): number;
  /** Runs a callback of the port: catches what it throws and sets the timer anew. */
  enter(callback: () => void): void;
  /** Hands an event to the job; a sector is in flash when it returns. */
  dispatch(event: JobEvent): void;
  log(line: string): void;
}

export interface Download {
  readonly url: string;
  readonly offset: number;
  readonly size: number;
  readonly validator: string | undefined;
  readonly hasDigest: boolean;
}

/** After so many bytes in one turn, others have theirs: MQTT, timers, the watchdog. Two sectors cost about 90 ms of flash time. */
const BYTES_PER_TURN = 8_192;

export class FileLink {
  readonly #options: FileLinkOptions;
  #downloader: Downloader | undefined;
  #socket: Socket | undefined;
  #outbox = new Outbox();

  constructor(options: FileLinkOptions) {
    this.#options = options;
  }

  start(download: Download): void {
    this.stop();
    const { url, offset, size, validator, hasDigest } = download;
    const { settings, buffer } = this.#options;
    const random = (): number => this.#options.random();
    this.#downloader = new Downloader({ ...settings, url, offset, size, hasDigest, buffer, random, ...(validator === undefined ? {} : { validator }) });
    this.#run(this.#downloader.start(this.#now()));
  }

  renew(url: string): void {
    if (this.#downloader !== undefined) this.#run(this.#downloader.renew(url, this.#now()));
  }

  stop(): void {
    this.#downloader?.stop();
    this.#downloader = undefined;
    this.#close();
  }

  tick(): void {
    if (this.#downloader !== undefined) this.#run(this.#downloader.tick(this.#now()));
  }

  deadline(): number | undefined {
    return this.#downloader?.deadline();
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #run(effects: readonly DownloadEffect[]): void {
    const owner = this.#downloader;
    for (const effect of effects) {
      // The job may have stopped this download, or begun another, in answer to an effect.
      if (owner !== this.#downloader) return;
      this.#execute(effect);
    }
  }

  #execute(effect: DownloadEffect): void {
    const { dispatch } = this.#options;
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.host, effect.port, effect.tls);
      case "send":
        if (this.#socket !== undefined && !this.#outbox.send(this.#socket, effect.bytes)) this.#lost({ kind: "other", message: "the server takes no bytes" });
        return;
      case "close":
        return this.#close();
      case "total":
        return dispatch({ type: "total", size: effect.size, validator: effect.validator });
      case "sector":
        return dispatch({ type: "sector", offset: effect.offset, bytes: effect.bytes });
      case "restart":
        return dispatch({ type: "start-over", reason: effect.reason });
      case "changed":
        return dispatch({ type: "changed" });
      case "waiting":
        return this.#options.log(`download: ${effect.reason}; again in ${effect.milliseconds} ms`);
      case "finished":
        this.stop();
        return dispatch({ type: "finished" });
      case "expired":
        return dispatch({ type: "expired", message: effect.message });
      case "failed":
        this.stop();
        return dispatch({ type: "download-failed", cause: effect.cause, message: effect.message });
    }
  }

  #connect(host: string, port: number, tls: boolean): void {
    this.#close();
    const { network, clock, enter } = this.#options;
    const mine = (callback: () => void): void => enter(() => socket === this.#socket && callback());
    let socket: Socket | undefined;
    try {
      socket = network.connect(
        { host, port, ...(tls ? { tls: "https" as const } : {}) },
        {
          opened: () => mine(() => this.#run(this.#downloader?.opened(this.#now()) ?? [])),
          readable: () => mine(() => this.#read()),
          writable: () => mine(() => socket !== undefined && this.#outbox.flush(socket)),
          closed: (error?: SocketError) => mine(() => this.#drain(error)),
        },
      );
    } catch (error) {
      const message = (error as Error).message;
      const owner = this.#downloader;
      clock.set(() => enter(() => owner === this.#downloader && this.#lost({ kind: "other", message })), 0);
    }
    this.#socket = socket;
  }

  #read(): void {
    let turn = 0;
    for (;;) {
      const { socket, downloader } = { socket: this.#socket, downloader: this.#downloader };
      if (socket === undefined || downloader === undefined) return;
      const target = downloader.readTarget();
      const count = target.length === 0 ? 0 : socket.read(target);
      if (count === 0) return;
      this.#run(downloader.received(count, this.#now()));
      if (socket !== this.#socket) return;
      turn += count;
      if (turn >= BYTES_PER_TURN) {
        this.#options.clock.set(() => this.#options.enter(() => socket === this.#socket && this.#read()), 0);
        return;
      }
    }
  }

  /** The peer has closed while bytes of the last turns wait: they count. */
  #drain(error: SocketError | undefined): void {
    const socket = this.#socket;
    for (let count = 1; count > 0 && socket === this.#socket && this.#downloader !== undefined; ) {
      const target = this.#downloader.readTarget();
      count = target.length === 0 ? 0 : (socket?.read(target) ?? 0);
      if (count > 0) this.#run(this.#downloader.received(count, this.#now()));
    }
    if (socket === this.#socket) this.#lost(error);
  }

  #lost(error: SocketError | undefined): void {
    this.#close();
    this.#run(this.#downloader?.closed(error, this.#now()) ?? []);
  }

  #close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#outbox = new Outbox();
  }
}
