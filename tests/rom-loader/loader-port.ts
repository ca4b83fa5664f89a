/** The serial port of a loader, as Web Serial gives it to a page (`SerialPort`), in the same process. */
import type { WebSerialPort } from "../../host-sim/cloud/console/web/flashing/serial-port";
import type { RomLoader } from "./rom-loader";

const LOST = new DOMException("The device has been lost.", "NetworkError");

export class LoaderPort implements WebSerialPort {
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  /** Bauds that it was opened with. */
  readonly bauds: number[] = [];
  /** Bytes that the page has written; the line breaks after `breaksAfter` of them. */
  written = 0;
  breaksAfter = Number.POSITIVE_INFINITY;
  /** What `open` fails with. */
  refusal: DOMException | undefined;
  readonly #loader: RomLoader;

  constructor(loader: RomLoader) {
    this.#loader = loader;
  }

  async open({ baudRate }: { readonly baudRate: number }): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.bauds.push(baudRate);
    let lose = (): void => undefined;
    this.readable = new ReadableStream({
      start: (controller) => {
        lose = () => controller.error(LOST);
        // What the board sends at another baud is noise.
        this.#loader.onSend = (bytes) => {
          if (this.#loader.baud === baudRate) controller.enqueue(bytes);
        };
      },
      cancel: () => void (this.#loader.onSend = () => undefined),
    });
    this.writable = new WritableStream({
      write: (bytes) => {
        this.written += bytes.length;
        if (this.written > this.breaksAfter) {
          // As the browser does: both streams fail, and are gone.
          [this.readable, this.writable] = [null, null];
          lose();
          throw LOST;
        }
        this.#loader.receive(bytes, baudRate);
      },
    });
  }

  async close(): Promise<void> {
    this.readable = null;
    this.writable = null;
    this.#loader.onSend = () => undefined;
  }

  async setSignals(signals: { readonly dataTerminalReady?: boolean; readonly requestToSend?: boolean }): Promise<void> {
    const { dataTerminalReady: dtr, requestToSend: rts } = signals;
    this.#loader.signals({ ...(dtr === undefined ? {} : { dtr }), ...(rts === undefined ? {} : { rts }) });
  }

  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number } {
    return {};
  }
}
