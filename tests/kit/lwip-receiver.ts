/**
 * The receiving half of a TCP connection in lwIP (espressif/esp-lwip 2.1.3-esp, src/core): which segment is acknowledged
 * when, and when a read tells the sender that the window has grown. Counters begin at 0 and do not wrap.
 */

/** Largest segment, bytes: CONFIG_LWIP_TCP_MSS of ESP-IDF. The Moddable SDK sets 1,436. */
export const SEGMENT = 1_440;
/** Delayed acknowledgements leave with the fast timer, ms: TCP_TMR_INTERVAL, CONFIG_LWIP_TCP_TMR_INTERVAL. */
export const FAST_TIMER = 250;

export class LwipReceiver {
  readonly #size: number;
  /** TCP_WND_UPDATE_THRESHOLD (opt.h). */
  readonly #threshold: number;
  /** rcv_nxt: all before it has arrived. */
  #next = 0;
  /** rcv_wnd: room for what is not read. */
  #room: number;
  /** rcv_ann_wnd: what the next segment to the sender tells. */
  #told: number;
  /** rcv_ann_right_edge: what the sender was told last. */
  #edge: number;
  /** TF_ACK_DELAY */
  #delayed = false;

  /** `size`: TCP_WND, bytes. The handshake has told the sender of it. */
  constructor(size: number) {
    this.#size = size;
    this.#threshold = Math.min(size / 4, SEGMENT * 4);
    this.#room = size;
    this.#told = size;
    this.#edge = size;
  }

  get delayed(): boolean {
    return this.#delayed;
  }

  /** A segment in order (tcp_receive). True: every second one is acknowledged at once. */
  received(length: number): boolean {
    this.#next += length;
    this.#room -= length;
    this.#update();
    const now = this.#delayed;
    this.#delayed = !now;
    return now;
  }

  /** The application has taken so many bytes (tcp_recved). True: the window has grown enough for an update of its own. */
  taken(length: number): boolean {
    this.#room = Math.min(this.#size, this.#room + length);
    return this.#update() >= this.#threshold;
  }

  /** A segment leaves for the sender: up to where it may send now. */
  acknowledge(): number {
    this.#delayed = false;
    return (this.#edge = this.#next + this.#told);
  }

  /** tcp_update_rcv_ann_wnd: less than a segment more is not told, so that nobody sends slivers. */
  #update(): number {
    const growth = this.#next + this.#room - this.#edge;
    if (growth < Math.min(this.#size / 2, SEGMENT)) {
      this.#told = Math.max(0, this.#edge - this.#next);
      return 0;
    }
    this.#told = this.#room;
    return growth;
  }
}
