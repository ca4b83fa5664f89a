/** Static file servers: one with ranges, one without. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";

export interface FileServer {
  readonly name: string;
  readonly port: number;
  /** Bytes of bodies that went out; undefined where nothing counts them. */
  readonly served?: () => number;
}

/** Serves ranges as RFC 9110 has them. */
export async function rangedServer(folder: string): Promise<FileServer> {
  let served = 0;
  const server = createServer((request, response) => {
    const bytes = readFileSync(join(folder, basename(request.url ?? "")));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] =
      first === undefined ? [0, bytes.length - 1] : [Number(first), Math.min(Number(last), bytes.length - 1)];
    const body = bytes.subarray(start, end + 1);
    served += body.length;
    const range = first === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${bytes.length}` };
    response
      .writeHead(first === undefined ? 200 : 206, {
        "Content-Length": body.length,
        "Content-Type": "application/octet-stream",
        ...range,
      })
      .end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { name: "with ranges", port: (server.address() as AddressInfo).port, served: () => served };
}

/** Python's server, which knows no ranges: every answer is the whole file, and the device skips what it has stored. */
export async function pythonServer(folder: string, children: ChildProcess[]): Promise<FileServer> {
  const child = spawn("python3", ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const [text] = (await once(lines, "line")) as [string];
  return { name: "python3, none", port: Number(/port (\d+)/.exec(text)![1]) };
}
