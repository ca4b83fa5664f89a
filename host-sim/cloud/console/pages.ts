import type { IncomingMessage, ServerResponse } from "node:http";
import type { Guard } from "../api/guard";
import { consoleFiles, type ConsoleFile } from "./bundle";

/**
 * Nothing but our own files, no inline script or style, nobody may frame it. Styles that scripts set on elements are
 * not affected by a policy (CSP 3, section 4.2.5.1).
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-cache",
};

/** The console's page, script and style. They are the same for everybody: what is secret comes over the API alone. */
export class ConsolePages {
  readonly #guard: Guard;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** False: not a path of the console. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    if (path !== "/" && !path.startsWith("/console/")) return false;
    const refused = this.#guard.page(request);
    if (refused) {
      response
        .writeHead(refused.status, { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" })
        .end(refused.message);
      return true;
    }
    let file: ConsoleFile | undefined;
    try {
      file = (await consoleFiles()).get(path);
    } catch (error) {
      response
        .writeHead(500, { "Content-Type": "text/plain; charset=utf-8" })
        .end(`the console could not be built: ${(error as Error).message}`);
      return true;
    }
    if (!file) {
      response
        .writeHead(404, { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" })
        .end("no such page");
      return true;
    }
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.writeHead(200, { "Content-Type": file.type, "Content-Length": Buffer.byteLength(file.text) });
    response.end(request.method === "HEAD" ? undefined : file.text);
    return true;
  }
}
