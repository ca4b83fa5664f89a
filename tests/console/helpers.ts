import assert from "node:assert/strict";
import { request as send, type IncomingHttpHeaders } from "node:http";
import { createCloudHost, type CloudHostOptions, type CloudHost } from "../../host-sim/cloud/cloud-host";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON. */
  json(): Record<string, never>;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string | object;
}

/** A running host with everything in memory, closed after `use` whatever happens. */
export async function withHost(
  use: (host: CloudHost) => Promise<void>,
  options: Partial<CloudHostOptions> = {},
): Promise<void> {
  const host = await createCloudHost({ cloud: {}, engine: "node", ...options });
  await host.start();
  try {
    await use(host);
  } finally {
    await host.close();
  }
}

/** One request as it is, with nothing added but what the body is. */
export function raw(port: number, path: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
  const isBytes = typeof body === "string" || body instanceof Uint8Array;
  const bytes =
    body === undefined ? undefined : isBytes ? Buffer.from(body as string) : Buffer.from(JSON.stringify(body));
  const type =
    body === undefined
      ? {}
      : {
          "content-type": isBytes ? "application/octet-stream" : "application/json",
          "content-length": String(bytes!.length),
        };
  return new Promise((resolve, reject) => {
    const sent = send(
      { host: "127.0.0.1", port, path, method, headers: { ...type, ...headers }, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const all = Buffer.concat(parts);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: all,
            json: () => JSON.parse(all.toString()) as Record<string, never>,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(bytes);
  });
}

/** A call with the API token. */
export function call(host: CloudHost, path: string, ask: Ask = {}): Promise<Answer> {
  return raw(host.cloud.httpPort, `/cloud/v1${path}`, {
    ...ask,
    headers: { authorization: `Bearer ${host.apiToken}`, ...ask.headers },
  });
}

/** As `call`, and the answer is a success. */
export async function ok<T = Record<string, never>>(host: CloudHost, path: string, ask: Ask = {}): Promise<T> {
  const answer = await call(host, path, ask);
  assert.ok(
    answer.status < 300,
    `${ask.method ?? "GET"} ${path}: ${answer.status} ${answer.body.toString().slice(0, 300)}`,
  );
  return (answer.body.length > 0 ? answer.json() : undefined) as T;
}

/** What a browser sends with a call from the console's own page, with its session. */
export async function browser(host: CloudHost): Promise<Record<string, string>> {
  const { httpPort } = host.cloud;
  const own = { origin: `http://127.0.0.1:${httpPort}`, "sec-fetch-site": "same-origin" };
  const token = host.link().split("#token=")[1]!;
  const { status, headers } = await raw(httpPort, "/cloud/v1/session", {
    method: "POST",
    headers: own,
    body: { token },
  });
  assert.equal(status, 204);
  return { ...own, cookie: headers["set-cookie"]![0]!.split(";", 1)[0]! };
}
