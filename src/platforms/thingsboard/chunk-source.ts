/** A source of bytes on the connection to the broker: runs ChunkDownload and carries its requests out. */
import { SECTOR } from "../../constants";
import type { ByteSource, SourceOptions } from "../../agent/byte-source";
import type { DownloadRequest } from "../../download/outputs";
import { ChunkDownload } from "./chunk-download";
import type { ChunkOutput } from "./chunk-download";

export interface ChunkChannel {
  now(): number;
  /** Asks for the attributes; `ChunkSource.shown` follows. */
  ask(): void;
  /** At QoS 0. */
  publish(topic: string, payload: string): void;
}

export class ChunkSource implements ByteSource {
  sleeps = false;
  private readonly options: SourceOptions;
  private readonly channel: ChunkChannel;
  private machine: ChunkDownload | undefined;
  private isUp = false;
  /** No id is used again, on any connection of this boot cycle. */
  private lastId = 0;

  constructor(options: SourceOptions, channel: ChunkChannel) {
    this.options = options;
    this.channel = channel;
  }

  start(download: DownloadRequest): void {
    const machine = new ChunkDownload(download, this.options.random, () => ++this.lastId);
    this.machine = machine;
    this.run(machine, machine.start(this.isUp, this.channel.now()));
  }

  /** The package's name is its URL: there is no other one. */
  renew(): void {}

  drain(): void {
    this.machine?.drain();
  }

  get fetching(): boolean {
    return this.machine?.fetching === true;
  }

  tick(): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine, machine.tick(this.channel.now()));
  }

  deadline(): number | undefined {
    return this.machine?.deadline();
  }

  stop(): void {
    this.machine = undefined;
  }

  /* ---- from the connection ---- */

  connected(): void {
    this.isUp = true;
    const { machine } = this;
    if (machine !== undefined) this.run(machine, machine.connected(this.channel.now()));
  }

  disconnected(reason: string): void {
    this.isUp = false;
    const { machine } = this;
    if (machine !== undefined) this.run(machine, machine.disconnected(reason, this.channel.now()));
  }

  shown(url: string | undefined): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine, machine.shown(url, this.channel.now()));
  }

  refused(reason: string): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine, machine.refused(reason, this.channel.now()));
  }

  /** `where`: "ID/chunk/NUMBER". */
  received(where: string, bytes: Uint8Array): void {
    const { machine } = this;
    const [id, , chunk] = where.split("/");
    if (machine !== undefined) this.run(machine, machine.chunk(Number(id), Number(chunk), bytes, this.channel.now()));
  }

  /** What is left of a list is void once the job has stopped the download, or begun another. */
  private run(machine: ChunkDownload, outputs: readonly ChunkOutput[]): void {
    for (const output of outputs) {
      if (machine !== this.machine) return;
      switch (output.type) {
        case "request":
          this.channel.publish(`v2/fw/request/${output.id}/chunk/${output.chunk}`, String(SECTOR));
          break;
        case "ask":
          this.channel.ask();
          break;
        case "log":
          this.options.log(output.line, output.idle === true);
          break;
        default:
          if (output.type === "finished" || output.type === "download-failed") this.stop();
          this.options.dispatch(output);
      }
    }
  }
}
