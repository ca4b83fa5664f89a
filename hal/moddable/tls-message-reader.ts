/**
 * Reads the fields of a TLS handshake message (RFC 5246, section 4). Throws where the message is shorter or longer than
 * its fields.
 */
export class MessageReader {
  private readonly message: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.message = bytes;
  }

  get more(): boolean {
    return this.at < this.message.length;
  }

  number(length: number): number {
    return this.bytes(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  bytes(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.message.length) throw new Error("TLS handshake message cut short");
    const part = this.message.subarray(this.at, end);
    this.at = end;
    return part;
  }

  rest(): Uint8Array {
    return this.message.subarray(this.at);
  }

  end(): void {
    if (this.more) throw new Error("TLS handshake message too long");
  }
}
