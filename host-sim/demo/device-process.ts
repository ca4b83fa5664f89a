import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../bin/xs-ota.mjs", import.meta.url));

/** One line that the command printed. */
export type Line = Readonly<Record<string, unknown>>;

/** `xs-ota device` as a process of its own. */
export class Device {
  readonly events: Line[] = [];
  stderr = "";
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  #ended = false;
  #waiters: (() => void)[] = [];
  /** Called with each line as it arrives. */
  onEvent: ((event: Line) => void) | undefined;

  static start(config: string, state: string, ...more: string[]): Device {
    return new Device(["device", "--config", config, "--state", state, ...more]);
  }

  private constructor(args: string[]) {
    this.#process = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stderr.on("data", (text: Buffer) => (this.stderr += text.toString()));
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      const event = JSON.parse(line) as Line;
      this.events.push(event);
      this.onEvent?.(event);
      this.#wake();
    });
    this.#process.once("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The first event of that name, past or to come. */
  event(name: string): Promise<Line> {
    return this.until(name, ({ event }) => event === name);
  }

  /**
   * The first line that `is` accepts, past or to come. Rejects if the process ends before; `what` names the line in the
   * message.
   */
  async until(what: string, is: (event: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.events.find(is);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`the device ended before ${what}: ${this.stderr.trim()}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** Cuts the power: SIGKILL. */
  async kill(): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }
}
