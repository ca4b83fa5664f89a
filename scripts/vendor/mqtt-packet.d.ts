/** The bundle of mqtt-packet in words that need no types of Node. */

export interface Parser {
  on(event: "packet", listener: (packet: object) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  /** Returns how many bytes are still buffered. */
  parse(bytes: Uint8Array): number;
}

export function parser(options?: object): Parser;

/** Throws if the packet can not be put into bytes. */
export function generate(packet: object, options?: object): Uint8Array;

export function writeToStream(packet: object, stream: object, options?: object): boolean;

export namespace writeToStream {
  /** Always false in this bundle; setting it has no effect. */
  let cacheNumbers: boolean;
}
