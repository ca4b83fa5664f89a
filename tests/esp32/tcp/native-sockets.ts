/**
 * The chip's sockets without a chip: the C module over the fake lwIP, in a process of its own, with this machine's TCP
 * as the wire. The port's TypeScript runs as it is: its calls are synchronous, and what happens comes through a pipe,
 * as a message comes to XS.
 */
import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket as Pipe } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NativeChip } from "../native-chip";

/** One run of the program that `buildHost` made. */
export class NativeSockets {
  readonly #folder = mkdtempSync(join(tmpdir(), "xs-ota-events-"));
  readonly #chip: NativeChip;
  readonly #events: Pipe;
  #callback: () => void = () => {};

  constructor(program: string) {
    const path = join(this.#folder, "events");
    execFileSync("mkfifo", [path]);
    this.#events = new Pipe({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) });
    // The arguments that a chip with flash has are not this program's, but for the first.
    this.#chip = new NativeChip({ program, flash: path, nvs: "-", slot: 0, reason: 0 });
    this.#events.on("data", (bytes: Buffer) => {
      for (const _ of bytes) {
        this.#callback();
        this.#chip.call("xs_lwip_done", []);
      }
    });
  }

  /** What `native(name)` is in XS. */
  call(name: string, args: readonly unknown[]): unknown {
    if (name !== "xs_lwip_start") return this.#chip.call(name, args);
    this.#callback = args[0] as () => void;
    return this.#chip.call(name, []);
  }

  close(): void {
    this.#events.destroy();
    this.#chip.close();
    rmSync(this.#folder, { recursive: true });
  }
}
