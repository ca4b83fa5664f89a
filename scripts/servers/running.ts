/** A real program as a process of its own, with a folder and a port that it shares with nobody. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Program, Setting } from "./programs";

/** How long a program may take until it listens, ms; tried every tenth of a second. */
const START = 20_000;

/** Programs of this run, to be ended with it. */
const children = new Set<ChildProcess>();

const path = (command: string): string | undefined => {
  try {
    return execFileSync("sh", ["-c", `command -v ${command}`], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
};

/** What the machine lacks of it; undefined: it can be run. */
export const missing = ({ commands, needs = [] }: Program): string | undefined =>
  commands.find((command) => path(command) === undefined) ?? needs.find((file) => !existsSync(file));

/** What the program says of its version. */
export const versionOf = ({ commands, version }: Program): string => {
  const { stdout, stderr } = spawnSync(commands[0]!, version, { encoding: "utf8" });
  return /\d+\.\d+(?:\.\d+)*/.exec(`${stdout}\n${stderr}`)?.[0] ?? "?";
};

export const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (is: boolean): void => (socket.destroy(), resolve(is));
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

/** Ends a program with everything that it started. */
const kill = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
};

export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts it in `folder`. Rejects where it does not listen in time, with what it said. */
export const start = async (
  program: Program,
  folder: string,
  given: Omit<Setting, "home" | "port">,
): Promise<Running> => {
  const home = mkdtempSync(join(folder, "server-"));
  const port = await freePort();
  const args = program.prepare({ ...given, home, port });
  const child = spawn(program.commands[0]!, args, {
    cwd: given.files,
    // A process group of its own: Apache's workers outlive their parent otherwise.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
  });
  children.add(child);
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-300)));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
  for (let waited = 0; !(await listens(port)); waited += 100) {
    if (waited >= START || child.exitCode !== null) throw new Error(`${program.name} does not listen: ${said.trim()}`);
    await pause();
  }
  const stop = async (): Promise<void> => {
    kill(child);
    await ended;
    children.delete(child);
  };
  return { port, stop };
};

/** Ends what is left. */
export const stopAll = (): void => children.forEach(kill);
