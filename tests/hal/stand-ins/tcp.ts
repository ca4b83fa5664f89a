/**
 * "embedded:io/socket/tcp" as the SDK implements it, turned by hand: what arrives, when there is room, and its traps.
 */
interface Options {
  readonly address: string;
  readonly port: number;
  onReadable(count: number): void;
  onWritable(room: number): void;
  onError(): void;
}

export default class TCP {
  /** Made since the last look; newest last. */
  static readonly made: TCP[] = [];
  /** Thrown by the next constructor. */
  static trouble: string | undefined;

  readonly options: Options;
  unread = Buffer.alloc(0);
  room = 0;
  readonly written: Buffer[] = [];
  closed = false;
  /** Writes fail from now on: thrown (lwIP before it is ready) or undefined (after an error). */
  broken: "throws" | "undefined" | undefined;

  constructor(options: Options) {
    if (TCP.trouble !== undefined) {
      const { trouble } = TCP;
      TCP.trouble = undefined;
      throw new Error(trouble);
    }
    this.options = options;
    TCP.made.push(this);
  }

  /** New bytes: announced with the whole number of unread ones, also to a socket that has been closed. */
  arrive(bytes: string | Buffer): void {
    this.unread = Buffer.concat([this.unread, Buffer.from(bytes)]);
    this.options.onReadable(this.unread.length);
  }

  writable(room: number): void {
    this.room = room;
    this.options.onWritable(room);
  }

  read(into: Uint8Array): number {
    if (this.closed) throw new Error("invalid host data");
    if (into.length === 0 || into.length > this.unread.length) throw new Error("invalid");
    into.set(this.unread.subarray(0, into.length));
    this.unread = this.unread.subarray(into.length);
    return into.length;
  }

  write(bytes: Uint8Array): number | undefined {
    if (this.closed) throw new Error("invalid host data");
    if (this.broken === "throws") throw new Error("not ready");
    if (this.broken === "undefined") return undefined;
    if (bytes.length > this.room) throw new Error("would block");
    this.written.push(Buffer.from(bytes));
    this.room -= bytes.length;
    return this.room;
  }

  close(): void {
    this.closed = true;
  }
}
