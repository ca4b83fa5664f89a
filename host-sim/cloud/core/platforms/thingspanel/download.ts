import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Package } from "../../files/packages";
import type { SideHost } from "../platform-side";
import { checksum } from "./crc16";
import type { ServerFaults } from "./faults";
import type { Profile } from "./identity";

const PREFIXES: { readonly [profile in Profile]: string } = { v0: "/api/ota/download/", v1: "/api/v1/ota/download/" };

/** Path of a package: no signature and no permission, only a name that can not be guessed. */
export function downloadPath(file: Package, profile: Profile): string {
  return `${PREFIXES[profile]}files/upgradePackage/${new Date(file.addedAt).toISOString().slice(0, 10)}/${nameOf(file)}.bin`;
}

function nameOf({ id }: Package): string {
  return createHash("md5").update(id).digest("hex");
}

/** The download endpoint, with the quirks of the real one. True: the request was for it. */
export function answerDownload(
  host: SideHost,
  faults: ServerFaults,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const path = (request.url ?? "/").replace(/\?.*/s, "");
  const profile = (["v1", "v0"] as const).find((each) => path.startsWith(PREFIXES[each]));
  if (profile === undefined) return false;
  if (request.method !== "GET") {
    response.writeHead(404, { "Content-Type": "text/plain" }).end("404 page not found");
    return true;
  }
  const file = host.packages.list().find((each) => path === downloadPath(each, profile));
  if (file === undefined && profile === "v0" && faults.has("empty-200"))
    response.writeHead(200, { "Content-Length": 0 }).end();
  else if (file === undefined) fail(response, "open file failed: no such file or directory");
  else if (request.headers.range === undefined) whole(host, request, response, file);
  else void range(host, request, response, file, profile === "v1" || faults.has("range-200") ? 200 : 206);
  return true;
}

/** Every error is a JSON document, and a success for whoever looks at the status. */
function fail(response: ServerResponse, message: string): void {
  response
    .writeHead(200, { "Content-Type": "application/json; charset=utf-8" })
    .end(JSON.stringify({ code: 100_000, message, data: {} }));
}

/** What Go's ServeFile sends. */
function whole(host: SideHost, request: IncomingMessage, response: ServerResponse, file: Package): void {
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Last-Modified", new Date(file.addedAt).toUTCString());
  void host.files.transfer(request, response, file, { status: 200, start: 0, end: file.size - 1 });
}

async function range(
  host: SideHost,
  request: IncomingMessage,
  response: ServerResponse,
  file: Package,
  status: 200 | 206,
): Promise<void> {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (first === undefined) return void response.writeHead(416).end();
  const start = Number(first);
  const end = last === "" ? file.size - 1 : Number(last);
  // Nothing is clamped.
  if (start >= file.size || end >= file.size) return void response.writeHead(400).end();
  if (end < start) return fail(response, "runtime error: makeslice: len out of range");
  const method = request.headers["crc16-method"];
  try {
    const reader = await host.packages.reader(file.id);
    const bytes = Buffer.alloc(end - start + 1);
    try {
      for (let at = 0; at < bytes.length;) {
        const part = await reader.read(start + at, bytes.length - at);
        bytes.set(part, at);
        at += part.length;
      }
    } finally {
      await reader.close();
    }
    response.setHeader("X-CRC16", checksum(Array.isArray(method) ? method[0] : method, bytes));
  } catch (error) {
    return fail(response, (error as Error).message);
  }
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Content-Range", `bytes ${start}-${end}/${file.size}`);
  // The last three characters of the file's name.
  response.setHeader("Content-Type", "bin");
  // v1 never marks an answer as partial; v0 means to.
  await host.files.transfer(request, response, file, { status, start, end });
}
