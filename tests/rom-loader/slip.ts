/** Frames of the serial protocol: SLIP (RFC 1055), each frame between two 0xC0. */
const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

export function slipFrame(payload: Uint8Array): Uint8Array {
  const bytes = [END];
  for (const byte of payload) {
    if (byte === END) bytes.push(ESC, ESC_END);
    else if (byte === ESC) bytes.push(ESC, ESC_ESC);
    else bytes.push(byte);
  }
  return Uint8Array.from([...bytes, END]);
}

/** Takes bytes as they come and gives whole frames. What stands between frames, and a frame with a bad escape, is left out. */
export class SlipReader {
  #frame: number[] | undefined;
  #isEscaped = false;
  readonly #limit: number;

  /** `limit`: bytes of the longest frame; the rest of a longer one is dropped. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  push(bytes: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (const byte of bytes) {
      if (byte === END) {
        if (this.#frame !== undefined && this.#frame.length > 0) {
          frames.push(Uint8Array.from(this.#frame));
          this.#frame = undefined;
        } else this.#frame = [];
        this.#isEscaped = false;
      } else if (this.#frame !== undefined) this.#take(byte);
    }
    return frames;
  }

  reset(): void {
    this.#frame = undefined;
    this.#isEscaped = false;
  }

  #take(byte: number): void {
    const frame = this.#frame!;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      if (byte === ESC_END) frame.push(END);
      else if (byte === ESC_ESC) frame.push(ESC);
      else this.#frame = undefined;
    } else if (byte === ESC) this.#isEscaped = true;
    else if (frame.length >= this.#limit) this.#frame = undefined;
    else frame.push(byte);
  }
}
