/**
 * TLS as the firmware has it, against the servers of tls.check.ts: takes the cases of cases.json one after the other,
 * says one JSON line for each.
 */
import Timer from "timer";
import { File } from "file";
import { decodeBase64 } from "xs-ota/src/util/base64";
import { Process } from "xs-ota/hal/moddable-sim/process";
import { LwipSockets } from "xs-ota/hal/esp32/tcp/lwip-sockets";
import { LwipTcpSocket } from "xs-ota/hal/esp32/tcp/tcp-socket";
import { ModdableNetwork } from "xs-ota/hal/moddable/network";
import type { ModdableNetworkOptions } from "xs-ota/hal/moddable/network";
import { decodeUtf8, encodeUtf8 } from "xs-ota/src/util/utf8";

interface Case {
  readonly title: string;
  readonly host: string;
  readonly port: number;
  /** Absent: plain TCP. */
  readonly tls?: "mqtt" | "https";
  readonly send: string;
}
interface Cases {
  readonly roots: readonly string[];
  readonly certificate: string;
  readonly privateKey: string;
  readonly cases: readonly Case[];
}

/** Longest case, ms. */
const PATIENCE = 20_000;
/** Bytes read at a time: no divisor of a record. */
const STEP = 777;

const file = new File(`${Process.environment("XS_OTA_SIM") ?? ""}/cases.json`);
const { roots, certificate, privateKey, cases } = JSON.parse(file.read(String)) as Cases;
file.close();

const trust = { roots: roots.map(decodeBase64) };
const client = { ...trust, certificate: decodeBase64(certificate), privateKey: decodeBase64(privateKey) };
const network = new ModdableNetwork({
  // Every name is this machine: what is tried here is TLS.
  lookup: (_host, done) => void Timer.set(() => done("127.0.0.1"), 0),
  ahead: 16_384,
  ...(Process.environment("XS_OTA_SOCKETS") === "chip" ? { open: chipSockets() } : {}),
  trust: (kind) => (kind === "mqtt" ? client : trust),
});

Process.ignoreBrokenPipes();
next(0);

/** Those of hal/esp32, over the fake lwIP. */
function chipSockets(): NonNullable<ModdableNetworkOptions["open"]> {
  const sockets = new LwipSockets();
  return (options, events) => new LwipTcpSocket(sockets, options, events);
}

function next(index: number): void {
  const each = cases[index];
  if (each === undefined) return trace(`${JSON.stringify({ done: true })}\n`);
  const out = encodeUtf8(each.send);
  const into = new Uint8Array(STEP);
  let sent = 0;
  let received = 0;
  let sum = 0;
  let start = "";
  let opened = false;
  const push = (): void => {
    while (sent < out.length) {
      const count = socket.write(out.subarray(sent));
      if (count === 0) return;
      sent += count;
    }
  };
  const finish = (result: object): void => {
    Timer.clear(watch);
    // The SDK may have traced half a line.
    trace(`\n${JSON.stringify({ title: each.title, opened, received, sum, start, ...result })}\n`);
    Timer.set(() => next(index + 1), 0);
  };
  const socket = network.connect(
    { host: each.host, port: each.port, ...(each.tls === undefined ? {} : { tls: each.tls }) },
    {
      opened() {
        opened = true;
        push();
      },
      readable() {
        for (let count = socket.read(into); count > 0; count = socket.read(into)) {
          if (received === 0) start = decodeUtf8(into.subarray(0, Math.min(count, 40)));
          for (let at = 0; at < count; at++) sum = (sum * 31 + into[at]!) % 65_521;
          received += count;
        }
      },
      writable: push,
      closed: (error) => finish({ error }),
    },
  );
  const watch = Timer.set(() => {
    socket.close();
    finish({ error: { kind: "none", message: "nothing happened" } });
  }, PATIENCE);
}
