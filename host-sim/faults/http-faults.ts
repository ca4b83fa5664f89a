/** Faults of file servers and middleboxes, by name, each with the end that the update must have. */
import type { Cause } from "../../src/job/types";
import { contentRange, rangeFields, slice } from "./fault-server";
import type { Exchange, HttpFault } from "./fault-server";

/** "finished", "renewed" = finished after a fresh URL was asked for, or the cause of the failure. */
export type FaultEnd = "finished" | "renewed" | Cause;

export interface NamedFault {
  readonly end: FaultEnd;
  /** A new one for each server: faults have state. */
  make(): HttpFault;
}

type Serve = (exchange: Exchange) => Promise<void>;

function fault(end: FaultEnd, does: string, serve: Serve): NamedFault {
  return { end, make: () => ({ does, serve }) };
}

/** A fault for the first `times` requests; later ones are answered correctly. */
function passing(end: FaultEnd, does: string, times: number, serve: Serve): NamedFault {
  return fault(end, does, (exchange) => (exchange.request.count <= times ? serve(exchange) : exchange.partial()));
}

const empty = (exchange: Exchange, status: string, lines = ""): Promise<void> =>
  exchange.send(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n${lines}\r\n`);
const document = (exchange: Exchange, type: string, text: string): Promise<void> =>
  exchange.send(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);

async function chunks(exchange: Exchange, bytes: Uint8Array, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size);
    await exchange.send(`${chunk.length.toString(16)};ext="a;b"\r\n`);
    await exchange.body(chunk);
    await exchange.send("\r\n");
  }
  await exchange.send("0\r\nX-Trailer: yes\r\n\r\n");
}

/**
 * Resets every connection when it has carried `count` bytes, heads included; `count` > 4096 + a head, or nothing ever
 * arrives.
 */
export function resetAfter(count: number): NamedFault {
  return {
    end: "finished",
    make: () => {
      const left = new Map<number, number>();
      return {
        does: `resets each connection after ${count} bytes`,
        async serve(exchange) {
          const { request, file } = exchange;
          const room = left.get(request.connection) ?? count;
          const head = `HTTP/1.1 206 Partial Content\r\n${rangeFields(request, file)}\r\n`;
          const body = slice(request, file);
          left.set(request.connection, room - head.length - body.length);
          await exchange.send(head.slice(0, room));
          await exchange.body(body.subarray(0, Math.max(0, room - head.length)));
          if (room < head.length + body.length) exchange.reset();
        },
      };
    },
  };
}

/** Answers a moved path by redirects, the file's path properly. */
function redirecting(location: (exchange: Exchange) => string, status = "302 Found"): Serve {
  return (exchange) =>
    exchange.request.target.startsWith("/moved")
      ? exchange.partial()
      : empty(exchange, status, `Location: ${location(exchange)}\r\n`);
}

export const HTTP_FAULTS: Readonly<Record<string, NamedFault>> = {
  none: fault("finished", "does everything right", (exchange) => exchange.partial()),
  "reset mid-body": resetAfter(9_000),
  "reset in the head": passing("finished", "resets in the middle of the first two heads", 2, async (exchange) => {
    await exchange.send("HTTP/1.1 206 Partial Con");
    exchange.reset();
  }),
  "short stall": passing("finished", "pauses in the first body, then goes on", 1, async (exchange) => {
    const body = slice(exchange.request, exchange.file);
    await exchange.send(`HTTP/1.1 206 Partial Content\r\n${rangeFields(exchange.request, exchange.file)}\r\n`);
    await exchange.body(body.subarray(0, 1_000));
    // A turn of the event loop, so that a client in this process reads the first part by itself.
    await new Promise((resolve) => setImmediate(resolve));
    await exchange.body(body.subarray(1_000));
  }),
  "long stall": fault("finished", "falls silent for good in the middle of every third answer", async (exchange) => {
    if (exchange.request.count % 3 !== 0) return exchange.partial();
    await exchange.send(`HTTP/1.1 206 Partial Content\r\n${rangeFields(exchange.request, exchange.file)}\r\n`);
    await exchange.body(slice(exchange.request, exchange.file).subarray(0, 5_000));
    exchange.hold();
  }),
  "no answer": passing("finished", "takes the first request and never answers", 1, async (exchange) => exchange.hold()),
  dead: fault("download-timeout", "never answers", async (exchange) => exchange.hold()),
  "one byte at a time": fault("finished", "sends each byte on its own", async (exchange) => {
    const { request, file } = exchange;
    for (const character of `HTTP/1.1 206 Partial Content\r\n${rangeFields(request, file)}\r\n`)
      await exchange.send(character);
    const body = slice(request, file);
    for (let at = 0; at < body.length; at++) await exchange.body(body.subarray(at, at + 1));
  }),
  "200 with Content-Range": fault("finished", "answers ranges with status 200", (exchange) =>
    exchange.partial("Content-Type: bin\r\n", "200 OK"),
  ),
  "200 whole file": fault("finished", "ignores Range, sends the whole file", async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${exchange.file.length}\r\n\r\n`);
    await exchange.whole();
  }),
  "200 whole file, reset once": fault(
    "finished",
    "ignores Range, and resets the first answer after 10,000 bytes",
    async (exchange) => {
      await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${exchange.file.length}\r\n\r\n`);
      if (exchange.request.count > 1) return exchange.whole();
      await exchange.body(exchange.file.subarray(0, 10_000));
      exchange.reset();
    },
  ),
  "200 whole file, chunked": fault("finished", "ignores Range, sends the whole file in chunks", async (exchange) => {
    await exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await chunks(exchange, exchange.file, 3_000);
  }),
  "200 whole file until close": fault("finished", "ignores Range and tells no length", async (exchange) => {
    await exchange.send("HTTP/1.1 200 OK\r\n\r\n");
    await exchange.whole();
    exchange.end();
  }),
  "200 with another length": fault("download", "sends another file", async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${exchange.file.length - 1}\r\n\r\n`);
    await exchange.body(exchange.file.subarray(1));
  }),
  "wrong start": fault("download", "answers with bytes from elsewhere", async (exchange) => {
    const { file, request } = exchange;
    await exchange.send(
      `HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes ${request.first + 4}-${request.first + 103}/${file.length}\r\n\r\n`,
    );
    await exchange.body(file.subarray(0, 100));
  }),
  "wrong total": fault("download", "names another total", async (exchange) => {
    const { file, request } = exchange;
    await exchange.send(
      `HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes ${request.first}-${request.first + 99}/${file.length + 1}\r\n\r\n`,
    );
    await exchange.body(file.subarray(0, 100));
  }),
  "416": fault("download", "refuses the range", (exchange) =>
    empty(exchange, "416 Range Not Satisfiable", `Content-Range: bytes */${exchange.file.length}\r\n`),
  ),
  "400": fault("download", "refuses the request", (exchange) => empty(exchange, "400 Bad Request")),
  "403, then a fresh URL": fault("renewed", "lets the URL expire after 8 KiB", (exchange) =>
    exchange.request.first < 8_192 || exchange.request.target.includes("fresh")
      ? exchange.partial()
      : empty(exchange, "403 Forbidden"),
  ),
  "403 for ever": fault("url-expired", "refuses every URL", (exchange) => empty(exchange, "403 Forbidden")),
  "404": fault("not-found", "has no such file", (exchange) => empty(exchange, "404 Not Found")),
  "410": fault("not-found", "has the file no more", (exchange) => empty(exchange, "410 Gone")),
  "503 with Retry-After": passing("finished", "is busy three times, and says for how long", 3, (exchange) =>
    empty(exchange, "503 Service Unavailable", "Retry-After: 7\r\n"),
  ),
  "503 for ever": fault("download-timeout", "is busy", (exchange) => empty(exchange, "503 Service Unavailable")),
  "429": passing("finished", "finds the device too eager, twice", 2, (exchange) =>
    empty(exchange, "429 Too Many Requests", "Retry-After: 30\r\n"),
  ),
  "500": passing("finished", "breaks down twice", 2, (exchange) => empty(exchange, "500 Internal Server Error")),
  "redirect, relative": fault(
    "finished",
    "redirects to a relative path",
    redirecting(() => "moved/fw.bin"),
  ),
  "redirect, absolute": fault(
    "finished",
    "redirects to an absolute URL",
    redirecting((exchange) => `${exchange.origin}/moved?x`, "307 Temporary Redirect"),
  ),
  "redirect loop": fault("download", "redirects in circles", (exchange) =>
    empty(exchange, "302 Found", "Location: /again\r\n"),
  ),
  "redirect elsewhere": fault("download", "redirects to another scheme", (exchange) =>
    empty(exchange, "301 Moved", "Location: ftp://127.0.0.1/fw.bin\r\n"),
  ),
  chunked: fault("finished", "sends ranges in chunks, with extensions and trailers", async (exchange) => {
    const { request, file } = exchange;
    await exchange.send(
      `HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n${contentRange(request, file)}\r\n`,
    );
    await chunks(exchange, slice(request, file), 777);
  }),
  "broken chunks": passing("finished", "sends chunk sizes that are none, twice", 2, async (exchange) => {
    await exchange.send(
      `HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n${contentRange(exchange.request, exchange.file)}\r\nhello\r\n`,
    );
  }),
  "until close": fault("finished", "tells no length and closes after each range", async (exchange) => {
    await exchange.send(`HTTP/1.1 206 Partial Content\r\n${contentRange(exchange.request, exchange.file)}\r\n`);
    await exchange.body(slice(exchange.request, exchange.file));
    exchange.end();
  }),
  "HTTP/1.0": fault("finished", "speaks HTTP/1.0", async (exchange) => {
    await exchange.send(`HTTP/1.0 206 Partial Content\r\n${rangeFields(exchange.request, exchange.file)}\r\n`);
    await exchange.body(slice(exchange.request, exchange.file));
    exchange.end();
  }),
  "Content-Length too long": fault("finished", "promises more bytes than it sends, and closes", async (exchange) => {
    const body = slice(exchange.request, exchange.file);
    await exchange.send(
      `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length + 10}\r\n${contentRange(exchange.request, exchange.file)}\r\n`,
    );
    await exchange.body(body);
    exchange.end();
  }),
  "Content-Length too short": passing("finished", "promises fewer bytes than it sends, twice", 2, async (exchange) => {
    const body = slice(exchange.request, exchange.file);
    await exchange.send(
      `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length - 10}\r\n${contentRange(exchange.request, exchange.file)}\r\n`,
    );
    await exchange.body(body);
  }),
  encoded: fault("download", "sends gzip although identity was asked for", (exchange) =>
    exchange.partial("Content-Encoding: gzip\r\n"),
  ),
  "HTML with 200": fault("download", "is a captive portal", (exchange) =>
    document(exchange, "text/html; charset=utf-8", "<html>Please log in</html>"),
  ),
  "JSON with 200": fault("not-found", "reports errors as 200 and JSON", (exchange) =>
    document(exchange, "application/json", '{"code":400,"message":"file not found"}'),
  ),
  "100 KB of headers": fault("finished", "sends 100 KB of headers with each range", (exchange) =>
    exchange.partial(`X-Padding: ${"x".repeat(987)}\r\n`.repeat(100)),
  ),
  "endless head": fault("download-timeout", "sends headers without an end", async (exchange) => {
    await exchange.send("HTTP/1.1 206 Partial Content\r\n");
    for (let line = 0; line < 400; line++) await exchange.send(`X-Padding: ${"x".repeat(987)}\r\n`);
    exchange.end();
  }),
  garbage: fault("download-timeout", "is no HTTP server", async (exchange) => {
    await exchange.send("\x15\x03\x03\x00\x02\x02\x28\n");
    exchange.end();
  }),
  "validator changes": fault("finished", "has another ETag with every answer", (exchange) =>
    exchange.partial(`ETag: "${exchange.request.count}"\r\n`),
  ),
  "closes after each answer": fault("finished", "closes after each answer, without a word", async (exchange) => {
    await exchange.partial();
    exchange.end();
  }),
  "Connection: close": fault("finished", "closes after each answer, as announced", async (exchange) => {
    await exchange.partial("Connection: close\r\n");
    exchange.end();
  }),
  "closes after three answers": fault("finished", "closes after every third answer", async (exchange) => {
    await exchange.partial();
    if (exchange.request.number === 3) exchange.end();
  }),
  "gives less than asked": fault("finished", "gives at most 3,000 bytes at a time", async (exchange) => {
    const { request, file } = exchange;
    const less = { ...request, last: Math.min(request.last, request.first + 2_999) };
    await exchange.send(`HTTP/1.1 206 Partial Content\r\n${rangeFields(less, file)}\r\n`);
    await exchange.body(slice(less, file));
  }),
  "1xx": fault("finished", "sends 100 and 103 before each answer", async (exchange) => {
    await exchange.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    await exchange.partial();
  }),
};
