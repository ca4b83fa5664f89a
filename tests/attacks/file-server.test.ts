/** The offer is genuine; the attacker controls the file server or the connection to it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlainServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { Authority, tlsIdentity } from "../../host-sim/cloud/core/listeners/certificates";
import type { Credentials } from "../../host-sim/cloud/core/listeners/certificates";
import { Bench, firmware, good, stranger } from "./bench";
import type { BenchOptions } from "./bench";
import { signed } from "../signature/test-keys";

/** As in broker.test.ts, ms. */
const TOO_LONG = 600_000;

type Headers = Readonly<Record<string, string | number>>;

/** First and last byte of a requested range. */
function rangeOf({ headers }: IncomingMessage, size: number): { readonly start: number; readonly end: number } {
  const [, start = "0", end = ""] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? "") ?? [];
  return { start: Number(start), end: Math.min(end === "" ? size - 1 : Number(end), size - 1) };
}

/** Answers a range request correctly, except for `headers`. */
function answer(request: IncomingMessage, response: ServerResponse, file: Uint8Array, headers: Headers = {}): void {
  const { start, end } = rangeOf(request, file.length);
  const body = file.subarray(start, end + 1);
  response.writeHead(206, {
    "Content-Range": `bytes ${start}-${end}/${file.length}`,
    "Content-Length": body.length,
    ...headers,
  });
  response.end(body);
}

/**
 * An attack on the download: gets each request with its number. `honest` is the offered file, `forged` another one of
 * the same length.
 */
interface Attack {
  readonly name: string;
  readonly meddle: (
    request: IncomingMessage,
    response: ServerResponse,
    files: { readonly honest: Uint8Array; readonly forged: Uint8Array },
    number: number,
  ) => void;
  readonly code: number;
  readonly message: RegExp;
  readonly bench?: BenchOptions;
}

const ATTACKS: readonly Attack[] = [
  {
    name: "another file under the same name",
    meddle: (request, response, { forged }) => answer(request, response, forged),
    code: -4,
    message: /^MD5 of what is in flash is/,
  },
  {
    name: "one byte in the body changed, on XS",
    meddle: (request, response, { honest }) =>
      answer(
        request,
        response,
        honest.map((byte, index) => (index === 100_000 ? byte ^ 1 : byte)),
      ),
    code: -4,
    message: /^MD5 of what is in flash is/,
    bench: { engine: createXsEngine },
  },
  {
    name: "the file swapped between two ranges, in secret",
    meddle: (request, response, { honest, forged }, number) =>
      answer(request, response, number < 5 ? honest : forged, { ETag: '"same"' }),
    code: -4,
    message: /^MD5 of what is in flash is/,
  },
  {
    name: "the file swapped between two ranges, with a validator of its own",
    meddle: (request, response, { honest, forged }, number) =>
      answer(request, response, number < 5 ? honest : forged, { ETag: number < 5 ? '"one"' : '"two"' }),
    code: -4,
    message: /^MD5 of what is in flash is/,
  },
  {
    name: "the whole forged file for each range",
    meddle: (_request, response, { forged }) =>
      response.writeHead(200, { "Content-Length": forged.length }).end(forged),
    code: -4,
    message: /^MD5 of what is in flash is/,
  },
  {
    name: "bytes from elsewhere in the file",
    meddle: (request, response, { honest }) => {
      const { start, end } = rangeOf(request, honest.length);
      response.writeHead(206, {
        "Content-Range": `bytes ${start}-${end}/${honest.length}`,
        "Content-Length": end - start + 1,
      });
      response.end(honest.subarray(0, end - start + 1));
    },
    code: -4,
    message: /^MD5 of what is in flash is/,
  },
  {
    name: "a range that begins elsewhere and says so",
    meddle: (request, response, { honest }) => {
      const { start, end } = rangeOf(request, honest.length);
      answer(request, response, honest, { "Content-Range": `bytes ${start + 4096}-${end + 4096}/${honest.length}` });
    },
    code: -5,
    message: /^HTTP 206: bytes from 4096 in place of 0$/,
  },
  {
    name: "a file that claims to be longer",
    meddle: (request, response, { honest }) => {
      const { start, end } = rangeOf(request, honest.length);
      answer(request, response, honest, { "Content-Range": `bytes ${start}-${end}/${honest.length + 1}` });
    },
    code: -5,
    message: /^HTTP 206: the file has \d+ bytes on the server, not \d+$/,
  },
  {
    name: "a compressed body",
    meddle: (request, response, { honest }) => answer(request, response, honest, { "Content-Encoding": "gzip" }),
    code: -5,
    message: /^HTTP 206: the body is encoded although identity was asked for$/,
  },
  {
    name: "a redirect to where nothing is",
    meddle: (_request, response) => response.writeHead(302, { Location: "http:///nowhere" }).end(),
    code: -5,
    message: /^HTTP 302: redirect refused: URL has no usable host name$/,
  },
  {
    name: "redirects without an end",
    meddle: (request, response) => response.writeHead(302, { Location: request.url ?? "/" }).end(),
    code: -5,
    message: /^HTTP 302: more than 5 redirects$/,
  },
  {
    name: "a page in place of the file",
    meddle: (_request, response) =>
      response.writeHead(200, { "Content-Type": "text/html" }).end("<html>Log in to the hotel's network</html>"),
    code: -5,
    message: /^HTTP 200: a web page in place of the file$/,
  },
  {
    name: "no such file",
    meddle: (_request, response) => response.writeHead(404).end(),
    code: -2,
    message: /^HTTP 404/,
  },
];

for (const { name, meddle, code, message, bench: options } of ATTACKS) {
  test(name, { timeout: TOO_LONG }, async (t) => {
    const bench = await Bench.start(t, options);
    const honest = await good("0.2.0");
    const forged = signed(await firmware("0.2.0", { size: honest.length - 96, secureVersion: 7 }), stranger);
    assert.equal(forged.length, honest.length);
    let number = 0;
    const leave = bench.cloud.onRequest((request, response) => {
      meddle(request, response, { honest, forged }, ++number);
      return true;
    });
    await bench.repelled(
      async () => {
        await bench.offer(honest, "0.2.0");
        leave();
      },
      { code, message },
    );
    assert.deepEqual(bench.cloud.violations(), []);
  });
}

test("without a digest in the offer (ThingsPanel as shipped) the signature alone finds a swapped file", async (t) => {
  const bench = await Bench.start(t, {
    thingspanel: { profile: "v0", username: "token-123", deviceNumber: "dev-1", module: "MCU" },
  });
  const honest = await good("0.2.0", { size: 200_000 });
  const other = await good("0.2.0", { size: 200_000, securityFloor: 1 });
  const leave = bench.cloud.onRequest((request, response) => {
    answer(request, response, rangeOf(request, honest.length).start < 100_000 ? honest : other);
    return true;
  });
  await bench.repelled(
    async () => {
      await bench.offer(honest, "0.2.0", { fields: { sign: "" } });
      leave();
    },
    { code: -3, message: /^signature does not match the file$/ },
  );
});

/** A server of the attacker, with a count of its requests. */
async function attacker(
  t: TestContext,
  identity?: Credentials,
): Promise<{ readonly origin: string; readonly seen: () => number }> {
  let seen = 0;
  const listener = (_request: IncomingMessage, response: ServerResponse): void => {
    seen++;
    response.writeHead(404).end();
  };
  const server: Server =
    identity === undefined
      ? createPlainServer(listener)
      : createServer(tlsIdentity(identity, "", false).server, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return {
    origin: `${identity === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: () => seen,
  };
}

test("https: a redirect to plain http is not followed", async (t) => {
  const bench = await Bench.start(t, { tls: true });
  const plain = await attacker(t);
  const leave = bench.cloud.onRequest((request, response) => {
    response.writeHead(302, { Location: plain.origin + (request.url ?? "/") }).end();
    return true;
  });
  await bench.repelled(
    async () => {
      await bench.offer(await good("0.2.0"), "0.2.0");
      leave();
    },
    { code: -5, message: /^HTTP 302: redirect from https to http refused$/ },
  );
  assert.equal(plain.seen(), 0);
});

test("https: an offer of a plain http URL is refused where MQTT is over TLS", async (t) => {
  const bench = await Bench.start(t, { tls: true });
  const plain = await attacker(t);
  await bench.repelled(
    async () => bench.offer(await good("0.2.0"), "0.2.0", { fields: { url: `${plain.origin}/fw.bin` } }),
    { code: -5, message: /^plain http download refused \(allowHttp permits it\)$/ },
  );
  assert.equal(plain.seen(), 0);
});

for (const [name, make] of [
  ["of another authority", async () => (await Authority.create("ec")).server(["127.0.0.1"])],
  [
    "that has expired",
    (ours: Authority) =>
      ours.server(["127.0.0.1"], {
        notBefore: new Date(Date.now() - 2 * 86_400_000),
        notAfter: new Date(Date.now() - 86_400_000),
      }),
  ],
  ["for another host", (ours: Authority) => ours.server(["files.example"])],
] as const) {
  test(`https: a server with a certificate ${name} is not asked for the file`, async (t) => {
    const bench = await Bench.start(t, { tls: true });
    const impostor = await attacker(t, await make(bench.cloud.tls!.authority!));
    await bench.repelled(
      async () => {
        bench.cloud.route(bench.device, impostor.origin);
        await bench.offer(await good("0.2.0"), "0.2.0");
        bench.cloud.route(bench.device, undefined);
      },
      { code: -5, message: /certificate/ },
    );
    assert.equal(impostor.seen(), 0);
  });
}
