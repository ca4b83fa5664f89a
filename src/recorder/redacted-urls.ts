/**
 * URLs hold secrets: paths, queries, names and passwords. A recording tells them apart, and says whether they are plain;
 * the job decides by nothing else of a URL.
 */
import { decodeJob, encodeJob } from "../job/job-codecs";
import { RECORDS } from "../job/records";
import type { RecordName, Snapshot } from "../job/records";
import type { Offer } from "../job/types";

/** Different URLs that are remembered. */
const URLS_MAX = 4;

export class RedactedUrls {
  private readonly urls: string[] = [];
  private seen = 0;

  /** The records of a boot in the order of RECORDS. */
  records(stored: Snapshot): unknown[] {
    return (Object.keys(RECORDS) as RecordName[]).map((name) => {
      const value = stored[name];
      if (name !== "job" && name !== "pendingOffer") return value;
      const record = decodeJob(value as Uint8Array | undefined);
      return record && encodeJob({ ...record, offer: this.withoutUrl(record.offer) });
    });
  }

  /** A field of an event. */
  redacted(value: unknown): unknown {
    return typeof value === "object" && value !== null && "url" in value ? this.withoutUrl(value as Offer) : value;
  }

  private withoutUrl({ delta, ...plain }: Offer): Offer {
    const offer = { ...plain, url: this.named(plain.url) };
    return delta === undefined ? offer : { ...offer, delta: { ...delta, url: this.named(delta.url) } };
  }

  /** What stands for it in a recording. */
  named(url: string): string {
    const { urls } = this;
    let place = urls.indexOf(url);
    if (place < 0) {
      place = this.seen++ % URLS_MAX;
      urls[place] = url;
    }
    // The latest one that has this place.
    const latest = this.seen - 1;
    const number = latest - ((latest - place) % URLS_MAX);
    return `${url.startsWith("http:") ? "http" : "https"}://file-${number}/`;
  }
}
