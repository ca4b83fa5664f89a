/** The agent's connection to the file server: drives the sans-I/O downloader over a socket of the port. */
import type { Clock, Network, SocketError } from "../ports";
import { Downloader } from "../download/downloader";
import type { DownloadEffect, DownloadOptions } from "../download/effects";
import type { JobEvent } from "../job/effects";
import { Connection } from "./connection";
import type { ConnectionOwner } from "./connection";

export interface FileLinkOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly settings: Pick<DownloadOptions, "allowHttp" | "range" | "crc16">;
  /** The one sector buffer. */
  readonly buffer: Uint8Array;
  readonly random: () => number;
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

export class FileLink implements ConnectionOwner {
  readonly #options: FileLinkOptions;
  #downloader: Downloader | undefined;
  #connection: Connection | undefined;

  constructor(options: FileLinkOptions) {
    this.#options = options;
  }

  start(download: Download): void {
    this.stop();
    const { url, offset, size, validator, hasDigest } = download;
    const { settings, buffer, random } = this.#options;
    this.#downloader = new Downloader({
      ...settings,
      url,
      offset,
      size,
      hasDigest,
      buffer,
      random,
      ...(validator === undefined ? {} : { validator }),
    });
    this.run(this.#downloader.start(this.now()));
  }

  renew(url: string): void {
    if (this.#downloader !== undefined) this.run(this.#downloader.renew(url, this.now()));
  }

  stop(): void {
    this.#downloader?.stop();
    this.#downloader = undefined;
    this.close();
  }

  tick(): void {
    if (this.#downloader !== undefined) this.run(this.#downloader.tick(this.now()));
  }

  deadline(): number | undefined {
    return this.#downloader?.deadline();
  }

  /* ---- told by the connection ---- */

  enter(callback: () => void): void {
    this.#options.enter(callback);
  }

  opened(): void {
    if (this.#downloader !== undefined) this.run(this.#downloader.opened(this.now()));
  }

  readable(): void {
    const connection = this.#connection;
    let turn = 0;
    for (let count = this.read(connection); count > 0; count = this.read(connection)) {
      turn += count;
      if (turn < BYTES_PER_TURN) continue;
      this.#options.clock.set(() => this.enter(() => connection === this.#connection && this.readable()), 0);
      return;
    }
  }

  /** Bytes of the last turns may still wait: they count. */
  ended(error: SocketError | undefined): void {
    const connection = this.#connection;
    while (this.read(connection) > 0);
    if (connection === this.#connection) this.lost(error);
  }

  /** Takes what waits, as far as the downloader has room for it. 0: nothing more now, or not from this connection any more. */
  private read(connection: Connection | undefined): number {
    const downloader = this.#downloader;
    if (connection === undefined || connection !== this.#connection || downloader === undefined) return 0;
    const target = downloader.readTarget();
    const count = target.length === 0 ? 0 : connection.read(target);
    if (count > 0) this.run(downloader.received(count, this.now()));
    return count;
  }

  /* ---- the downloader's effects ---- */

  private now(): number {
    return this.#options.clock.now();
  }

  /** Takes them out of the array: a request that was sent need not stay in memory while a sector is stored. */
  private run(effects: DownloadEffect[]): void {
    const owner = this.#downloader;
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      // The job may have stopped this download, or begun another, in answer to an effect.
      if (owner !== this.#downloader) return;
      this.execute(effect);
    }
  }

  private execute(effect: DownloadEffect): void {
    const { dispatch } = this.#options;
    switch (effect.type) {
      case "connect": {
        this.close();
        const { host, port, tls } = effect;
        const { network, clock } = this.#options;
        this.#connection = new Connection(this, network, clock, { host, port, ...(tls ? { tls: "https" } : {}) });
        return;
      }
      case "send":
        if (this.#connection?.send(effect.bytes) === false)
          this.lost({ kind: "other", message: "the server takes no bytes" });
        return;
      case "close":
        return this.close();
      case "total":
        return dispatch({ type: "total", size: effect.size, validator: effect.validator });
      case "sector":
        return dispatch({ type: "sector", offset: effect.offset, bytes: effect.bytes });
      case "rewind":
        this.#options.log(`download: ${effect.reason}; fetched again`);
        return dispatch({ type: "rewind", offset: effect.offset });
      case "restart":
        return dispatch({ type: "start-over", reason: effect.reason });
      case "changed":
        return this.#options.log("download: ETag or Last-Modified has changed; the digest will decide");
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

  private lost(error: SocketError | undefined): void {
    this.close();
    if (this.#downloader !== undefined) this.run(this.#downloader.closed(error, this.now()));
  }

  private close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
