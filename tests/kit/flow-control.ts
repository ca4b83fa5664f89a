/**
 * Flow control of one connection to the device: a peer that sends what the window takes, and lwIP at the other end, with
 * the socket of hal/esp32/tcp over it. That socket tells lwIP what was read when it is a quarter of the window
 * (WINDOW_STEP), and with each segment that comes.
 */
import { FAST_TIMER, LwipReceiver, SEGMENT } from "./lwip-receiver";
import type { VirtualClock } from "./virtual-clock";

export interface FlowOptions {
  readonly clock: VirtualClock;
  /** Receive window of the device, bytes. */
  readonly window: number;
  /** Puts a segment on its way to the device. */
  carry(segment: Uint8Array): void;
  /** Takes an acknowledgement to the peer and calls `heard` there. */
  acknowledge(heard: () => void): void;
}

export class FlowControl {
  readonly #options: FlowOptions;
  readonly #receiver: LwipReceiver;
  /** At the peer, waiting for the window. */
  readonly #queue: Uint8Array[] = [];
  #sent = 0;
  /** How far the peer may send. */
  #edge: number;
  /** Read, and not told to lwIP; and since lwIP was last asked to open the window. */
  #read = 0;
  #unreported = 0;
  /** The fast timer, while an acknowledgement waits for it. */
  #timer: number | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
    this.#receiver = new LwipReceiver(options.window);
    this.#edge = options.window;
  }

  /* ---- the peer's end ---- */

  get waiting(): number {
    return this.#queue.length;
  }

  send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#pump();
  }

  /** The peer hears how far it may send. */
  opened(edge: number): void {
    this.#edge = Math.max(this.#edge, edge);
    this.#pump();
  }

  forget(): void {
    this.#queue.length = 0;
  }

  /* ---- the device's end ---- */

  arrived(length: number): void {
    const acknowledged = this.#receiver.received(length);
    if (this.#openWindow() || acknowledged) this.#tell();
    else this.#timer ??= this.#options.clock.at(nextTick(this.#options.clock.time), () => this.#tick());
  }

  /** The application has read so many bytes. */
  taken(count: number): void {
    this.#read += count;
    this.#unreported += count;
    if (this.#unreported < this.#options.window / 4) return;
    this.#unreported = 0;
    if (this.#openWindow()) this.#tell();
  }

  /** What a segment of the device's own tells; one that was delayed goes with it. */
  acknowledge(): number {
    this.#stopTimer();
    return this.#receiver.acknowledge();
  }

  close(): void {
    this.forget();
    this.#stopTimer();
  }

  /** True: an update of its own is due. */
  #openWindow(): boolean {
    const count = this.#read;
    this.#read = 0;
    return count > 0 && this.#receiver.taken(count);
  }

  #tell(): void {
    const edge = this.acknowledge();
    this.#options.acknowledge(() => this.opened(edge));
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#receiver.delayed) this.#tell();
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #pump(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      // No sliver unless it is all there is (RFC 9293, section 3.8.6.2.1).
      const count = Math.min(SEGMENT, first.length);
      if (this.#sent + count > this.#edge) return;
      if (count === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(count);
      this.#sent += count;
      this.#options.carry(first.subarray(0, count));
    }
  }
}

/** The timer runs from the start of the device, whatever it is needed for. */
function nextTick(time: number): number {
  return (Math.floor(time / FAST_TIMER) + 1) * FAST_TIMER;
}
