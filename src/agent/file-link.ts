/** The agent's connection to the file server: a downloader on the protocol driver. */
import { RANGE } from "../constants";
import type { Platform } from "../platforms/platform";
import type { ConnectOptions } from "../ports";
import type { EffectOf } from "../job/effects";
import { Downloader } from "../download/downloader";
import type { DownloadEvent, DownloadOptions, DownloadOutput, LogLine, ServerConnect } from "../download/outputs";
import { ProtocolDriver } from "../protocol/driver";
import type { DriverOptions } from "../protocol/driver";

export interface FileLinkOptions extends DriverOptions {
  readonly settings: Pick<DownloadOptions, "allowHttp" | "range" | "crc16">;
  readonly platform: Pick<Platform, "rules" | "fileHeaders">;
  /** The one sector buffer. */
  readonly buffer: Uint8Array;
  readonly random: () => number;
  /** Hands an event to the job; a sector is in flash when it returns. */
  dispatch(event: DownloadEvent): void;
  /** `idle`: the line says why nothing happens for a while. */
  log(line: string, idle: boolean): void;
}

export class FileLink extends ProtocolDriver<DownloadOutput, Downloader> {
  private readonly options: FileLinkOptions;
  /** The device sleeps now and then: no answer may be longer than what is left of a wake. */
  sleeps = false;

  constructor(options: FileLinkOptions) {
    super(options);
    this.options = options;
  }

  /** Ends a download that is under way. */
  start(download: EffectOf<"download">): void {
    const { url, offset, size, end, validator, hasDigest } = download;
    const { settings, platform, buffer, random } = this.options;
    this.begin(
      new Downloader({
        ...(this.sleeps ? { range: RANGE } : undefined),
        ...settings,
        url,
        offset,
        size,
        hasDigest,
        buffer,
        random,
        ...(validator === undefined ? {} : { validator }),
        ...(end === undefined ? {} : { end }),
        ...(platform.rules.missingAsks === undefined ? {} : { platform }),
      }),
    );
  }

  /** A fresh URL for the same file. */
  renew(url: string): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine.renew(url, this.now()));
  }

  /** Asks for no further range; those under way are received. */
  drain(): void {
    this.machine?.drain();
  }

  /** Bytes are under way, or will be asked for. */
  get fetching(): boolean {
    return this.machine?.fetching === true;
  }

  protected override serverOf({ host, port, tls }: ServerConnect): ConnectOptions {
    return { host, port, ...(tls ? { tls: "https" } : {}) };
  }

  protected override handle(output: DownloadEvent | LogLine): void {
    if (output.type === "log") return this.options.log(output.line, output.idle === true);
    // A machine that has ended keeps its URL and buffers no longer than needed: the image is verified next.
    if (output.type === "finished" || output.type === "download-failed") this.stop();
    this.options.dispatch(output);
  }
}
