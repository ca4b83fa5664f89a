import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../bin/xs-ota.mjs", import.meta.url));

/** An `xs-ota cloud` in a process of its own that can be killed and started again at the same ports. */
export class OwnCloud {
  readonly #folder: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #ports: { readonly http: number; readonly mqtt: number } | undefined;

  /** `folder`: its state. */
  constructor(folder: string, flags: readonly string[] = []) {
    this.#folder = folder;
    this.#flags = flags;
  }

  /** Resolves when it listens; rejects with its own line if it does not come to that. */
  async start(): Promise<void> {
    const ports = ["--port", String(this.#ports?.http ?? 0), "--mqtt-port", String(this.#ports?.mqtt ?? 0)];
    const child = spawn(process.execPath, [COMMAND, "cloud", "--state", this.#folder, ...ports, ...this.#flags], {
      // The channel closes when this process ends, however it does, and the cloud ends then.
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    let last = "";
    const lines = createInterface({ input: child.stderr! });
    await new Promise<void>((resolve, reject) => {
      lines.on("line", (line) => {
        last = line;
        const [, mqtt, http] = /^mqtt:\/\/\S+:(\d+) {2}http:\/\/\S+:(\d+)$/.exec(line) ?? [];
        if (mqtt === undefined || http === undefined) return;
        this.#ports = { http: Number(http), mqtt: Number(mqtt) };
        resolve();
      });
      child.once("error", reject);
      child.once("close", () => reject(new Error(last.replace(/^error: /, "") || "the cloud did not start")));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports?.http ?? 0}`;
  }

  async token(): Promise<string> {
    return (await readFile(join(this.#folder, "api-token"), "utf8")).trim();
  }

  /** As a crash does, or a power cut. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }
}
