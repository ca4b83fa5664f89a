/** The `Retained` port over the model's RTC memory: hal/esp32/retained.c, whose halves take turns. */
import type { Retained } from "../../src/ports";
import { KEPT_MAX } from "../../src/constants";
import type { RtcMemory } from "./start-up";

export class RtcRetained implements Retained {
  readonly #rtc: RtcMemory;
  readonly #before: Uint8Array | undefined;

  /** At the start of a run. */
  constructor(rtc: RtcMemory) {
    this.#rtc = rtc;
    this.#before = rtc.recording;
  }

  read(): Uint8Array | undefined {
    const before = this.#before;
    return before === undefined || before.length === 0 ? undefined : before.slice();
  }

  write(head: Uint8Array, tail: Uint8Array): void {
    const bytes = new Uint8Array(head.length + tail.length);
    if (bytes.length > KEPT_MAX) throw new RangeError(`retained: ${bytes.length} bytes, at most ${KEPT_MAX} are taken`);
    bytes.set(head);
    bytes.set(tail, head.length);
    this.#rtc.recording = bytes;
  }
}
