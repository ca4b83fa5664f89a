/**
 * A board at the serial port of a page: the page's `navigator.serial` leads to an emulated loader in this process, and what
 * was flashed is started as a simulated board, whose lines come back over the port.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { SETTINGS } from "../../host-sim/board/firmware/settings";
import { Device } from "../../host-sim/demo/device-process";
import { RomLoader, type LoaderOptions } from "../rom-loader/rom-loader";

export class BoardAtPort {
  readonly loader: RomLoader;
  /** The board that runs what was flashed. */
  device: Device | undefined;
  /** Ends a pause. */
  resume: () => void = () => undefined;
  #received = 0;
  #pause: { readonly after: number; readonly over: Promise<void> } | undefined;
  readonly #folder: string;

  constructor(options: Omit<LoaderOptions, "start">, folder: string) {
    this.#folder = folder;
    this.loader = new RomLoader({ ...options, start: (print) => this.#start(print) });
  }

  /** Lets the page wait once it has sent that many bytes, until `resume`. */
  pauseAfter(bytes: number): void {
    this.#pause = { after: bytes, over: new Promise((resolve) => (this.resume = resolve)) };
  }

  /** Puts it at the port that the page gets when it asks for one. Before the page is opened. */
  async plugInto(page: Page): Promise<void> {
    const pending: Uint8Array[] = [];
    const send = async (): Promise<void> => {
      const bytes = Buffer.concat(pending.splice(0));
      if (bytes.length > 0) await page.evaluate(`boardSends(${JSON.stringify(bytes.toString("base64"))})`);
    };
    await page.exposeFunction("toBoard", async (base64: string, baud: number) => {
      const bytes = new Uint8Array(Buffer.from(base64, "base64"));
      this.#received += bytes.length;
      if (this.#pause !== undefined && this.#received > this.#pause.after) await this.#pause.over;
      this.loader.receive(bytes, baud);
    });
    await page.exposeFunction("signalBoard", (signals: { dtr?: boolean; rts?: boolean }) =>
      this.loader.signals(signals),
    );
    this.loader.onSend = (bytes) => {
      pending.push(bytes);
      // One call for all that is sent in one go. The page may be gone.
      if (pending.length === 1) setImmediate(() => void send().catch(() => undefined));
    };
    await page.addInitScript(PORT);
  }

  /** The settings that lie in its flash, by their names. */
  settings(): Record<string, string> {
    const { flash } = this.loader;
    const nvs = new Nvs(flash, PartitionTable.read(flash).nvs, SETTINGS);
    return Object.fromEntries(nvs.keys().map((key) => [key, Buffer.from(nvs.getString(key)!).toString()]));
  }

  async close(): Promise<void> {
    await this.device?.kill();
  }

  #start(print: (text: string) => void): (() => void) | void {
    if (blank(this.loader.flash)) return void print("invalid header: 0xffffffff\r\n");
    const state = join(this.#folder, "board");
    mkdirSync(state);
    const bytes = Buffer.alloc(this.loader.flash.size);
    this.loader.flash.read(0, bytes);
    writeFileSync(join(state, "flash.bin"), bytes);
    // A simulated board reads them in the form of device.json.
    const { mqttHost, mqttPort, mqttTls, deviceSecret, authMode = "KEY", ...others } = this.settings();
    const config = join(this.#folder, "device.json");
    const mqtt = { host: mqttHost, port: Number(mqttPort), tls: mqttTls !== "false" };
    const { platform, productId, deviceName } = others;
    const identity = { auth_mode: authMode, productId, deviceName, key_deviceinfo: { deviceSecret } };
    writeFileSync(config, JSON.stringify({ platform, mqtt, ...identity }));
    const device = Device.start(config, state);
    this.device = device;
    device.onEvent = (event) => print(`${JSON.stringify(event)}\r\n`);
    return () => void device.kill();
  }
}

function blank(flash: FlashChip): boolean {
  const bytes = new Uint8Array(flash.size);
  flash.read(0, bytes);
  return bytes.every((byte) => byte === 0xff);
}

/** Runs in the page. */
const PORT = `
  const port = {
    readable: null,
    writable: null,
    getInfo: () => ({}),
    async open({ baudRate }) {
      port.readable = new ReadableStream({
        start(controller) {
          window.boardSends = (base64) =>
            controller.enqueue(Uint8Array.from(atob(base64), (each) => each.charCodeAt(0)));
        },
        cancel() {
          window.boardSends = () => undefined;
        },
      });
      port.writable = new WritableStream({
        write: (bytes) => toBoard(btoa(String.fromCharCode(...bytes)), baudRate),
      });
    },
    async close() {
      port.readable = port.writable = null;
      window.boardSends = () => undefined;
    },
    setSignals: ({ dataTerminalReady: dtr, requestToSend: rts }) => signalBoard({ dtr, rts }),
  };
  window.boardSends = () => undefined;
  Object.defineProperty(navigator, "serial", { value: { requestPort: async () => port } });
`;
