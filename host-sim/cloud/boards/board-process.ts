import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface BoardProcessOptions {
  /** device.json. */
  readonly config: string;
  /** Folder of the board's flash. */
  readonly state: string;
  /** Factory firmware of a board that is not there yet. */
  readonly version: string;
  readonly engine: "xs" | "node";
  /** A line of JSON, parsed. */
  readonly onEvent: (event: { readonly event: string; readonly [key: string]: unknown }) => void;
  /** It ended; `reason` where that was not asked for. */
  readonly onExit: (reason: string | undefined) => void;
}

const COMMAND = fileURLToPath(new URL("../../bin/xs-ota.mjs", import.meta.url));
const END_WITH_PARENT = new URL("end-with-parent.mjs", import.meta.url).href;
/** Of an end that was not asked for. */
const STDERR_KEPT = 500;

/** A board that is on: `xs-ota device` in a process of its own. Killing that is the power cut. */
export class BoardProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #cut = false;

  constructor({ config, state, version, engine, onEvent, onExit }: BoardProcessOptions) {
    const flags = ["device", "--config", config, "--state", state, "--version", version, "--engine", engine];
    this.#child = spawn(process.execPath, ["--import", END_WITH_PARENT, COMMAND, ...flags], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#closed = once(this.#child, "close").catch(() => undefined);
    let stderr = "";
    this.#child.stderr!.on("data", (part: Buffer) => (stderr = (stderr + part.toString()).slice(-STDERR_KEPT)));
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      try {
        onEvent(JSON.parse(line) as { event: string });
      } catch {
        // A line that the kill cut short.
      }
    });
    this.#child.once("error", (error) => (stderr = error.message));
    void this.#closed.then(() =>
      onExit(this.#cut ? undefined : (stderr.trim().split("\n").at(-1) ?? "").replace(/^error: /, "") || "it ended"),
    );
  }

  /** SIGKILL, at this instant. Resolves when the process is gone. */
  async cutPower(): Promise<void> {
    this.#cut = true;
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}
