/** The chip's own TLS session, as the SDK's engine for Linux runs it, against real servers. Needs MODDABLE. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "../../tests/moddable/harness";

/** What is asked for; an answer has its head besides. */
const LENGTH = 100_000;

export interface TlsServer {
  readonly title: string;
  readonly port: number;
}

export interface Session {
  readonly title: string;
  /** Bytes that were received. */
  readonly received: number;
  readonly problem: string | undefined;
}

const base64 = (pem: string): string => pem.split("-----END")[0]!.replace(/-----[^-]+-----|\s/g, "");

/** One session with each server, over the sockets of the SDK ("SDK") or those of the chip ("chip"). */
export const sessions = async (
  folder: string,
  authority: Authority,
  servers: readonly TlsServer[],
  sockets: "SDK" | "chip",
): Promise<readonly Session[]> => {
  const home = mkdtempSync(join(folder, "chip-"));
  const client = await authority.client("ota-bench-01");
  const send = `GET /firmware.bin HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-${LENGTH - 1}\r\nConnection: close\r\n\r\n`;
  const cases = {
    roots: [base64(authority.root)],
    certificate: base64(client.certificate),
    privateKey: base64(client.key),
    cases: servers.map(({ title, port }) => ({ title, port, host: "localhost", tls: "https", send })),
  };
  writeFileSync(join(home, "cases.json"), JSON.stringify(cases), { mode: 0o600 });
  const { path } = build(join(ROOT, "tests", "moddable", "tls"), BUILD);
  const run = new HeadlessRun(buildHeadless(BUILD), path, { XS_OTA_SIM: home, XS_OTA_SOCKETS: sockets });
  await run.line(({ done }) => done === true);
  await run.cut();
  return servers.map(({ title }) => {
    const line = run.lines.find((each) => each["title"] === title);
    const received = Number(line?.["received"] ?? 0);
    const error = line?.["error"] as { readonly message: string } | undefined;
    const start = String(line?.["start"] ?? "");
    const whole = received >= LENGTH && /^HTTP\/1\.[01] 20[06]/.test(start);
    return { title, received, problem: error?.message ?? (whole ? undefined : `answered "${start.split("\r")[0]}"`) };
  });
};
