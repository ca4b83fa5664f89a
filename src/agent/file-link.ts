/** The agent's connection to the file server: a downloader on the protocol driver. */
import { RANGE } from "../constants";
import type { Platform } from "../platforms/platform";
import type { ConnectOptions } from "../ports";
import { Downloader } from "../download/downloader";
import type {
  DownloadEvent,
  DownloadOptions,
  DownloadOutput,
  DownloadRequest,
  FileHeaders,
  LogLine,
  ServerConnect,
} from "../download/outputs";
import { ProtocolDriver } from "../protocol/driver";
import type { DriverOptions } from "../protocol/driver";
import type { ByteSource, SourceOptions } from "./byte-source";

export interface FileLinkOptions extends DriverOptions, SourceOptions {
  readonly settings: Pick<DownloadOptions, "allowHttp" | "range" | "crc16">;
  readonly platform: Pick<Platform, "rules"> & FileHeaders;
  /** The one sector buffer. */
  readonly buffer: Uint8Array;
}

export class FileLink extends ProtocolDriver<DownloadOutput, Downloader> implements ByteSource {
  private readonly options: FileLinkOptions;
  sleeps = false;

  constructor(options: FileLinkOptions) {
    super(options);
    this.options = options;
  }

  start(download: DownloadRequest): void {
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

  renew(url: string): void {
    const { machine } = this;
    if (machine !== undefined) this.run(machine.renew(url, this.now()));
  }

  drain(): void {
    this.machine?.drain();
  }

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
