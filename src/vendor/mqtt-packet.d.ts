/** The bundle of mqtt-packet, typed without Node's buffers and streams. */

export interface Parser {
  on(event: "packet", listener: (packet: object) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  /** Returns how many bytes are still buffered. */
  parse(bytes: Uint8Array): number;
}

export function parser(options?: object): Parser;

/** Throws if the packet can not be put into bytes. */
export function generate(packet: object, options?: object): Uint8Array;
