/** The `Retained` port over RTC memory (retained.c). */
import type { Retained } from "../../src/ports";

/**
 * retained.c. xsc binds a method to its C function where the body is nothing but the call (Moddable SDK, "XS in C",
 * Native).
 */
class Rtc {
  static read(): ArrayBuffer | undefined {
    return native("xs_retained_read").call(this) as ArrayBuffer | undefined;
  }
  static write(head: Uint8Array, tail: Uint8Array): void {
    native("xs_retained_write").call(this, head, tail);
  }
}

export class RtcRetained implements Retained {
  read(): Uint8Array | undefined {
    const bytes = Rtc.read();
    return bytes === undefined ? undefined : new Uint8Array(bytes);
  }

  write(head: Uint8Array, tail: Uint8Array): void {
    Rtc.write(head, tail);
  }
}
