/** Between a device and its server: passes requests on, answers some of them in the server's place, and goes away. */
import { createServer, request as requestTo } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { REQUESTS } from "./scenarios";
import type { Request } from "./scenarios";

/** Time for which nobody listens in a restart, ms. */
const AWAY = 5_000;
/** As the server words it (facts 8 and 9 of tests/doubles/hawkbit/hawkbit.md). */
const NOT_ASSIGNED = JSON.stringify({
  errorCode: "hawkbit.server.error.repo.entityNotFound",
  exceptionClass: "org.eclipse.hawkbit.repository.exception.SoftwareModuleNotAssignedToTargetException",
  message: "No assignment found for SoftwareModule.",
});

export class Proxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #refusals: { readonly kind: Request; readonly status: number }[] = [];

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(target: URL): Promise<Proxy> {
    const proxy = new Proxy(target);
    await proxy.#listen(0);
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  refuse(kind: Request, status: number, times: number): void {
    for (let count = 0; count < times; count++) this.#refusals.push({ kind, status });
  }

  async restart(): Promise<void> {
    const { port } = this;
    await this.close();
    await wait(AWAY);
    await this.#listen(port);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "GET", url = "/", headers } = request;
    const at = this.#refusals.findIndex(({ kind }) => REQUESTS[kind].test(url));
    if (at >= 0) return refuse(request, response, this.#refusals.splice(at, 1)[0]!);
    const { hostname, port } = this.#target;
    const onward = requestTo({ hostname, port: port || 80, method, path: url, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
      answered.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }
}

/** A file's 404 has no length, so it goes out in chunked form. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { kind, status }: { kind: Request; status: number },
): void {
  request.resume();
  const isChunked = kind === "file" && status === 404;
  response.writeHead(status, isChunked ? { "Content-Type": "application/json" } : { "Content-Length": "0" });
  if (isChunked) response.write(NOT_ASSIGNED);
  response.end();
}
