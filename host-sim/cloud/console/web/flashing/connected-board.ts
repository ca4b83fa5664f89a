/** A board at a serial port: checked, written and started with esptool-js, Espressif's own library. */
import { ESPLoader, Transport } from "esptool-js";
import { chipName } from "../../../../../hal/model-chip/chips";
import { md5 } from "../../../../../src/vendor/js-md5";
import type { Part } from "../../../../provision/build-parts";
import type { BoardBuild } from "./build";
import { refuseSecured } from "./security";
import type { WebSerialPort } from "./serial-port";

/** Baud of ROM, bootloader and console, and of what is written. */
const ROM_BAUD = 115_200;
const WRITE_BAUD = 460_800;
/** Resets that are tried until the ROM answers. */
const CONNECT_ATTEMPTS = 4;
/** How long the reset pin is held, ms: esptool's HardReset. */
const RESET_TIME = 100;

export class ConnectedBoard {
  readonly chip: string;
  readonly #transport: Transport;
  readonly #loader: ESPLoader;
  #isClosed = false;

  private constructor(transport: Transport, loader: ESPLoader) {
    this.#transport = transport;
    this.#loader = loader;
    this.chip = loader.chip.CHIP_NAME;
  }

  /**
   * Resets the board into its loader and looks whether it is one for the build. Writes nothing. Rejects with one line, the
   * port closed again.
   */
  static async open(port: WebSerialPort, build: BoardBuild): Promise<ConnectedBoard> {
    const transport = new Line(port as never);
    const terminal = { clean: () => undefined, write: () => undefined, writeLine: () => undefined };
    const loader = new ESPLoader({ transport, baudrate: WRITE_BAUD, romBaudrate: ROM_BAUD, terminal });
    try {
      await connect(loader);
      await checkBoard(loader, build);
      return new ConnectedBoard(transport, loader);
    } catch (error) {
      await transport.disconnect().catch(() => undefined);
      throw error;
    }
  }

  /** Writes the parts and has the chip compare their MD5. `progress` hears of shares from 0 to 1. Rejects with one line. */
  async write(parts: readonly Part[], progress: (share: number) => void): Promise<void> {
    const sorted = [...parts].sort((a, b) => a.offset - b.offset);
    const total = sorted.reduce((sum, { bytes }) => sum + bytes.length, 0);
    let percent = 0;
    try {
      await this.#loader.writeFlash({
        fileArray: sorted.map(({ offset, bytes }) => ({ address: offset, data: bytes })),
        flashMode: "keep",
        flashFreq: "keep",
        flashSize: "keep",
        eraseAll: false,
        compress: true,
        reportProgress: (file, written, length) => {
          const before = sorted.slice(0, file).reduce((sum, { bytes }) => sum + bytes.length, 0);
          const share = (before + sorted[file]!.bytes.length * (written / length)) / total;
          percent = Math.floor(share * 100);
          progress(share);
        },
        calculateMD5Hash: (image) => md5(image),
      });
    } catch (error) {
      throw new Error(writeProblem((error as Error).message, percent), { cause: error });
    }
  }

  /** Restarts the board into its firmware; `log` gets what it prints, until `close`. */
  async start(log: (text: string) => void): Promise<void> {
    await this.#transport.disconnect();
    await this.#transport.connect(ROM_BAUD);
    const decoder = new TextDecoder();
    void this.#transport.rawRead(
      (bytes) => log(decoder.decode(bytes, { stream: true })),
      () => this.#isClosed,
    );
    // By hand: the library's HardReset (0.7.0) releases the reset, but does not begin it.
    await this.#transport.setDTR(false);
    await this.#transport.setRTS(true);
    await new Promise((resolve) => setTimeout(resolve, RESET_TIME));
    await this.#transport.setRTS(false);
  }

  /** Closes the port. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#transport.disconnect().catch(() => undefined);
  }
}

/** The library waits for answers to what it could not send: a port that is gone fails at once. */
class Line extends Transport {
  override async write(bytes: Uint8Array): Promise<void> {
    if (this.device.writable === null) throw new Error("the port is gone");
    await super.write(bytes);
  }
}

async function connect(loader: ESPLoader): Promise<void> {
  try {
    await loader.detectChip("default_reset", CONNECT_ATTEMPTS);
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "NetworkError" || name === "InvalidStateError")
      throw new Error("the port can not be opened: another program has it, such as a serial monitor", { cause: error });
    if (message.startsWith("Unexpected"))
      throw new Error("the chip is not known here; nothing was written", { cause: error });
    throw new Error(
      "the board does not answer. Hold its BOOT button, press RESET, let go of BOOT and try again; a cable for charging has no data lines",
      { cause: error },
    );
  }
}

async function checkBoard(loader: ESPLoader, { chip, flashSize }: BoardBuild): Promise<void> {
  const id = loader.chip.IMAGE_CHIP_ID ?? Number.NaN;
  if (id !== chip.id)
    throw new Error(`the build is for ${chip.name}, this board has ${chipName(id)}. Nothing was written`);
  await refuseSecured(loader, id);
  let size: string | undefined;
  try {
    await loader.runStub();
    await loader.changeBaud();
    size = await loader.detectFlashSize();
  } catch (error) {
    throw new Error(`the board answers, but does not run the flasher (${(error as Error).message})`, { cause: error });
  }
  if (size === undefined) throw new Error("the board's flash chip does not answer. Nothing was written");
  // "512KB", "4MB".
  const there = Number.parseInt(size, 10) * (size.endsWith("KB") ? 1 << 10 : 1 << 20);
  if (there < flashSize)
    throw new Error(
      `the build is for ${flashSize / (1 << 20)} MB of flash, this board has ${there / (1 << 20)} MB. Nothing was written`,
    );
}

function writeProblem(message: string, percent: number): string {
  if (/MD5/.test(message))
    return "what was written reads back differently: the flash chip is worn out, or badly connected. The board has no whole firmware now";
  return `the connection broke off at ${percent} %. The board has no whole firmware now: flash it again`;
}
