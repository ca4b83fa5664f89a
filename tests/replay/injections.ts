/** Causes of failures, as they are injected, each with what is told of its recording. */
import { rightAnswer, FILE } from "./injected-run";
import type { Asked, Wrong } from "./injected-run";
import { buildImage } from "../../hal/model-chip/build-image";
import { generate } from "mqtt-packet";
import { perConnection } from "../kit/peer";
import type { Peer } from "../kit/peer";
import type { Ports } from "../../src/ports";

export interface Injection {
  /** What goes wrong. */
  readonly does: string;
  /** Name of the explanation that must be told (host-sim/replay/explanations). */
  readonly told: string;
  readonly wrong: Wrong;
}

/** Causes that have the same explanation: its name, and why the device cannot tell them apart. */
export const ALIKE: { readonly [told: string]: string } = {
  busy: "a proxy answers in the place of the server behind it",
  denied: "an expired URL and a limiter get the same answer",
  digest: "the device has the digest of what arrived, and nothing of what was sent",
  "no-connection": "nothing arrives in either case",
  reset: "a socket says that its connection has ended, and not who ended it",
  silence: "nothing arrives in either case",
};

const head = (status: string, lines = "Content-Length: 0\r\n"): ((asked: Asked) => void) => {
  return ({ connection }) => connection.send(Buffer.from(`HTTP/1.1 ${status}\r\n${lines}\r\n`));
};
const document = (type: string, text: string): ((asked: Asked) => void) =>
  head("200 OK", `Content-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`.replace(/\r\n$/, ""));
const range = (status: string, shift: number, total: number, lines = ""): ((asked: Asked) => void) => {
  return ({ first, connection }) =>
    connection.send(
      Buffer.from(
        `HTTP/1.1 ${status}\r\nContent-Length: 100\r\n${lines}Content-Range: bytes ${first + shift}-${first + shift + 99}/${total}\r\n\r\n${"x".repeat(100)}`,
      ),
    );
};

/** A key that has signed nothing: the base point of P-256. */
const KEY =
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const SIZE = FILE.length;
/** The same image with one bit changed. */
const otherBytes = (): Uint8Array => {
  const file = FILE.slice();
  file[SIZE - 2_000]! ^= 1;
  return file;
};
const imageOf = (change: object): Uint8Array =>
  buildImage({ version: "0.2.0", payload: FILE.subarray(0, 64), ...change });

/** Accepts the connection and answers CONNECT by that code. */
const refusing = (code: number): Peer =>
  perConnection((connection) => ({
    received: () => {
      connection.send(generate({ cmd: "connack", returnCode: code, sessionPresent: false }));
      connection.end();
    },
  }));

const wornFlash = (ports: Ports): Ports => ({
  ...ports,
  flash: {
    size: ports.flash.size,
    sectorSize: ports.flash.sectorSize,
    blockSectors: ports.flash.blockSectors,
    erase: (sector) => ports.flash.erase(sector),
    eraseBlock: (sector) => ports.flash.eraseBlock(sector),
    write: (offset, bytes) => ports.flash.write(offset, bytes),
    read: (offset, into) => ports.flash.read(offset, into),
    equals: (offset, bytes) => offset < 20_480 && ports.flash.equals(offset, bytes),
  },
});

const server = (does: string, told: string, answer: (asked: Asked) => void): Injection => ({
  does,
  told,
  wrong: { answer },
});
const socket = (does: string, told: string, connect: NonNullable<Wrong["connect"]>): Injection => ({
  does,
  told,
  wrong: { connect },
});
const other = (does: string, told: string, wrong: Wrong): Injection => ({ does, told, wrong });

export const INJECTIONS: readonly Injection[] = [
  server("the file server answers 404", "missing", head("404 Not Found")),
  server("every URL has expired (403)", "denied", head("403 Forbidden")),
  server("a limiter in front answers 403 for ever", "denied", head("403 Forbidden")),
  server(
    "the file server asks for a password",
    "password",
    head("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n'),
  ),
  server("the file server answers 400", "bad-plain", head("400 Bad Request")),
  server(
    "the file server answers 416",
    "range",
    head("416 Range Not Satisfiable", `Content-Range: bytes */${SIZE}\r\nContent-Length: 0\r\n`),
  ),
  server("the file server answers 405", "status", head("405 Method Not Allowed")),
  server("the file server answers 503 for ever", "unavailable", head("503 Service Unavailable")),
  server("the file server answers 429 for ever", "throttled", head("429 Too Many Requests")),
  server("the file server breaks down (500)", "busy", head("500 Internal Server Error")),
  server("a proxy does not reach the file server (502)", "busy", head("502 Bad Gateway")),
  server(
    "the file server redirects in circles",
    "redirect-loop",
    head("302 Found", "Location: /again\r\nContent-Length: 0\r\n"),
  ),
  server(
    "the file server redirects to ftp",
    "redirect-target",
    head("302 Found", "Location: ftp://files.example/\r\nContent-Length: 0\r\n"),
  ),
  server("the file server redirects without a target", "redirect-nowhere", head("302 Found")),
  server("the file server compresses", "encoded", range("206 Partial Content", 0, SIZE, "Content-Encoding: gzip\r\n")),
  server("a captive portal answers", "page", document("text/html", "<html>Please log in</html>")),
  server("the file server answers with JSON", "json", document("application/json", '{"code":404}')),
  server("the file server answers without a body", "empty", head("200 OK")),
  server("the file on the server has another size", "size", range("206 Partial Content", 0, SIZE + 1)),
  server("the file server answers with other bytes", "start", range("206 Partial Content", 4, SIZE)),
  server(
    "the file server answers 206 without Content-Range",
    "no-range",
    head("206 Partial Content", `Content-Length: 100\r\n\r\n${"x".repeat(98)}`),
  ),
  server("what answers is no HTTP server", "garbage", ({ connection }) => {
    connection.send(Buffer.from("\x15\x03\x03\x00\x02\x02\x28\n"));
    connection.end();
  }),
  server("the file server never answers", "silence", () => undefined),
  server("the line goes silent behind each request", "silence", () => undefined),
  server("the file server resets each connection", "reset", ({ connection }) => connection.reset()),
  server("the file server closes each connection", "reset", ({ connection }) => connection.end()),
  socket("the line breaks with each connection", "reset", { kind: "reset", message: "connection reset" }),
  socket("DNS does not know the file server", "dns", { kind: "dns", message: "DNS: files.example not found" }),
  socket("nobody listens at the file server's port", "refused", { kind: "refused", message: "connection refused" }),
  socket("a firewall drops the connects", "no-connection", "silence"),
  socket("the file server's machine is off", "no-connection", "silence"),
  socket("the file server's certificate has expired", "expired", {
    kind: "certificate",
    message: "certificate has expired",
  }),
  socket("the file server's certificate is of an unknown authority", "untrusted", {
    kind: "certificate",
    message: "self-signed certificate in certificate chain",
  }),
  socket("the file server's certificate is for another name", "host-name", {
    kind: "certificate",
    message: "certificate is not for files.example",
  }),
  socket("the file server answers TLS in plain text", "plain", { kind: "tls", message: "TLS: wrong version number" }),
  other("bytes change on the way", "digest", {
    answer: (asked) => rightAnswer(asked, otherBytes()),
  }),
  other("another file is on the server", "digest", { offer: { md5sum: "0".repeat(32) } }),
  other("the task says the wrong digest", "digest", { offer: { md5sum: "1".repeat(32) } }),
  other("flash does not hold what is written", "flash", { ports: wornFlash }),
  other("the digest in the task is malformed", "bad-offer", { offer: { md5sum: "0" } }),
  other("the URL is plain http, and the device wants https", "plain-http", { policy: { allowHttp: false } }),
  other("the task's version is older", "downgrade", {
    file: imageOf({ version: "0.0.9", size: SIZE }),
    offer: { version: "0.0.9" },
  }),
  other("the running version with another file", "same-version", {
    file: imageOf({ version: "0.1.0", size: SIZE }),
    offer: { version: "0.1.0" },
  }),
  other("the image is larger than the slot", "too-big", { offer: { file_size: 8 << 20 } }),
  other("the image is for another chip", "chip", { file: imageOf({ size: SIZE, chip: 5 }) }),
  other("the image is of another product", "product", { file: imageOf({ size: SIZE, product: "another" }) }),
  other("the version in the image is another", "version", { file: imageOf({ version: "0.2.1", size: SIZE }) }),
  other("the file is no firmware", "no-image", { file: Buffer.alloc(SIZE, 0x7f) }),
  other("the file is not signed", "unsigned", { policy: { signingKeys: [KEY] } }),
  other("the new firmware throws at its start", "trial-start", { reset: "software" }),
  other("the new firmware hangs", "trial-watchdog", { reset: "watchdog" }),
  other("the new firmware crashes in native code", "trial-crash", { reset: "panic" }),
  other("the new firmware sleeps past the agent", "trial-slept", { reset: "deep-sleep" }),
  other("the new firmware's health check fails", "trial-health", { health: "fails" }),
  other("the new firmware's health check never answers", "trial-mute", { health: "is silent" }),
  other("the new firmware knows the broker's name wrongly", "trial, dns", {
    trial: { kind: "dns", message: "DNS: broker.exampel not found" },
  }),
  other("the new firmware connects to a port where nobody listens", "trial, refused", {
    trial: { kind: "refused", message: "connection refused" },
  }),
  other("the new firmware connects to where nothing answers", "trial, no-connection", { trial: "silence" }),
  other("the new firmware has a wrong secret", "trial, connack-4", { trial: refusing(4) }),
  other("the new firmware does not trust the broker's certificate", "trial, untrusted", {
    trial: { kind: "certificate", message: "self-signed certificate in certificate chain" },
  }),
  other("the power fails in each trial", "trial-power", { cutInTrial: true }),
];
