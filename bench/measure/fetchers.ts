/**
 * curl and wget where they are installed: what the server sends them over connections that break at 10, 50 and 90 % of
 * the file.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firmwareImage } from "../../tests/kit/images";
import { responseHead } from "../simulation/file-server";

export interface Fetched {
  readonly name: string;
  readonly complete: boolean;
  readonly connections: number;
  readonly requests: number;
  /** Bytes of the file that were sent more than once. */
  readonly again: number;
}

const TOOLS: readonly {
  readonly name: string;
  readonly command: string;
  arguments(url: string, file: string): string[];
}[] = [
  // Begun again after each break, as a script would.
  { name: "curl -C - in a loop", command: "curl", arguments: (url, file) => ["-s", "-C", "-", "-o", file, url] },
  {
    name: "wget -c",
    command: "wget",
    arguments: (url, file) => ["-q", "-c", "-t", "8", "--waitretry=0", "-O", file, url],
  },
];
const TRIES = 8;

export async function fetchers(size: number): Promise<Fetched[]> {
  const found: Fetched[] = [];
  for (const tool of TOOLS)
    if (spawnSync(tool.command, ["--version"]).status === 0) found.push(await measure(tool, size));
  return found;
}

async function measure(tool: (typeof TOOLS)[number], size: number): Promise<Fetched> {
  const image = firmwareImage("0.2.0", size);
  const cuts = [0.1, 0.5, 0.9].map((share) => Math.floor(share * size));
  const counts = { connections: 0, requests: 0, sent: 0 };
  const server = createServer((socket) => {
    counts.connections++;
    let waiting = "";
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      waiting += bytes.toString("latin1");
      if (!waiting.includes("\r\n\r\n")) return;
      const range = /\r\nRange: bytes=(\d+)-/i.exec(waiting);
      const first = range === null ? 0 : Number(range[1]);
      waiting = "";
      counts.requests++;
      const end = cuts.find((cut) => cut > first);
      if (end !== undefined) cuts.splice(cuts.indexOf(end), 1);
      counts.sent += (end ?? size) - first;
      send(
        socket,
        responseHead(first, size - 1, size, range === null),
        image.subarray(first, end ?? size),
        end !== undefined,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-bench-"));
  try {
    const file = join(folder, "fw.bin");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fw.bin`;
    for (let at = 0; at < TRIES && (await run(tool.command, tool.arguments(url, file))) !== 0; at++);
    return {
      name: tool.name,
      complete: Buffer.compare(image, contents(file)) === 0,
      connections: counts.connections,
      requests: counts.requests,
      again: counts.sent - size,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What was sent has arrived when the connection breaks: it ends in good order, short of its length. */
function send(socket: Socket, head: Uint8Array, body: Uint8Array, breaks: boolean): void {
  socket.write(head);
  socket.write(body, () => breaks && socket.end());
}

function run(command: string, words: string[]): Promise<number | null> {
  return new Promise((resolve) =>
    spawn(command, words, { stdio: "ignore", env: { ...process.env, no_proxy: "127.0.0.1" } })
      .once("error", () => resolve(0))
      .once("close", resolve),
  );
}

function contents(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array(0);
  }
}
