/** A web server for a folder of published firmware that also takes the reports of its devices. */
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { decide } from "../../core/files/range";

/** Longest report. */
const REPORT_MAX = 4_096;

export class SiteServer {
  /** Bytes of images that were sent. */
  served = 0;
  readonly #folder: string;
  readonly #server: Server;
  /** Of each device the outcome that it posted last. */
  readonly #outcomes = new Map<string, string>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async open(folder: string): Promise<SiteServer> {
    const site = new SiteServer(folder);
    site.#server.listen(0, "127.0.0.1");
    await once(site.#server, "listening");
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  outcomes(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const state of this.#outcomes.values()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method === "POST") await this.#take(request, response);
      else await this.#serve(request, response);
    } catch {
      response.writeHead(404).end();
    }
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) if (text.length < REPORT_MAX) text += String(part);
    const { deviceId, state } = JSON.parse(text) as { deviceId: string; state: string };
    this.#outcomes.set(deviceId, state);
    response.writeHead(204).end();
  }

  async #serve({ method = "GET", url = "/", headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    // One folder without folders in it.
    const path = join(this.#folder, basename(new URL(url, "http://site").pathname));
    const { size, mtimeMs } = await stat(path);
    const etag = `"${size}-${Math.round(mtimeMs)}"`;
    response.setHeader("ETag", etag);
    response.setHeader("Accept-Ranges", "bytes");
    const decision = decide(method, headers, { size, etag, modified: mtimeMs });
    if (!("start" in decision)) return void response.writeHead(decision.status).end();
    const { status, start, end } = decision;
    if (status === 206) response.setHeader("Content-Range", `bytes ${start}-${end}/${size}`);
    const body = (await readFile(path)).subarray(start, end + 1);
    response.writeHead(status, { "Content-Length": body.length });
    if (!path.endsWith(".json")) this.served += body.length;
    response.end(method === "HEAD" ? undefined : body);
  }
}
