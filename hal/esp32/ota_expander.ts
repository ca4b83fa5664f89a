/** The decoder of containers: ota_expander.c, over the decoder of hal/moddable/expand. */
import type { Expander } from "../../src/ports";

/**
 * ota_expander.c. xsc binds a method to its C function where the body is nothing but the call (Moddable SDK, "XS in C",
 * Native).
 */
class Native {
  static open(oldLength: number): void {
    native("xs_ota_expander_open").call(this, oldLength);
  }
  static begin(offset: number, length: number, start: number, size: number): void {
    native("xs_ota_expander_begin").call(this, offset, length, start, size);
  }
  static next(into: Uint8Array): void {
    native("xs_ota_expander_next").call(this, into);
  }
  static close(): void {
    native("xs_ota_expander_close").call(this);
  }
}

/** One at a time: another takes the place of the one before. */
export class EspExpander implements Expander {
  constructor(oldLength: number) {
    Native.open(oldLength);
  }

  begin(offset: number, length: number, start: number, size: number): void {
    Native.begin(offset, length, start, size);
  }

  next(into: Uint8Array): void {
    Native.next(into);
  }

  close(): void {
    Native.close();
  }
}
