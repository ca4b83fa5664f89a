/**
 * Builds apps with the Moddable SDK for the Linux simulator, runs them without a window and listens to what they trace.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdirSync } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(fileURLToPath(new URL("../..", import.meta.url)));

/** Everything that is built here; ignored by git. */
export const BUILD = join(ROOT, "build", "moddable");

/** "release", "instrument" (release with instruments) or "debug". */
export type Kind = "release" | "instrument" | "debug";
const FLAGS: { readonly [kind in Kind]: readonly string[] } = { release: [], instrument: ["-i"], debug: ["-d"] };

/** The SDK's folder. Throws one line where MODDABLE does not name one. */
export function moddable(): string {
  const folder = process.env["MODDABLE"];
  if (!folder)
    throw new Error("MODDABLE is not set: it names the folder of the Moddable SDK (see docs/guide/1-first-board.md)");
  return folder;
}

/** Of the SDK's tools. */
export function environment(): NodeJS.ProcessEnv {
  // mcconfig wants its own tools and a TypeScript compiler.
  const tools = [join(moddable(), "build", "bin", "lin", "release"), join(ROOT, "node_modules", ".bin")];
  return { ...process.env, PATH: [...tools, process.env["PATH"] ?? ""].join(delimiter) };
}

export interface Built {
  /** The app. */
  readonly path: string;
  /** Everything that mcconfig and what it runs have printed. */
  readonly output: string;
}

/** Runs `mcconfig -m` for Linux in `folder`; throws with its output where that fails. */
export function build(folder: string, out: string, kind: Kind = "release", settings: readonly string[] = []): Built {
  mkdirSync(out, { recursive: true });
  const run = spawnSync("mcconfig", [...FLAGS[kind], "-m", "-p", "lin", "-t", "build", "-o", out, ...settings], {
    cwd: folder,
    env: environment(),
    encoding: "utf8",
  });
  const output = `${run.stdout}${run.stderr}`;
  if (run.error !== undefined) throw new Error(`mcconfig: ${run.error.message}`);
  if (run.status !== 0)
    throw new Error(
      `mcconfig in ${folder} ends with status ${run.status}:\n${[...new Set(output.split("\n").filter((line) => !line.startsWith("# ")))].join("\n")}`,
    );
  return { path: join(out, "bin", "lin", "mc", kind, basename(folder), "mc.so"), output };
}

/**
 * Lines of a build's output that warn of something in this repository; what the SDK says of its own modules is its own
 * affair.
 */
export function warnings(output: string): string[] {
  return output
    .split("\n")
    .filter(
      (line) => /warning/i.test(line) && (/### warning: (xs-ota|firmware|main)\b/.test(line) || line.includes(ROOT)),
    );
}

/** Compiles headless.c; returns the program. */
export function buildHeadless(out: string): string {
  mkdirSync(out, { recursive: true });
  const program = join(out, "headless");
  const glib = spawnSync("pkg-config", ["--cflags", "--libs", "glib-2.0"], { encoding: "utf8" });
  if (glib.status !== 0) throw new Error("headless.c needs pkg-config and the headers of glib-2.0, as the SDK does");
  const source = join(ROOT, "tests", "moddable", "headless.c");
  const flags = [
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-rdynamic",
    "-o",
    program,
    source,
    `-I${join(moddable(), "build", "simulators", "modules")}`,
  ];
  const [compiler = "cc", ...options] = (process.env["CC"] ?? "cc").split(" ");
  const { status, stderr } = spawnSync(compiler, [...options, ...flags, ...glib.stdout.trim().split(/\s+/), "-ldl"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`headless.c does not compile:\n${stderr}`);
  return program;
}

export type Line = { readonly [key: string]: unknown };

/** One run of an app, from power-on to `cut` or its own end. */
export class HeadlessRun {
  /** What the app said so far: its JSON lines as objects, others as { text }. */
  readonly lines: Line[] = [];
  readonly #events = new EventEmitter();
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #status: number | string | undefined;

  constructor(headless: string, app: string, variables: { readonly [name: string]: string }) {
    this.#process = spawn(headless, [app], {
      env: { ...process.env, ...variables },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#events.setMaxListeners(0);
    createInterface({ input: this.#process.stdout! }).on("line", (line) => {
      this.lines.push(parse(line));
      this.#events.emit("line");
    });
    this.#ended = once(this.#process, "close").then(([code, signal]) => {
      this.#status = (code as number | null) ?? (signal as string);
      this.#events.emit("line");
    });
  }

  /**
   * The first line, of this run, that `wanted` accepts. Rejects with all lines when the app ends or stays silent for a
   * minute.
   */
  async line(wanted: (line: Line) => boolean, silence = 60_000): Promise<Line> {
    for (let seen = 0; ;) {
      for (; seen < this.lines.length; seen++) if (wanted(this.lines[seen]!)) return this.lines[seen]!;
      if (this.#status !== undefined) throw new Error(`the app has ended (${this.#status}):\n${this.transcript()}`);
      const timer = AbortSignal.timeout(silence);
      await once(this.#events, "line", { signal: timer }).catch(() => {
        throw new Error(`nothing more in ${silence} ms:\n${this.transcript()}`);
      });
    }
  }

  transcript(): string {
    return this.lines.map((line) => JSON.stringify(line)).join("\n");
  }

  /** kill -9: the power goes out. */
  async cut(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }
}

function parse(line: string): Line {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Line;
  } catch {
    // Not one of ours.
  }
  return { text: line };
}
