/** Two sources of bytes: the URL of a download says which one it is for. */
import type { DownloadRequest } from "../download/outputs";
import type { ByteSource } from "./byte-source";

export class SourceByScheme implements ByteSource {
  private readonly http: ByteSource;
  private readonly other: ByteSource;
  private current: ByteSource;

  /** `other`: for everything but http and https. */
  constructor(http: ByteSource, other: ByteSource) {
    this.http = this.current = http;
    this.other = other;
  }

  get sleeps(): boolean {
    return this.http.sleeps;
  }

  set sleeps(sleeps: boolean) {
    this.http.sleeps = this.other.sleeps = sleeps;
  }

  get fetching(): boolean {
    return this.current.fetching;
  }

  start(download: DownloadRequest): void {
    const next = download.url.startsWith("http") ? this.http : this.other;
    if (next !== this.current) this.current.stop();
    this.current = next;
    next.start(download);
  }

  renew(url: string): void {
    this.current.renew(url);
  }

  drain(): void {
    this.current.drain();
  }

  tick(): void {
    this.current.tick();
  }

  deadline(): number | undefined {
    return this.current.deadline();
  }

  stop(): void {
    this.current.stop();
  }
}
