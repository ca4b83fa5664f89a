/** The state of the job in the middle of a boot, for a recording that has lost the entries before. */
import { FIELDS } from "./fields";
import { Value } from "./format";
import type { RecordingWriter } from "./recording-writer";
import type { RedactedUrls } from "./redacted-urls";

/** Digests under way are the engine's. Whether there is one is all that the job goes by. */
interface Passing {
  readonly whole?: object | undefined;
  readonly signed?: object | undefined;
}

/** Writes the fields of `value` that FIELDS lists, and of what they refer to. What occurs twice is written once. */
export class SnapshotWriter {
  private readonly writer: RecordingWriter;
  private readonly urls: RedactedUrls;
  private readonly written: object[] = [];

  constructor(writer: RecordingWriter, urls: RedactedUrls) {
    this.writer = writer;
    this.urls = urls;
  }

  value(value: unknown): void {
    const { writer, written } = this;
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return writer.value(value);
    const known = written.indexOf(value);
    if (known >= 0) return writer.counted(Value.same, known);
    if (Array.isArray(value)) {
      writer.counted(Value.array, value.length);
      for (const each of value) this.value(each);
    } else this.record(value);
    written.push(value);
  }

  private record(value: object): void {
    const { writer } = this;
    const fields = Object.entries(value).filter(
      ([name, each]) => each !== undefined && typeof each !== "function" && FIELDS.includes(name),
    );
    writer.counted(Value.record, fields.length);
    for (const [name, each] of fields) {
      writer.byte(FIELDS.indexOf(name));
      if (name === "url" || name === "freshUrl") writer.text(this.urls.named(each as string));
      else this.value(name === "digests" ? whichOf(each as Passing) : each);
    }
  }
}

const whichOf = ({ whole, signed }: Passing): unknown => [whole !== undefined, signed !== undefined];
