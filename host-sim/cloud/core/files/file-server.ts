import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Package, PackageStore } from "./packages";
import type { UrlSigner } from "./presign";
import { decide } from "./range";
import type { Traffic } from "./traffic";

/** One answered download request. */
export interface Served {
  readonly package: string;
  readonly device: string | undefined;
  readonly status: number;
  /** First byte asked for. */
  readonly start: number;
  /** Bytes of the body that were to go, and those that went. */
  readonly wanted: number;
  readonly sent: number;
}

export interface FileServerOptions {
  readonly packages: PackageStore;
  readonly signer: UrlSigner;
  readonly traffic: Traffic;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly served: (served: Served) => void;
}

/** Bytes handed to a socket at once: what is counted is exact to this, and a power cut finds no more under way. */
const CHUNK = 16_384;
/** A throttled response still moves this many times a second. */
const STEPS_PER_SECOND = 20;

/**
 * Serves packages with ranges and conditions. As an object store does, it answers only URLs that carry its own
 * signature; platforms whose servers know no signatures call `serve` from routes of their own.
 */
export class FileServer {
  readonly #options: FileServerOptions;
  /** When each connection may send again. */
  readonly #paced = new WeakMap<Socket, number>();
  /** Bytes per second for each connection; undefined = as fast as it goes. May be set at any time. */
  throttle: number | undefined;

  constructor(options: FileServerOptions, throttle: number | undefined) {
    this.#options = options;
    this.throttle = throttle;
  }

  /** Milliseconds since 1970, by the clock that ends links. */
  now(): number {
    return this.#options.now();
  }

  /** Path and query of a signed URL for `file`; `label` is decoration. Seconds since 1970. */
  sign(
    file: Package,
    label: string,
    device: string,
    start: number,
    end: number,
    method: "GET" | "HEAD" = "GET",
  ): string {
    return this.#options.signer.sign(`/${file.id}_${encodeURIComponent(label)}`, device, start, end, method);
  }

  /** Answers every request that is left for it; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = target(request.url ?? "/");
    const method = request.method ?? "";
    if (method !== "GET" && method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      refuse(
        response,
        method,
        path,
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
      );
      return;
    }
    const verdict = this.#options.signer.verify(method, path, query, this.#options.now() / 1000);
    if (!verdict.ok) {
      refuse(response, method, path, 403, verdict.code, verdict.message);
      return;
    }
    const file = this.#options.packages.get(/^\/([0-9a-f]{16})_/.exec(path)?.[1] ?? "");
    if (!file) {
      refuse(response, method, path, 404, "NoSuchKey", "The specified key does not exist.");
      return;
    }
    await this.serve(request, response, file, verdict.device);
  }

  /** Answers with the file or what is asked of it. Never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse, file: Package, device?: string): Promise<void> {
    const { traffic, served } = this.#options;
    const method = request.method ?? "GET";
    const etag = `"${file.md5}"`;
    const decision = decide(method, request.headers, { size: file.size, etag, modified: file.addedAt });
    response.setHeader("Accept-Ranges", "bytes");
    response.setHeader("ETag", etag);
    response.setHeader("Last-Modified", new Date(file.addedAt).toUTCString());
    if (decision.status !== 200 && decision.status !== 206) {
      const { status } = decision;
      traffic.add(file.id, device, { requests: 1 });
      if (status === 416) response.setHeader("Content-Range", `bytes */${file.size}`);
      if (status === 304) {
        response.writeHead(304).end();
      } else {
        const [code, message] = refusals[status];
        refuse(response, method, target(request.url ?? "/").path, status, code, message);
      }
      served({ package: file.id, device, status, start: 0, wanted: 0, sent: 0 });
      return;
    }
    const { status, start, end } = decision;
    if (status === 206) response.setHeader("Content-Range", `bytes ${start}-${end}/${file.size}`);
    response.setHeader("Content-Type", "application/octet-stream");
    await this.transfer(request, response, file, { status, start, end }, device);
  }

  /** Answers with these bytes, the last included; all headers but Content-Length are the caller's. Never rejects. */
  async transfer(
    request: IncomingMessage,
    response: ServerResponse,
    file: Package,
    { status, start, end }: { status: 200 | 206; start: number; end: number },
    device?: string,
  ): Promise<void> {
    const { traffic, served } = this.#options;
    traffic.add(file.id, device, { requests: 1 });
    response.setHeader("Content-Length", end - start + 1);
    response.writeHead(status);
    const wanted = request.method === "HEAD" ? 0 : end - start + 1;
    const sent = wanted === 0 ? 0 : await this.#send(request.socket, response, file, device, start, end);
    if (sent === wanted) response.end();
    else traffic.add(file.id, device, { aborted: 1 });
    served({ package: file.id, device, status, start, wanted, sent });
  }

  /** Returns how many bytes the system took. */
  async #send(
    socket: Socket,
    response: ServerResponse,
    file: Package,
    device: string | undefined,
    start: number,
    end: number,
  ): Promise<number> {
    let offset = start;
    const gone = new AbortController();
    const left = (): void => gone.abort();
    response.once("close", left);
    // A response that waits behind another one on the same connection does not hear of its end.
    socket.once("close", left);
    if (socket.destroyed) left();
    try {
      const reader = await this.#options.packages.reader(file.id);
      try {
        while (offset <= end && !gone.signal.aborted) {
          const length = Math.min(this.#chunk(), end - offset + 1);
          const bytes = await reader.read(offset, length);
          await this.#limitRate(socket, bytes.length, gone.signal);
          await write(response, bytes, gone.signal);
          offset += bytes.length;
          this.#options.traffic.add(file.id, device, { bytes: bytes.length });
        }
      } finally {
        await reader.close();
      }
    } catch {
      // The client left, or the file went away under us: the connection ends short of Content-Length either way.
      socket.destroy();
    } finally {
      socket.off("close", left);
    }
    return offset - start;
  }

  #chunk(): number {
    return this.throttle === undefined
      ? CHUNK
      : Math.min(CHUNK, Math.max(256, Math.floor(this.throttle / STEPS_PER_SECOND)));
  }

  async #limitRate(socket: Socket, bytes: number, signal: AbortSignal): Promise<void> {
    if (this.throttle === undefined) return;
    const now = performance.now();
    const turn = Math.max(now, this.#paced.get(socket) ?? 0);
    this.#paced.set(socket, turn + (bytes / this.throttle) * 1000);
    if (turn > now) await wait(turn - now, undefined, { signal });
  }
}

/** Error codes of the object store, by status of RFC 9110. */
const refusals = {
  412: ["PreconditionFailed", "At least one of the preconditions you specified did not hold."],
  416: ["InvalidRange", "The requested range cannot be satisfied."],
} as const;

/** Path and query as they stood on the wire; a target in absolute form (RFC 9112, section 3.2.2) loses its origin. */
function target(url: string): { path: string; query: string } {
  const local = url.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = local.indexOf("?");
  return mark < 0 ? { path: local, query: "" } : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}

/** Resolves when the system has taken the bytes; rejects when the client is gone. */
function write(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error("the client is gone"));
    signal.addEventListener("abort", gone, { once: true });
    response.write(bytes, (error) => {
      signal.removeEventListener("abort", gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** An error document as Tencent's object store sends it. */
function refuse(
  response: ServerResponse,
  method: string,
  path: string,
  status: number,
  code: string,
  message: string,
): void {
  const body =
    `<?xml version='1.0' encoding='utf-8' ?>\n<Error>\n\t<Code>${code}</Code>\n\t<Message>${message}</Message>\n` +
    `\t<Resource>${escapeXml(path)}</Resource>\n</Error>\n`;
  response.writeHead(status, { "Content-Type": "application/xml", "Content-Length": Buffer.byteLength(body) });
  response.end(method === "HEAD" ? undefined : body);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
